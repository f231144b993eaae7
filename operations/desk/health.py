"""How the site runs, in a few lines on the desk's home; it asks no other host."""

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from functools import cache

from django.conf import settings
from django.core.mail import mailers
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kit.list_filter import capped_in_words
from kit.times import lasting
from operations.desk import places
from operations.desk.numbers import Numbers
from operations.doctor import last_run
from outbox.mail import lateness
from outbox.mail.smtp import SmtpBackend


@dataclass(frozen=True)
class Health:
    """What there is to say, by what it is about; and when `doctor` has last looked, if that was within a day."""

    facts: list[tuple[str, str]]
    checked_at: datetime | None


def health(request: HttpRequest, numbers: Numbers) -> Health | None:
    """Returns how the site runs; None for whoever may not see the outgoing mail."""
    if not places.MAIL.is_open_to(request):
        return None
    facts = [(_("Mail"), mail(numbers["mails_waiting"])), (_("Sender"), sender()), (_("Version"), version())]
    run = last_run.recall()
    return Health([fact for fact in facts if fact[1]], run.at if run else None)


def mail(waiting: int) -> str:
    """Returns how soon mail leaves, and how much of it waits."""
    span = lasting(max(lateness.last_measured(), timedelta(minutes=1)))
    leaves = _("Leaves within %(span)s.") % {"span": span}
    said = ngettext("%(count)s mail waits.", "%(count)s mails wait.", waiting) if waiting else _("None waits.")
    waits = said % {"count": capped_in_words(waiting)}
    return f"{leaves} {waits}"


def sender() -> str:
    """Returns the address that mail comes from, and the mail server that it is handed to."""
    backend, address = mailers["delivery"], parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    if isinstance(backend, SmtpBackend):
        return _("%(address)s, through %(server)s") % {"address": address, "server": f"{backend.host}:{backend.port}"}
    return _("Mail is written into a folder of this machine. It reaches nobody else.")


@cache
def version() -> str:
    """Returns the version of this program, as its pyproject.toml says; "" if that file is not there."""
    try:
        return str(tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"])
    except (OSError, KeyError):
        return ""
