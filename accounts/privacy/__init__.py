"""What is held about somebody: taking it along, and having it forgotten."""
