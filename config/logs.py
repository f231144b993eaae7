"""Logs go to stdout, one line per event, and no secret with them."""

import logging
import re
import time
from contextvars import ContextVar
from typing import Any

# The reference a visitor can quote: on the 500 page, in the X-Request-Id header and on each line of that request.
reference: ContextVar[str] = ContextVar("reference", default="-")

# A token is as good as a password until it is used, and URLs reach logs by many ways.
SECRET = re.compile(r"(token(?:=|%3D))[^&\s\"'>\\]+", re.IGNORECASE)


class LineFormatter(logging.Formatter):
    """One line per record: a traceback's line ends become \\n, control characters are escaped, tokens are scrubbed."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        record.reference = reference.get()
        return one_line(SECRET.sub(r"\1…", super().format(record)))


def one_line(text: str) -> str:
    """Escapes what could forge a second line or drive a terminal."""
    if text.isprintable():  # nearly always
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
        # config.edge.middleware.log_requests writes the line of each request; Django's would be a second one.
        "django.request": {"level": "ERROR"},
        "django.security.csrf": {"level": "ERROR"},
        "django.server": {"handlers": ["stdout"], "level": "ERROR", "propagate": False},
        # A broker that is away is one line of ours (kit.worker_loop), not ten and a traceback.
        "pika": {"level": "CRITICAL"},
        "gunicorn.error": {"handlers": ["stdout"], "level": "INFO", "propagate": False},
        "gunicorn.access": {"handlers": [], "propagate": False},
    },
}
