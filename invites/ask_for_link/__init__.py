"""Asking for mail with a link in it."""
