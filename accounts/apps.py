"""Who you are."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import sessions  # noqa: PLC0415 models can be imported only now

        sessions.hear_sign_ins()
