"""What is stored about a user: how they download it, and how it is erased with the account."""
