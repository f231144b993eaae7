"""Helpers that two rooms need and that hold no word of our domain. The kit imports no room."""
