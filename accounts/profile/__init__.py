"""The account's own page, its name, and what its owner prefers."""
