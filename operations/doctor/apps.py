"""The check of what apps need: keys that sign what they are told, and calls that tell them of sign-outs."""

from datetime import timedelta

from django.utils import timezone

from kit.findings import Finding, ok, warning
from sso import keys
from sso.models import LogoutCall

LATE = timedelta(minutes=5)  # a call that is due for longer
LATELY = timedelta(days=1)
COUNTED = 1000  # calls; no more are counted


def check() -> Finding | None:
    """Returns the finding on apps: a warning if a key that signs can't be read, or else that of sign_outs()."""
    lost = keys.unreadable()
    if not lost:
        return sign_outs()
    said = f"Keys that sign what apps are told can't be decrypted: {lost}. Without another, a new one was made."
    advice = "Add the former key to ENCRYPTION_KEY_FALLBACKS. If it is lost, run manage.py rotate_signing_key: "
    return warning(said, f"{advice}a day later they are gone.")


def sign_outs() -> Finding | None:
    """Returns the finding on calls to apps: a warning if one is late, if an app is not reached, or took none lately.

    Returns None if no app was ever to be told. Raises DatabaseError or InterfaceError if the database fails.
    """
    if not LogoutCall.objects.exists():
        return None
    waiting, now = LogoutCall.objects.waiting(), timezone.now()
    tried = waiting.filter(attempts__gt=0)
    # The calls to an app that is away wait for their turn behind one that is tried now and then.
    late = waiting.exclude(client_id__in=tried.values("client_id")).filter(next_try_at__lt=now - LATE)
    if late.exists():
        return warning("A call that tells an app of a sign-out is late.", "See that manage.py deliver_webhooks runs.")
    if call := tried.order_by("-pk").first():
        said = f"An app that is to hear of sign-outs is not reached: {call.last_answer}"
        return warning(said, "The desk says more on the page of the app; the call is tried again for three days.")
    lost = LogoutCall.objects.filter(given_up_at__gte=now - LATELY)[:COUNTED].count()
    if lost:
        many = f"{COUNTED:,} or more" if lost == COUNTED else f"{lost:,}"
        said = f"Calls that tell apps of sign-outs were given up within a day: {many}."
        return warning(said, "The desk says why on the page of each app.")
    return ok("Apps are told of sign-outs in time.")
