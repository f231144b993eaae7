"""Logging: one line per event on stdout, without secrets."""

import logging
import re
import time
from contextvars import ContextVar
from typing import Any

# The reference of the request, for the visitor to quote: it stands on the 500 page, in X-Request-Id and in each line.
reference: ContextVar[str] = ContextVar("reference", default="-")

# A token is as good as a password until it is used, and URLs reach the logs in many ways.
SECRET = re.compile(r"(token(?:=|%3D))[^&\s\"'>\\]+", re.IGNORECASE)


class LineFormatter(logging.Formatter):
    """A formatter that writes each record as one line.

    A traceback's line ends become \\n, control characters are escaped, and tokens in URLs are replaced by "…".
    """

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        record.reference = reference.get()
        return one_line(SECRET.sub(r"\1…", super().format(record)))


def one_line(text: str) -> str:
    """Returns `text` with every unprintable character escaped: it could forge a second line or drive a terminal."""
    if text.isprintable():  # nearly every text is, and the loop below is slow
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


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
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
    "root": {"handlers": ["stdout"], "level": "INFO"},
    "loggers": {
        # config.edge.middleware.log_requests writes the line of each request; Django's own would be a second one.
        "django.request": {"level": "ERROR"},
        "django.security.csrf": {"level": "ERROR"},
        # What a stranger can cause is no error of ours: the line of the request says why it was refused.
        "django.security": {"level": "CRITICAL"},
        "django.server": {"handlers": ["stdout"], "level": "ERROR", "propagate": False},
        # kit.worker_loop writes one line when the broker is away; pika would write ten and a traceback.
        "pika": {"level": "CRITICAL"},
        "gunicorn.error": {"handlers": ["stdout"], "level": "INFO", "propagate": False},
        "gunicorn.access": {"handlers": [], "propagate": False},
    },
}
