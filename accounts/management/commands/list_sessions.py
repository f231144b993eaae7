"""manage.py list_sessions"""

from argparse import ArgumentParser
from typing import Any, ClassVar

from accounts.management.people import find_people
from accounts.models import Session, User
from accounts.models.session import LISTED
from kit.commands import arguments, command
from kit.times import iso


class Command(command.Command):
    help = (
        f"Lists where people are signed in, the newest {LISTED} sessions of each: handle, device, IP address, since "
        "when, and when the session ends by itself. End one with end_sessions --user USER --session HANDLE."
    )
    examples: ClassVar[tuple[str, ...]] = ("ada", "ada grace@example.com", "ada --format json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("users", metavar="USER", nargs="+", help="usernames or addresses")
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        listed = {person.username: newest(person) for person in find_people(options["users"])}
        report = [as_dict(name, session) for name, sessions in listed.items() for session in sessions]
        self.show({"sessions": report}, "\n".join(line for item in listed.items() for line in lines(*item)))
        for name, sessions in listed.items():
            if len(sessions) == LISTED:
                self.stderr.write(f"Those are the newest {LISTED} sessions of {name}; there may be more.")


def newest(person: User) -> list[Session]:
    """Returns the newest LISTED live sessions of a user, the newest first."""
    return list(person.sessions.live().order_by("-created_at")[:LISTED])


def as_dict(name: str, session: Session) -> dict[str, Any]:
    """Returns what --format json says of a session of the user with this name. Its key is not in it."""
    return {
        "user": name,
        "handle": session.handle,
        "device": session.device_name or None,
        "ip": session.ip,
        "since": session.created_at,
        "ends": session.expire_date,
    }


def lines(name: str, sessions: list[Session]) -> list[str]:
    """Returns a line of columns for each session of a user; one that says so if there is none."""
    if not sessions:
        return [f"{name} is not signed in anywhere."]
    return [
        f"{name}  {row.handle or '–'}  {row.device_or_unknown}  {row.ip or '–'}  "
        f"since {iso(row.created_at)}  ends {iso(row.expire_date)}"
        for row in sessions
    ]
