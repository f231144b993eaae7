"""Coming in, or joining, by Google."""
