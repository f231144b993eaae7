"""manage.py rotate_secrets"""

from argparse import ArgumentParser
from collections.abc import Callable
from itertools import batched
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.db.models import QuerySet

from accounts.models import second_factor
from kit.commands import arguments, command
from outbox.models import Webhook
from sso.models import SigningKey

# Rows in one transaction: few, so that nobody waits long for their locks and an interruption loses little.
BATCH = 500


class Command(command.Command):
    help = (
        "Encrypts the secrets of authenticator apps, recovery codes and webhooks, and the keys that sign for apps, "
        "with the first key. Run it after you have added a new ENCRYPTION_KEY and before you remove the old one; you "
        "may run it again at any time."
    )
    examples: ClassVar[tuple[str, ...]] = ("", "--dry-run", "--format json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        arguments.rehearsal(parser, "say how many can be read, and change nothing")
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        save = not options["dry_run"]
        counts = [
            rotate(second_factor.all_rows(), second_factor.reencrypt, save=save),
            rotate(Webhook.objects.all(), Webhook.objects.reencrypt, save=save),
            rotate(SigningKey.objects.all(), SigningKey.objects.reencrypt, save=save),
        ]
        readable, unreadable = map(sum, zip(*counts, strict=True))
        became = "encrypted with the first key" if save else "can be read"
        self.tell({"secrets": readable, "unreadable": unreadable}, f"{readable} secrets {became}")
        if unreadable:
            raise CommandError(f"{unreadable} secrets could not be read: their key is in no list of keys.")


def rotate(rows: QuerySet[Any], reencrypt: Callable[..., int], *, save: bool) -> tuple[int, int]:
    """Encrypts the secrets of `rows` again with the first key, by `reencrypt(ids, save=…)` for BATCH rows at a time.

    Saves nothing unless `save` is true. Returns how many rows could be decrypted, and how many could not. Rows that
    were deleted meanwhile don't count.
    """
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    readable = sum(reencrypt(list(batch), save=save) for batch in batched(ids, BATCH))
    there = rows.filter(pk__in=ids).count() if readable < len(ids) else readable
    return readable, max(0, there - readable)
