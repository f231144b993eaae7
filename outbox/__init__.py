"""What leaves this house, and what comes back."""
