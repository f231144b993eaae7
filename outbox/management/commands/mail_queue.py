"""manage.py mail_queue"""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any, ClassVar

from kit.commands import arguments, command, prompts
from kit.commands.command import number_of
from kit.times import iso
from outbox import stats
from outbox.models import OutboxMessage, Suppression

SHOWN = 20  # of the newest mails to an address


class Command(command.Command):
    help = "Shows how much mail waits in the outbox, for how long and why; or the state of the mail to one address."
    examples: ClassVar[tuple[str, ...]] = ("", "--email grace@example.com", "--format json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", help=f"the {SHOWN} newest mails to this address")
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["email"] is not None:
            report = mail_to(prompts.address(options["email"]))
            self.show(report, describe(report))
        else:
            report = stats.outbox() | {"broker": stats.broker()}
            self.show(report, summarize(report))


def mail_to(email: str) -> dict[str, Any]:
    """Returns the state of the newest mails to an address, and why it is suppressed, as --format json prints it.

    Contents are left out: they hold links.
    """
    rows = OutboxMessage.objects.filter(recipient=email).order_by("-id").defer("parts")[:SHOWN]
    suppressed = Suppression.objects.of(email)
    return {
        "email": email,
        "suppressed": suppressed.explanation if suppressed else None,
        "mails": [as_dict(row) for row in rows],
    }


def as_dict(row: OutboxMessage) -> dict[str, Any]:
    """Returns the state of one mail as --format json prints it.

    `next_try_at` is None if the mail no longer waits. Contents are left out: they hold links.
    """
    over = row.status not in {row.Status.QUEUED, row.Status.TRIED}
    return {
        "kind": row.kind,
        "message_id": row.message_id,
        "created_at": row.created_at,
        "status": row.status.value,
        "tries": row.attempts,
        "next_try_at": None if over else row.next_try_at,
        "published_at": row.published_at,
        "sent_at": row.sent_at,
        "bounced_at": row.bounced_at,
        "given_up_at": row.given_up_at,
        "last_answer": row.last_answer,
    }


def describe(report: dict[str, Any]) -> str:
    """Returns a report of mail_to() in lines for people."""
    lines = [f"Suppressed: {report['suppressed']}"] if report["suppressed"] else []
    for mail in report["mails"]:
        state = f"{mail['status']}  {number_of(mail['tries'], 'try', 'tries')}{next_step(**mail)}"
        lines.append(f"{iso(mail['created_at'])}  {mail['kind']}  {state}  {mail['last_answer']}")
    return "\n".join(line.rstrip() for line in lines) or f"There is no mail to {report['email']}."


def next_step(*, next_try_at: datetime | None, published_at: datetime | None, **_others: Any) -> str:
    """Returns the end of a mail's line: its next try, or that the broker has it; "" if the mail no longer waits."""
    if next_try_at is None:
        return ""
    return ", with the broker" if published_at else f", next try {iso(next_try_at)}"


def summarize(report: dict[str, Any]) -> str:
    """Returns a report in lines for people: the figures of stats.outbox(), with those of stats.broker() as "broker"."""
    since = f", since {iso(report['oldest_at'])}" if report["oldest_at"] else ""
    late = f"late: {span(report['late_seconds'])}" if report["late"] else "not late"
    lines = {
        "waiting": f"{report['waiting']:,} ({report['failing']:,} failing, {report['due']:,} due now)",
        "oldest": f"{span(report['oldest_seconds'])}{since}",
        "mail is": late,
        "given up": f"{report['given_up']:,}",
        "came back": f"{report['bounced']:,}",
        "handed over": f"{report['sent_last_hour']:,} in the last hour",
        "events": f"{report['events_waiting']:,} waiting",
        "webhooks": f"{report['webhooks_waiting']:,} waiting",
        "suppressed": number_of(report["suppressed_addresses"], "address", "addresses"),
    }
    if report["broker"] is not None:
        lines["broker"] = at_the_broker(**report["broker"])
    text = [f"{name:<12} {value}" for name, value in lines.items()]
    text += ["Failing with:"] if report["answers"] else []
    return "\n".join([*text, *(f"{row['mails']:>8,}  {row['answer']}" for row in report["answers"])])


def at_the_broker(*, ready: int = 0, dead: int = 0, error: str = "") -> str:
    """Returns how many mails and dead letters the broker has, in words; if there is an `error`, why it is away."""
    if error:
        return f"away: {error}. Mail stays in the database until it is back."
    return f"{ready:,} ready, {number_of(dead, 'dead letter', 'dead letters')}"


def span(seconds: float) -> str:
    """Returns a time in seconds as "0:05:00" or "2 days, 3:00:00"."""
    return str(timedelta(seconds=round(seconds)))
