"""Invitations that members send, on sites where the setting MEMBERS_INVITE lets them."""
