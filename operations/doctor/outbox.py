"""Checks of whether mail and webhooks leave: the mail server, the broker, the queue, the webhooks."""

import smtplib
import ssl
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.mail import mailers
from django.utils import timezone

from kit.findings import Finding, failure, ok, one_line, warning
from outbox.mail import lateness
from outbox.mail.smtp import SmtpBackend, reply
from outbox.models import OutboxMessage, Webhook, WebhookDelivery

HANDSHAKE = 10.0  # seconds for greeting, EHLO, STARTTLS and AUTH together
GIVEN_UP_LATELY = timedelta(days=1)
COUNTED = 1000  # mails; no more are counted
UNTOLD = timedelta(minutes=5)  # an event that is due for longer is late


def server() -> Finding:
    """Returns the finding on whether the mail server accepts us: a failure if not. It sends no mail.

    It connects, greets, and signs in if there is a password. Where mail goes into files, see folder().
    """
    backend = mailers["delivery"]
    if not isinstance(backend, SmtpBackend):
        return folder(Path(getattr(backend, "file_path", "")))
    where = f"{backend.host}:{backend.port}"
    try:
        greet(backend)
    except OSError as error:
        backend.abandon()
        return failure(f"The mail server {where} does not accept us: {refusal(error)}", advice(error))
    how = [name for name, used in (("TLS", backend.use_tls or backend.use_ssl), ("AUTH", backend.username)) if used]
    return ok(f"{where} accepts us{', with ' + ' and '.join(how) if how else ''}.")


def greet(backend: SmtpBackend) -> None:
    """Opens and closes a connection to the mail server.

    Raises OSError, of which smtplib's errors are a kind, if that fails; the caller must then abandon() the connection.
    """
    backend.until = time.monotonic() + HANDSHAKE
    backend.open()
    backend.connection.ehlo_or_helo_if_needed()
    backend.close()


def refusal(error: OSError) -> str:
    """Returns in words why the mail server did not accept us."""
    return reply(error)[1] if isinstance(error, smtplib.SMTPException) else one_line(error)


def advice(error: OSError) -> str:
    """Returns what to do about an error of the mail server."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "Correct the user and the password in EMAIL_URL. Mail waits meanwhile."
    if isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return "Compare its certificate and its port with EMAIL_URL: smtp+tls is 587, smtp+ssl 465, smtp 25."
    return "See that it runs, that EMAIL_URL names it, and that no firewall is in between. Mail waits meanwhile."


def folder(path: Path) -> Finding:
    """Returns a finding on mail that goes into files: a warning unless the site is on this machine."""
    if settings.SITE_HOST in settings.THIS_MACHINE:
        return ok(f"Mail is written into {path}.")
    return warning(f"Mail is written into {path}, and reaches nobody.", "Set EMAIL_URL to a mail server.")


def broker() -> Finding | None:
    """Returns the finding on the broker: a failure if it is away, a warning if it has dead letters.

    Returns None if the site has no broker.
    """
    if not settings.AMQP_URL:
        return None
    from outbox.broker import amqp  # noqa: PLC0415 only a site with a broker needs its library

    try:
        depths = amqp.depths()
    except SystemExit as error:  # AMQP_URL cannot be parsed
        return failure(str(error), "Correct AMQP_URL.")
    except amqp.Away as error:
        said = f"The broker does not accept us: {type(error).__name__}: {one_line(error)}"
        return failure(said, "See that RabbitMQ runs and that AMQP_URL names it. Mail waits in the database meanwhile.")
    if depths["dead"]:
        look = "See “dead letter” in docs/many-machines.md, then purge frontdoor.mail.dead."
        return warning(f"The broker answers, and holds {depths['dead']:,} dead letters.", look)
    return ok(f"The broker answers; {depths['ready']:,} mails are with it.")


def queue() -> Finding:
    """Returns the finding on whether mail leaves in time: a failure if it is later than lateness.LATE_AFTER.

    Raises DatabaseError or InterfaceError if the database fails.
    """
    late, waiting = lateness.measure(), OutboxMessage.objects.waiting().order_by("next_try_at")[:COUNTED].count()
    if late > lateness.LATE_AFTER:
        many = f"{COUNTED:,} mails or more wait" if waiting == COUNTED else f"{waiting:,} mails wait"
        workers = "deliver_mail and relay_mail" if settings.AMQP_URL else "deliver_mail"
        said = f"Mail is late: {many}, the oldest for {timedelta(seconds=round(late.total_seconds()))}."
        return failure(said, f"See that {workers} runs; mail_queue shows what the mail server says.")
    return ok(f"Mail is not late; {'many' if waiting == COUNTED else f'{waiting:,}'} wait.")


def given_up() -> Finding:
    """Returns the finding on mail that was given up within a day: a warning if there is any.

    Raises DatabaseError or InterfaceError if the database fails.
    """
    since = timezone.now() - GIVEN_UP_LATELY
    count = OutboxMessage.objects.filter(given_up_at__gte=since)[:COUNTED].count()
    if not count:
        return ok("No mail was given up within a day.")
    many = f"{count:,} or more" if count == COUNTED else f"{count:,}"
    return warning(f"Mail was given up within a day: {many}.", "Read the answers in the outbox at the desk.")


def webhooks() -> Finding | None:
    """Returns the finding on active webhooks: a warning if an event has waited longer than UNTOLD to be told to one.

    Returns None if there are none. Raises DatabaseError or InterfaceError if the database fails.
    """
    if not Webhook.objects.filter(is_active=True).exists():
        return None
    due = WebhookDelivery.objects.due().filter(webhook__in=Webhook.objects.awake())
    since = due.values_list("next_try_at", flat=True).first()
    if since and timezone.now() - since > UNTOLD:
        minutes = (timezone.now() - since).total_seconds() // 60
        said = f"An event for a webhook has been waiting for {minutes:.0f} minutes."
        return warning(said, "See that manage.py deliver_webhooks runs; run more of them if there are many events.")
    return ok("Webhooks are told of events in time.")
