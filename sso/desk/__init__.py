"""Apps at the desk."""
