"""Tasks that reach into every room: diagnosis (doctor), deleting old rows (prune), new keys (rotate_secrets)."""
