"""What two rooms need and no word of ours is in. It knows no room."""
