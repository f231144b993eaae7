"""Being signed in: how it begins, lasts and ends, and on which devices."""
