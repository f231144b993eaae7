"""A small product: people write notes, all read them. nginx tells it who sends a request (Django)."""
