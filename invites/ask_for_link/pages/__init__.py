"""The pages where a mailed link is asked for, and the one that waits for it."""
