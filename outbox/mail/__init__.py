"""Outgoing mail: writing, delivering, retrying and giving up."""
