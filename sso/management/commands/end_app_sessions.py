"""manage.py end_app_sessions"""

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
        "Signs everybody out of an app: their codes and tokens for it work no more, and it is told if it has a logout "
        "address. People stay signed in here, and the app may sign them in again. All superusers are mailed."
    )
    examples: ClassVar[tuple[str, ...]] = ("ID", "ID --format json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="the id of the app (list_apps shows it)")
        arguments.answer(parser)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        app = App.objects.select_related("client").by_id(options["id"]).first()
        if app is None:
            raise CommandError(f"{options['id']} is no app's id. Nothing was changed.", returncode=2)
        ended = app.end_logins()
        if ended:
            said = gettext_lazy("everybody signed out")
            what = format_lazy("{} {} ({})", App._meta.verbose_name, app.name, said)  # noqa: SLF001
            power.record_command_on(what, "changed")
        self.tell({"id": app.pk, "ended": ended}, f"{app}: {command.number_of(ended, 'login', 'logins')} ended")
