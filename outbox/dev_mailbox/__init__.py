"""A page that shows the mail of a site on this machine."""
