"""Proof of an address: invitations and mailed links, and the pages of the way in and back in."""
