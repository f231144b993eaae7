"""JSON doors that lead to mailed links or to joining, one file for each noun.

What a page does, they do by its form, its verb and its limits.
"""
