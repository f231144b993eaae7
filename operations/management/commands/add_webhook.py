"""manage.py add_webhook"""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.db import transaction
from django.utils.text import format_lazy

from accounts import power
from kit import encryption
from kit.commands import arguments, command
from outbox.models import Webhook
from outbox.models.webhook import EVENTS, is_secret, new_secret
from outbox.webhooks import targets

LOOK_UP = 5.0  # seconds that looking up the host of the URL may take


class Command(command.Command):
    help = (
        "Has a URL told of events, as the desk does under Mail. The secret that signs the calls is in a file, which is "
        "made if there is none: give it to the receiver, too. If there is such a webhook already, it gets these events "
        "and this secret, and is turned on; its former secret signs beside the new one for a day. With --move, the "
        "webhook that has this secret moves to this URL. It may run again and again. All superusers are mailed about a "
        "change."
    )
    examples: ClassVar[tuple[str, ...]] = (
        "https://example.com/hook --secret-file hook.secret",
        "https://example.com/hook --secret-file hook.secret --event user.updated --event user.deleted",
        "https://new.example.com/hook --secret-file hook.secret --move",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", help="where events are sent, such as https://example.com/hook")
        parser.add_argument("--secret-file", type=Path, required=True, metavar="FILE", help="the file with the secret")
        every = "an event that it wants; several times for several, never for all, also those that will be added"
        parser.add_argument("--event", action="append", choices=EVENTS, default=[], help=every)
        moves = "the receiver has moved: whatever webhook has this secret is called here, and no longer where it was"
        parser.add_argument("--move", action="store_true", help=moves)
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        url = fit(options["url"])
        secret = read_or_create(options["secret_file"])
        done = put(url, sorted(set(options["event"])), secret, move=options["move"])
        self.tell({"webhook": url, "done": done}, f"{url}: {done}")


def fit(typed: str) -> str:
    """Returns the URL in the form that will be called. Raises CommandError (exit code 2) if it must not be called."""
    try:
        target = targets.read(typed)
        targets.addresses(target, LOOK_UP)
    except targets.Unfit as error:
        raise CommandError(f"{typed}: {error} Nothing was changed.", returncode=2) from None
    return target.url


def read_or_create(path: Path) -> str:
    """Returns the secret in a file. If there is no such file, makes one that its owner alone can read.

    Raises CommandError (exit code 2) if it can be neither read nor made, or holds no secret.
    """
    try:
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
                new.write(new_secret())
        secret = path.read_text("ascii", "replace").strip()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}. Nothing was changed.", returncode=2) from None
    if not is_secret(secret):
        said = "holds no secret, which is whsec_ and base64 of 24 to 64 bytes. Nothing was changed."
        raise CommandError(f"{path} {said}", returncode=2)
    return secret


@transaction.atomic
def put(url: str, events: list[str], secret: str, *, move: bool) -> str:
    """Stores the webhook of this URL with these events and this secret, turned on, and records it if it is a change.

    With `move`, it is the one that has this secret already, and any others that have it are deleted. Returns what was
    done: "added", "moved", "changed", or "as it was".
    """
    there = Webhook.objects.select_for_update().order_by("pk")
    found = sorted(
        (webhook for webhook in there if webhook.url == url or (move and readable(webhook) == secret)),
        key=lambda webhook: webhook.url != url,  # two cannot have one URL, so the one that has it stays
    )
    for other in found[1:]:
        record(other, "deleted")
        other.delete()
    if found:
        webhook, done = found[0], change(found[0], url, events, secret)
    else:
        webhook, done = Webhook(url=url, events=events), "added"
        webhook.store_new(secret)
    if done != "as it was":
        record(webhook, done)
    return done


def record(webhook: Webhook, done: str) -> None:
    power.record_command_on(format_lazy("{} {}", Webhook._meta.verbose_name, webhook), done)  # noqa: SLF001


def change(webhook: Webhook, url: str, events: list[str], secret: str) -> str:
    """Gives a locked webhook this URL, these events and this secret, and turns it on. Returns what that changed."""
    fields = {"url": url, "events": events, "is_active": True}
    changed = [name for name, value in fields.items() if getattr(webhook, name) != value]
    for name in changed:
        setattr(webhook, name, fields[name])
    if changed:
        webhook.change(changed)
    is_new = secret != readable(webhook)
    if is_new:
        webhook.renew_secret(webhook.secret_made_at, secret)
    if "url" in changed:
        return "moved"
    return "changed" if changed or is_new else "as it was"


def readable(webhook: Webhook) -> str:
    """Returns the secret of a webhook, or "" if no key decrypts it."""
    try:
        return webhook.secrets[0]
    except encryption.Unreadable:
        return ""
