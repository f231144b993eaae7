"""The edge: middleware that every request passes, health checks, and the pages for errors."""
