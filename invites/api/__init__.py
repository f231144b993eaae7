"""JSON doors that lead to mailed links or to joining, one file for each noun."""
