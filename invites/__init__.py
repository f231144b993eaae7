"""Proof of an address: magic links, invitations, sign-up, lists of people and the funnel."""
