"""Bounces: reading mail that comes back, and marking the mail it is about."""
