"""Readers of variables. A value that is missing or wrong raises SystemExit, with one line that names the variable."""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, NoReturn
from urllib.parse import SplitResult, urlsplit

import environ

from config import secret_files
from kit import spans


class Env(environ.Env):
    """django-environ's reader, which remembers what it was asked for: config/reference.py prints that."""

    defaults: ClassVar[dict[str, Any]] = {}

    def get_value(self, var: str, *args: Any, **options: Any) -> Any:
        """Returns a variable as environ.Env does, and notes the default with which it was asked for."""
        self.defaults[var] = options.get("default")
        return super().get_value(var, *args, **options)


env = Env()
# A copy, so that no secret from a file gets into the environment of another process. django-environ would take a value
# that begins with "$" for the name of another variable, if the sign were not escaped.
_given = os.environ | secret_files.contents(os.environ)
env.ENVIRON = {name: value.replace("$", r"\$") for name, value in _given.items()}
env.escape_proxy = True

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")  # as urlsplit() names hosts; the same stands in embedded/local.py

# The commands that do without a setting which all other processes must have.
SPARED = {
    "migrate": ("SECRET_KEY", "REDIS_URL"),
    "relay_mail": ("SECRET_KEY", "REDIS_URL"),
    "deliver_webhooks": ("SECRET_KEY", "REDIS_URL"),  # it decrypts, which takes ENCRYPTION_KEY
    "deliver_mail": ("REDIS_URL",),
}


def read(kind: Callable[..., Any], name: str, default: Any) -> Any:
    """Returns a variable, parsed by `kind`: `read(env.int, "TRUSTED_PROXY_COUNT", 0)`; `default` if it is not set.

    Raises SystemExit if the value cannot be parsed.
    """
    try:
        return kind(name, default=default)
    except (ValueError, environ.ImproperlyConfigured):
        refuse(f"{name} must be {kind.__name__}, not {env.str(name)!r}.")


def number(name: str, default: int, *, least: int, most: int | None = None) -> int:
    """Returns an integer variable, or `default`.

    Raises SystemExit if it is no integer, below `least`, or above `most`, if that is given.
    """
    value: int = read(env.int, name, default)
    if most is not None and not least <= value <= most:
        refuse(f"{name} must be from {least} to {most}.")
    return value if value >= least else refuse(f"{name} must be {least} or more.")


def span(name: str, default: str, *, least: timedelta, most: timedelta) -> timedelta:
    """Returns a variable that is a length of time, like "36h", "7 days" or "7", which are days; or `default`.

    Raises SystemExit for any other value, and for one below `least` or above `most`.
    """
    value: str = env.str(name, default=default)
    try:
        length = spans.read(value)
    except ValueError:
        refuse(f"{name} must be a length of time like 36h, 10 days or 2 weeks, not {value!r}.")
    if least <= length <= most:
        return length
    return refuse(f"{name} must be from {spans.write(least)} to {spans.write(most)}, not {value!r}.")


def one_of(name: str, *choices: str) -> str:
    """Returns a variable that must be one of `choices`; the first is the default. Raises SystemExit for any other."""
    value = env.str(name, default=choices[0])
    return value if value in choices else refuse(f"{name} must be {' or '.join(choices)}.")


def required(name: str, *, debug: str) -> str:
    """Returns a variable, or `debug` if it is missing while DEBUG is on; "" for a command that does without it.

    Raises SystemExit if it is missing otherwise.
    """
    value: str = env.str(name, default="")
    if value:
        return value
    if read(env.bool, "DEBUG", default=False):
        return debug
    if name in SPARED.get(command(), ()):
        return ""
    return refuse(f"{name} is missing. Set it in the environment, or set DEBUG=1 on your own machine.")


def command() -> str:
    """Returns the command of manage.py that this process runs, or "" for any other process, such as a web server."""
    return sys.argv[1] if Path(sys.argv[0]).name == "manage.py" and len(sys.argv) > 1 else ""


def address(name: str, value: str, schemes: set[str], example: str) -> SplitResult:
    """Returns `value`, the URL in variable `name`, in its parts.

    Raises SystemExit, with `example` in its line, if the scheme is not among `schemes` or if host or port are
    malformed.
    """
    try:
        url = urlsplit(value)
        good = url.scheme in schemes and (url.port is None or url.port > 0)
    except ValueError:  # a port that is no number, or an unbalanced bracket
        good = False
    return url if good else refuse(f"{name} must look like {example}.")


def origin(name: str, value: str, example: str) -> SplitResult:
    """Returns a URL that is just a scheme (http or https), a host and perhaps a port.

    Raises SystemExit for any other `value` of variable `name`; its line shows `example`.
    """
    example = f"{example}, with nothing before or after the host"
    url = address(name, value.rstrip("/"), {"http", "https"}, example)
    if not url.hostname or url.username is not None or url.path or url.query or url.fragment:
        refuse(f"{name} must look like {example}.")
    return url


def web_address(name: str, example: str, *, path: bool = False) -> str:
    """Returns a variable that is the address of a page or a picture, with the scheme of `example`; "" if it is not set.

    http:// will do if `example` begins so. With `path`, so will a path of this site, like /start. Raises SystemExit for
    anything else, and for an address that names a user.
    """
    value: str = env.str(name, default="")
    if not value or (path and value.startswith("/") and not value.startswith("//") and value.isprintable()):
        return value
    schemes = {"http", "https"} if example.startswith("http:") else {"https"}
    url = address(name, value, schemes, example)
    if not url.hostname or url.username is not None or not value.isprintable() or " " in value:
        refuse(f"{name} must look like {example}.")
    return value


def folders(name: str) -> list[Path]:
    """Returns a variable that is paths of folders with commas between them. Raises SystemExit if one is no folder."""
    typed: list[str] = [text.strip() for text in read(env.list, name, default=[])]
    for path in typed:
        if not Path(path).is_dir():
            refuse(f"{name}: there is no folder {path!r}.")
    return [Path(path) for path in typed]


def refuse(line: str) -> NoReturn:
    """Raises SystemExit, which ends the process with status 1 and this line on stderr."""
    sys.exit(line)
