"""Google, as allauth speaks to it, and connecting a Google account."""
