"""Another address for an account, proven by a mailed code."""
