"""manage.py owner_link"""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import addresses
from accounts.models import User
from invites import mails, tokens
from invites.models import INVITE_LIFETIME, Invite


class Command(BaseCommand):
    help = "Prints the one-time link that makes the first superuser; prints nothing once there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", default="owner@localhost", help="the owner's address")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        if User.objects.filter(is_superuser=True).exists():
            return
        try:
            email = addresses.normalize(email)
        except ValidationError as error:
            raise CommandError(f"{email}: {error.messages[0]}", returncode=2) from None
        if User.objects.filter(email=email).exists():
            raise CommandError(f"{email} has an account already. Name another address with --email.")
        with transaction.atomic():
            invite = Invite.objects.offer(email, source=Invite.Source.COMMAND, lifetime=INVITE_LIFETIME)
        self.stdout.write(mails.link(tokens.OWNER, invite))
