"""manage.py renew_secret"""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from accounts import power
from kit.commands import arguments, command
from sso.models import App


class Command(command.Command):
    help = (
        "Gives an app a new secret and prints it, once: only a hash of it is kept. The former one works for 24 hours "
        "more, so that the app can change over. All superusers are mailed."
    )
    examples: ClassVar[tuple[str, ...]] = ("ID", "ID --format json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="the id of the app (list_apps shows it)")
        arguments.answer(parser)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        app = App.objects.select_related("client").by_id(options["id"]).first()
        if app is None or not app.has_secret:
            said = "has no secret: it runs on people's own machines, or behind a proxy" if app else "is no app's id"
            raise CommandError(f"{options['id']} {said}. Nothing was changed.", returncode=2)
        secret = app.renew_secret()
        what = format_lazy("{} {} ({})", App._meta.verbose_name, app.name, gettext_lazy("new secret"))  # noqa: SLF001
        power.record_command_on(what, "changed")
        self.tell({"id": app.pk, "secret": secret}, secret)
