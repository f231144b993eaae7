"""Telling webhooks of events: signing, the addresses that may be called, and delivery."""
