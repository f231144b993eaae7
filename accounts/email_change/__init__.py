"""Changing the address of an account, which a mailed code proves."""
