"""Mails with made-up facts, to see what they look like."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from invites import who_may_join
from kit import times
from outbox import kinds
from outbox.mail.compose import render_parts
from outbox.mail.write import write

# "Other mail" has no template: it is what other code has sent. A test mail is its own sample.
KINDS = frozenset(kinds.WORDS) - {"mail"}

NO_BUTTON = frozenset(
    "access_declined changed_by_staff deleted email_code email_restored not_readdressed power_used prove_other "
    "request_no test_mail".split()
)

NAME, EMAIL, INVITER = "Grace", "grace@example.com", "ada"


def rendered(kind: str, language: str) -> dict[str, Any]:
    """Returns the parts of a mail of one of KINDS, as render_parts() does. Nothing is stored, no link leads on."""
    with translation.override(language):
        mail = write(kind, EMAIL, facts(kind), language=language)
    return render_parts(kind, EMAIL, **mail.parts)


def facts(kind: str) -> dict[str, Any]:
    """Returns what any mail may say, for an imagined person, in the active language."""
    now = timezone.now()
    until, nowhere = times.until(now + timedelta(days=7)), f"{settings.SITE_URL}/#"
    return {
        "url": "" if kind in NO_BUTTON else nowhere,
        "decline_url": nowhere,
        "reset_url": nowhere,
        "settings_url": nowhere,
        "name": NAME,
        "username": NAME.lower(),
        "before": "hopper",
        "email": EMAIL,
        "other": "hopper@example.com",
        "me": "hopper@example.com",
        "new_masked": "h…@example.com",
        "google": "grace@example.org",
        "inviter": INVITER,
        "inviter_email": "ada@example.com",
        "note": _("Glad to have you here!"),
        "by": INVITER,
        "app": "Grafana",
        "groups": "Editors",
        "short": "Editors",
        "device": "Firefox",
        "ip": "203.0.113.7",
        "code": "123 456",
        "left": 7,
        "count": 3,
        "asked": times.on(now - timedelta(days=3)),
        "ask_url": nowhere,
        "oldest": times.brief(now - timedelta(hours=3)),
        "sent": times.on(now - timedelta(days=3)),
        "when": times.on(now),
        "at": times.clock(now),
        "until": until,
        "changes": [_("Groups") + ": Editors"],
        "accepted": [EMAIL],
        "declined": ["hopper@example.com"],
        "back": ["grcae@example.com"],
        "accepted_count": 1,
        "declined_count": 1,
        "back_count": 1,
        "registering": kind == "register",
        "refusal": who_may_join.refusal(EMAIL),
        "replaces": False,
        "heard_again": False,
        "factor_stays": False,
        "ref": "0123456789",
    }
