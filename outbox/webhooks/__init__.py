"""Telling webhooks of events: what is signed, where it may go, and how it gets there."""
