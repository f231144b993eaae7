"""JSON doors that lead to mailed links or to joining, one file for each noun; each is the twin of a page."""
