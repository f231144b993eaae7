"""Who writes the mail, how it leaves, and where it returns."""

import re
from typing import Any
from urllib.parse import unquote

from config.environment.variables import address, env, refuse

SMTP_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


def from_name() -> str:
    """Returns MAIL_FROM_NAME, or "". Raises SystemExit if it names anything else than %(inviter)s and %(site)s."""
    name: str = env.str("MAIL_FROM_NAME", default="")
    try:
        _ = name % {"inviter": "", "site": ""}
    except (KeyError, TypeError, ValueError):
        refuse(f"MAIL_FROM_NAME must look like %(inviter)s via %(site)s, not {name!r}.")
    return name


def bounce_address() -> str:
    """Returns BOUNCE_ADDRESS, to which VERP adds an id, or "". Raises SystemExit if it is malformed."""
    typed: str = env.str("BOUNCE_ADDRESS", default="")
    if typed and not re.fullmatch(r"[A-Za-z0-9._-]{1,20}@[A-Za-z0-9.-]+", typed):
        refuse("BOUNCE_ADDRESS must look like bounces@example.com, with 20 characters or less before the @ and no +.")
    return typed


def delivery() -> dict[str, Any]:
    """Returns the MAILERS entry for EMAIL_URL, by default smtp://localhost:25. Raises SystemExit if it is malformed.

    EMAIL_URL is smtp://, smtp+tls:// or smtp+ssl://user:password@host:port, or eml:///folder, for mail into files.
    """
    typed = env.str("EMAIL_URL", default="smtp://localhost:25")
    url = address("EMAIL_URL", typed, {"eml", *SMTP_PORTS}, "smtp+tls://user:password@host:587 or eml:///folder")
    if url.scheme == "eml":
        return {"BACKEND": "outbox.mail.backends.EmlBackend", "OPTIONS": {"file_path": url.path}}
    options = {
        "host": url.hostname or "localhost",
        "port": url.port or SMTP_PORTS[url.scheme],
        "username": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "use_tls": url.scheme == "smtp+tls",
        "use_ssl": url.scheme == "smtp+ssl",
        "timeout": 10,  # seconds
    }
    return {"BACKEND": "outbox.mail.smtp.SmtpBackend", "OPTIONS": options}
