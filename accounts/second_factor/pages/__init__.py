"""Pages of two-step verification: the code at sign-in, an app's setup, recovery codes."""
