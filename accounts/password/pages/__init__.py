"""Pages to sign in with a password, and to change it."""
