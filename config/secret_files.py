"""Secrets from files: each secret setting NAME may be given as NAME_FILE, the path of a file that holds its value."""

import sys
from collections.abc import Mapping
from pathlib import Path

SECRETS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "ENCRYPTION_KEY",
    "ENCRYPTION_KEY_FALLBACKS",
    "DATABASE_URL",
    "REDIS_URL",
    "AMQP_URL",
    "EMAIL_URL",
    "GOOGLE_CLIENT_SECRET",
)


def contents(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the secrets, by their names, that `environ` gives as files.

    Line ends at the end of a file are not part of its secret. Raises SystemExit, with one line that names the variable,
    if a file cannot be read, is no text in UTF-8 or is empty, and if a secret is given as a value too.
    """
    return {name: _content(name, environ) for name in SECRETS if environ.get(f"{name}_FILE")}


def _content(name: str, environ: Mapping[str, str]) -> str:
    variable, path = f"{name}_FILE", environ[f"{name}_FILE"]
    if environ.get(name):
        sys.exit(f"{name} and {variable} are both set. Set only one of them.")
    try:
        secret = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        sys.exit(f"{variable} names {path}, which cannot be read: {error.strerror}.")
    except ValueError:
        sys.exit(f"{variable} names {path}, which is no text in UTF-8.")
    return secret or sys.exit(f"{variable} names {path}, which is empty.")
