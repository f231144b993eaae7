"""Mail: written, delivered, tried again, given up."""
