"""manage.py owner_link: prints the link with which the first superuser signs up."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from invites import purposes
from invites.models import OWNER_UNKNOWN, MagicLink
from kit import addresses, tokens
from kit.commands import command

NAMED = 3  # superusers, where there are some


class Command(command.Command):
    help = "Prints the one-time link that makes the first superuser; prints nothing once there is one."
    examples: ClassVar[tuple[str, ...]] = ("--email olga@example.com",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        # Nothing proves the address but the operator's word, so only a site on this machine may do without.
        # The page behind the link asks for it then.
        local = settings.SITE_HOST in settings.THIS_MACHINE
        parser.add_argument("--email", required=not local, default=OWNER_UNKNOWN, help="the owner's address")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        try:
            email = addresses.normalize(email)
        except ValidationError as error:
            raise CommandError(f"{email}: {error.messages[0]}", returncode=2) from None
        superusers = User.objects.filter(is_superuser=True).order_by("-is_active", "pk")
        if names := list(superusers.values_list("username", flat=True)[:NAMED]):
            self.stderr.write(f"Sign in as {' or '.join(names)}: there is a superuser already.")
        elif User.objects.filter(email=email).exists():
            self.stderr.write(f"{email} has an account already. For an owner link name another address with --email.")
        else:
            self.stdout.write(tokens.link(purposes.OWNER, self.link(email).pk))

    def link(self, email: str) -> MagicLink:
        """Returns the owner link of this address that still works, or stores a new one, to last for INVITE_LIFETIME."""
        given = {"email": email, "purpose": MagicLink.Purpose.OWNER, "next": reverse("admin:index")}
        expires_at = timezone.now() + settings.INVITE_LIFETIME
        working = MagicLink.objects.pending().filter(**given).first()
        return working or MagicLink.objects.create(expires_at=expires_at, **given)
