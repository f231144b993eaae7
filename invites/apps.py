"""Proof of an address."""

from django.apps import AppConfig


class InvitesConfig(AppConfig):
    name = "invites"
