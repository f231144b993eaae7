"""Codes of the second factor, as people type them: the field, and how many may be wrong."""
