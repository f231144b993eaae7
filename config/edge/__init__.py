"""What every request passes, and the pages for what goes wrong."""
