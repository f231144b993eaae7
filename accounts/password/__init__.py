"""Passwords: their rules, their hashes, signing in with one, and changing it."""
