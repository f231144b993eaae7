"""The account page, and the pages that change what it shows."""
