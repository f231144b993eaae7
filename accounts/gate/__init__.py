"""The one page between signing in and going on, where a site asks what it must (accounts/asking.py)."""
