"""Logging: one line per event on stdout, without secrets."""

import logging
import re
import time
from contextvars import ContextVar
from typing import Any

from config.environment.variables import one_of

# The reference of the request, for the visitor to quote: it stands on the 500 page, in X-Request-Id and in each line.
reference: ContextVar[str] = ContextVar("reference", default="-")

# A token is as good as a password until it is used, and the key of a session while that lasts. URLs reach the logs in
# many ways, whole or damaged, so both are known by their shape, too, whatever stands around them.
SECRET = re.compile(
    r"""(?i:((?:token|code|state|session|secret|verifier|hint)(?:=|:|%(?:25){0,3}3[da])))[^&\s"'>\\]+  # a field
    | (?:Ij|\.eJ)[\w.%=-]{20,}  # a token begins so: the id in JSON, perhaps compressed, in Base64
    | [\w-]{20,46}(?:\.|%(?:25){0,3}2[eE])[\w-]{27,}  # the rest of one that has lost its beginning
    | (?![0-9a-fA-F]{32})(?:[a-z0-9]{32,}|[A-Z0-9]{32,})  # the key of a session; ids and hashes are hex digits alone
    | (?<![A-Za-z0-9])(?![0-9a-fA-F]{32})(?=[A-Z0-9]{0,40}[a-z])(?=[a-z0-9]{0,40}[A-Z])(?=[A-Za-z]{0,40}[0-9])
      [A-Za-z0-9]{30,}[\w.%=-]*  # a code or secret of an app; its id is shorter
    | [\w-]{80,}  # an access token
    """,
    re.ASCII | re.VERBOSE,
)
# What gunicorn refuses it quotes: a header with its cookies, or what it takes for the first line of a request, which
# may be the rest of a form with a password.
QUOTED = re.compile(r"(Invalid request from ip=\S*: [^:'\"]*|Error handling request [^?\n]*\?).*")


class LineFormatter(logging.Formatter):
    """A formatter that writes each record as one line.

    A traceback's line ends become \\n, control characters are escaped, and "…" replaces secrets: tokens, keys of
    sessions, and what gunicorn quotes of a request that it refuses.
    """

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        record.reference = reference.get()
        return one_line(without_secrets(super().format(record)))


def without_secrets(text: str) -> str:
    """Returns `text` with "…" in place of everything that has the shape of a secret."""
    return SECRET.sub(r"\1…", QUOTED.sub(r"\1…", text))


def one_line(text: str) -> str:
    """Returns `text` with every unprintable character escaped: it could forge a second line or drive a terminal."""
    if text.isprintable():  # nearly every text is, and the loop below is slow
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def is_fault(record: logging.LogRecord) -> bool:
    """Returns whether this record of Django's is of a fault: a 503 without an exception only says that we are busy."""
    return bool(record.exc_info) or getattr(record, "status_code", None) != 503


LEVEL = one_of("LOG_LEVEL", "INFO", "WARNING", "ERROR")  # what is below it, nobody writes

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.logs.LineFormatter",
            "fmt": "{asctime}.{msecs:03.0f}Z {levelname} {name} {reference} {message}",
            "datefmt": "%Y-%m-%dT%H:%M:%S",
            "style": "{",
        },
    },
    "filters": {"faults": {"()": "django.utils.log.CallbackFilter", "callback": is_fault}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
    "root": {"handlers": ["stdout"], "level": LEVEL},
    "loggers": {
        # config.edge.middleware.log_requests writes the line of each request; Django's own would be a second one.
        "django.request": {"level": "ERROR", "filters": ["faults"]},
        "django.security.csrf": {"level": "ERROR"},
        # What a stranger can cause is no error of ours: the line of the request says why it was refused.
        "django.security": {"level": "CRITICAL"},
        "django.server": {"handlers": ["stdout"], "level": "ERROR", "propagate": False},
        # kit.worker_loop writes one line when the broker is away; pika would write ten and a traceback.
        "pika": {"level": "CRITICAL"},
        "gunicorn.error": {"handlers": ["stdout"], "level": LEVEL, "propagate": False},
        "gunicorn.access": {"handlers": [], "propagate": False},
    },
}
