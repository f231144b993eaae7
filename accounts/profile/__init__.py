"""The account page, the username, and preferences."""
