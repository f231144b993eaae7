"""Passwords: their rules and hashes, signing in with one, and changing it."""
