"""A database backend for processes that answer people; Django looks for it in `base`."""
