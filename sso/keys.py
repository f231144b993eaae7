"""The keys that sign what apps are told: making, loading, publishing and rotating them."""
