"""Two-step verification: authenticator apps and recovery codes."""
