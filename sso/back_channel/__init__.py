"""Telling apps that somebody has signed out (OpenID Connect Back-Channel Logout 1.0), also where nobody pressed it."""
