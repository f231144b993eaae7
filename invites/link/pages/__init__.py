"""What a mailed link opens."""
