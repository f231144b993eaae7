"""What lets parts be away."""
