"""Doors of allauth.headless that lead to mailed links or to joining. One file for each noun."""
