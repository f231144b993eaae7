"""JSON doors for mailed links and sign-up, one file for each noun.

Each does what a page does, with the page's form, verb and limits.
"""
