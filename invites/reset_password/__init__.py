"""A new password from a mailed link."""
