"""Wiring: settings, the site map, what every request passes, and what lets parts be away."""
