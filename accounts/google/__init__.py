"""Google, as allauth speaks to it, and connecting an account there."""
