"""JSON doors to an account, one file for each noun. What a page does, they do by its form, its verb and its limits."""
