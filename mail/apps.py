"""How mail leaves."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "mail"
