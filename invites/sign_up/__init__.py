"""Making an account with an address that a mailed link proves."""
