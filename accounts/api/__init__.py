"""JSON doors to an account, one file for each noun.

Each does what a page does, by the page's form, its verb and its limits.
"""
