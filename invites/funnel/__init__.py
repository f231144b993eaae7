"""How far people come on their way in."""
