"""Where an app sends somebody to learn who they are: what it asks is checked, they decide, and a code leads back."""
