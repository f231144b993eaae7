"""What sessions remember between two pages."""

from datetime import timedelta

from kit.session_notes import Note

# Whom Google has seen, by `uid` and an `email` that it has verified: either `to_connect`, when the owner of that
# address signs in, or as proof of the address alone.
GOOGLE_IDENTITY = Note("google", timedelta(minutes=15))
