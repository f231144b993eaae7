"""A mailed link: from its token to a page."""
