"""The code at sign-in, and setting up what gives it."""
