"""Signing in or signing up with Google."""
