"""A database backend for processes that answer visitors. Django expects it in the module `base`."""
