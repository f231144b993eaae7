"""Accounts: people, their sessions, and every way in which they prove who they are."""
