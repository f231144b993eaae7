"""What apps read about this site before anything else: its addresses, what it can do, and its public keys."""
