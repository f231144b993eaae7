"""Mailed links: reading the token, the pages that links open, and the pages of links that work no longer."""
