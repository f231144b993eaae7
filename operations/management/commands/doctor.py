"""manage.py doctor"""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from invites.management.filters import invite_id
from kit import addresses
from kit.commands import arguments, command
from kit.findings import Finding, State
from operations import doctor
from operations.doctor import last_run


class Command(command.Command):
    help = (
        "Says what is wrong with the site and what to do about it; or, for an address, an invite or a link, why its "
        "mail did not arrive. It sends no mail, changes nothing but what the desk's home repeats of it for a day, and "
        "ends with 1 when something is broken."
    )
    examples: ClassVar[tuple[str, ...]] = ("", "grace@example.com", "--format json")
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", nargs="?", help="why did mail to this address not arrive?")
        parser.add_argument(
            "--invite", type=invite_id, metavar="ID", help="why did the mail of this invite or link not arrive?"
        )
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        email, asked = self.read_arguments(options)
        findings = doctor.explain(email, asked) if email else self.examine_site()
        broken = [finding for finding in findings if finding.state == State.FAILURE]
        shown = findings if options["verbosity"] else broken
        self.show(report(findings, email, asked), "".join(map(self.describe, shown)))
        if broken:
            raise CommandError(f"Broken: {', '.join(finding.name for finding in broken)}.")

    def examine_site(self) -> list[Finding]:
        """Returns the findings on the site, and keeps them for the desk's home."""
        findings = doctor.examine_site()
        last_run.remember(findings)
        return findings

    def read_arguments(self, options: dict[str, Any]) -> tuple[str, doctor.InviteOrLink | None]:
        """Returns the address to explain and the newest invitation or link to it, if any; or "" and None for the site.

        With --invite, returns that invitation or link and its address. Raises CommandError if there is none with this
        id, or if the address is invalid.
        """
        if options["invite"]:
            asked = doctor.find(options["invite"])
            if asked is None:
                raise CommandError("There is no such invite or link, or the person it was for has left.", returncode=2)
            return asked.email, asked
        if options["address"] is None:
            return "", None
        try:
            email = addresses.normalize(options["address"])
        except ValidationError as error:
            raise CommandError(f"{options['address']}: {error.messages[0]}", returncode=2) from None
        return email, doctor.find_newest(email)

    def describe(self, finding: Finding) -> str:
        """Returns a finding in words: a line with its state, name and sentence, and perhaps a line of advice."""
        style = {State.OK: self.style.SUCCESS, State.WARNING: self.style.WARNING, State.FAILURE: self.style.ERROR}
        line = f"{style[finding.state](f'{finding.state:<8}')} {finding.name:<12} {finding.said}\n"
        return line + (f"{'':<21} → {finding.advice}\n" if finding.advice else "")


def report(findings: list[Finding], email: str, asked: doctor.InviteOrLink | None) -> dict[str, Any]:
    """Returns the findings as --format json prints them: `email`, masked, and the id of `asked` say what about.

    Both are null for the findings on the site. "ok" is false if any finding is a failure.
    """
    return {
        "ok": not any(finding.state == State.FAILURE for finding in findings),
        "email": addresses.mask(email) if email else None,
        "invite": str(asked.pk) if asked else None,
        "findings": [finding.as_dict() for finding in findings],
    }
