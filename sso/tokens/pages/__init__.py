"""The doors for apps, one file each."""
