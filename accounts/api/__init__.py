"""JSON doors to an account, one file for each noun. Each is the twin of a page: the same form, verb and limits."""
