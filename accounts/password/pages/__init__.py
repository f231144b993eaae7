"""Signing in with a password, and choosing another."""
