"""Asking to join, where accounts are by invitation."""
