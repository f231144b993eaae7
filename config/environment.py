"""Settings read from the environment.

Whatever is missing or wrong raises SystemExit: it ends the process with one line that names the variable.
"""

import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from operator import itemgetter
from pathlib import Path
from typing import Any, ClassVar, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

import environ
from django.conf.locale import LANG_INFO
from django.utils.translation import get_language_info, to_locale

from config import secret_files
from kit import own_fields, spans
from kit.hash_filter import HashFilter, Unusable
from kit.own_fields import OwnField


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

# What PROFILE_FIELDS may call no field: exports and lists of people have columns of these names.
RESERVED_FIELDS = frozenset(
    "id username email password state staff superuser groups group signs_in_with sessions joined seen settings note "
    "language next lifetime expires token terms profile".split()
)

SMTP_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


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


def site_url(*, debug: str) -> SplitResult:
    """Returns SITE_URL, the one public address of the site from which every link is built.

    If it is missing and DEBUG is on, `debug` takes its place. Raises SystemExit if it is missing and DEBUG is off, or
    if it is not just scheme, host and port.
    """
    return origin("SITE_URL", required("SITE_URL", debug=debug), "https://example.com")


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


def profile_fields() -> list[OwnField]:
    """Returns PROFILE_FIELDS, what is asked about people, as in "name,job:optional,phone:optional:tel".

    Raises SystemExit if it can't be read.
    """
    try:
        fields = own_fields.parse(env.str("PROFILE_FIELDS", default=""), RESERVED_FIELDS)
        strange = next((field for field in fields if field.name == "name" and field.kind != "text"), None)
        if strange:
            raise ValueError("'name' is the name of the account, and takes text.")  # noqa: TRY301 said as the others
    except ValueError as error:
        refuse(f"PROFILE_FIELDS can't be read: {error}")
    return fields


def terms_version(url: str) -> str:
    """Returns TERMS_VERSION, a short name of the terms at `url` (TERMS_URL), or "" if nobody is asked to agree.

    Raises SystemExit if it is malformed, or if there is no such URL.
    """
    version: str = env.str("TERMS_VERSION", default="")
    if version and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", version):
        refuse("TERMS_VERSION must be up to 40 letters, digits, dots, hyphens and underscores, like 2026-11-01.")
    if version and not url:
        refuse("TERMS_VERSION needs TERMS_URL: people must be able to read what they agree to.")
    return version


def terms_changes(version: str) -> str:
    """Returns TERMS_CHANGES, the name of a template, or "". Raises SystemExit if there is no `version` of the terms."""
    name: str = env.str("TERMS_CHANGES", default="")
    if name and not version:
        refuse("TERMS_CHANGES needs TERMS_VERSION: without it nobody is asked to agree.")
    return name


def folders(name: str) -> list[Path]:
    """Returns a variable that is paths of folders with commas between them. Raises SystemExit if one is no folder."""
    typed: list[str] = [text.strip() for text in read(env.list, name, default=[])]
    for path in typed:
        if not Path(path).is_dir():
            refuse(f"{name}: there is no folder {path!r}.")
    return [Path(path) for path in typed]


def catalogues(name: str) -> list[Path]:
    """Returns a variable that is paths of folders with compiled catalogues, with commas between them.

    Raises SystemExit if one is no folder, or has no LANGUAGE/LC_MESSAGES/django.mo.
    """
    found = folders(name)
    for folder in found:
        if not any(folder.glob("*/LC_MESSAGES/django.mo")):
            refuse(f"{name}: there is no LANGUAGE/LC_MESSAGES/django.mo in {str(folder)!r}. Compile it with msgfmt.")
    return found


def extra_apps() -> dict[str, Path]:
    """Returns EXTRA_APPS: the names of Django apps and their folders. Raises SystemExit if one can't be imported."""
    found = {}
    for name in filter(None, (text.strip() for text in read(env.list, "EXTRA_APPS", default=[]))):
        try:
            spec = find_spec(name)
        except (ImportError, ValueError):  # a package around it is missing, or it has an odd name
            spec = None
        if spec is None or not spec.submodule_search_locations:
            refuse(f"EXTRA_APPS: there is no package {name!r} on the Python path. Name its folder in PYTHONPATH.")
        found[name] = Path(next(iter(spec.submodule_search_locations)))
    return found


def in_url(host: str) -> str:
    """Returns a host as URLs, the Host header and ALLOWED_HOSTS write it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def in_address(host: str) -> str:
    """Returns a host as mail addresses write it after the @: an IP address in brackets (RFC 5321 §4.1.3)."""
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if host.replace(".", "").isdigit() else host


def google_secret(client_id: str) -> str:
    """Returns GOOGLE_CLIENT_SECRET, perhaps "". Raises SystemExit if only one of it and `client_id` is set."""
    secret: str = env.str("GOOGLE_CLIENT_SECRET", default="")
    if bool(secret) != bool(client_id):
        refuse("GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET come together: set both, or neither.")
    return secret


def google_base_url() -> str:
    """Returns GOOGLE_BASE_URL, the origin of a stand-in for Google, or "" for Google itself.

    Raises SystemExit if it is no origin, or if it is http on another machine.
    """
    typed: str = env.str("GOOGLE_BASE_URL", default="")
    if not typed:
        return ""
    url = origin("GOOGLE_BASE_URL", typed, "https://google.example")
    if url.scheme == "http" and url.hostname not in THIS_MACHINE:
        refuse("GOOGLE_BASE_URL must be https: its answers say who signs in.")
    return url.geturl()


def google_endpoints(base: str) -> dict[str, str]:
    """Returns allauth's settings for the stand-in at the origin `base`, with Google's own paths; {} if `base` is ""."""
    paths = {"AUTHORIZE_URL": "/o/oauth2/v2/auth", "ACCESS_TOKEN_URL": "/token"}
    return {name: base + path for name, path in paths.items()} if base else {}


def database(*, debug: str) -> dict[str, Any]:
    """Returns the DATABASES entry for DATABASE_URL, or for `debug` if that is missing and DEBUG is on.

    Raises SystemExit if it is missing and DEBUG is off, or if it is malformed.
    """
    url = required("DATABASE_URL", debug=debug)
    address("DATABASE_URL", url, {"postgres", "postgresql"}, "postgres://user:password@host:5432/name")
    return dict(env.db_url_config(url))


def security_contact() -> list[str]:
    """Returns SECURITY_CONTACT, the URLs where vulnerabilities can be reported; [] without one.

    Raises SystemExit if one of them is neither mailto:, https: nor tel: (RFC 9116 §2.5.3).
    """
    typed: list[str] = [text.strip() for text in read(env.list, "SECURITY_CONTACT", default=[])]
    if all(re.fullmatch(r"(mailto:[^\s@]+@[^\s@]+|https://\S+|tel:[+\d-]+)", url) for url in typed):
        return typed
    return refuse("SECURITY_CONTACT must look like mailto:security@example.com or https://example.com/security.")


def redis(*, debug: str) -> str:
    """Returns REDIS_URL, or `debug` if it is missing while DEBUG is on, or for a command that does not use Redis.

    Raises SystemExit if it is missing otherwise, or if it is malformed.
    """
    url = required("REDIS_URL", debug=debug) or debug
    address("REDIS_URL", url, {"redis", "rediss", "unix"}, "redis://:password@host:6379/0")
    return url


def amqp() -> str:
    """Returns AMQP_URL, or "" if mail leaves without a broker. Raises SystemExit if it is malformed."""
    url: str = env.str("AMQP_URL", default="")
    if url:
        address("AMQP_URL", url, {"amqp", "amqps"}, "amqp://user:password@host:5672/vhost")
    return url


def webhook_networks() -> list[IPv4Network | IPv6Network]:
    """Returns the private networks, from WEBHOOKS_ALLOWED_NETWORKS, in which webhooks may be called.

    Raises SystemExit if one of them is no network.
    """
    typed: list[str] = read(env.list, "WEBHOOKS_ALLOWED_NETWORKS", default=[])
    try:
        return [ip_network(text.strip()) for text in typed]
    except ValueError:  # also for 10.0.0.1/8: its host part would be ignored, and that may not be meant
        refuse("WEBHOOKS_ALLOWED_NETWORKS must be networks with commas between them, like 10.0.0.0/8,fd00::/8.")


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


def breaches_file() -> str:
    """Returns PASSWORD_BREACHES_FILE, the path of a filter of leaked passwords, or "".

    Raises SystemExit if the file can't be read, or is not a whole filter.
    """
    path: str = env.str("PASSWORD_BREACHES_FILE", default="")
    try:
        if path:
            HashFilter(path)
    except OSError as error:
        refuse(f"PASSWORD_BREACHES_FILE can't be read: {error.strerror}: {path}")
    except Unusable as error:
        refuse(f"PASSWORD_BREACHES_FILE {error}: {path}. Make it again with build_breach_filter.")
    return path


def languages(folders: Sequence[Path]) -> list[tuple[str, str]]:
    """Returns the languages of the site: each as its code and its own name for itself, the site's default first.

    They are those of LANGUAGES, or else all that have a catalogue in one of `folders`, English before the others.
    Raises SystemExit if LANGUAGES names none, one twice, or one that has no catalogue or is unknown to Django.
    """
    there = ["en", *(code for code in LANG_INFO if code != "en" and has_catalogue(code, folders))]
    typed: list[str] = [text.strip().lower().replace("_", "-") for text in read(env.list, "LANGUAGES", default=[])]
    if "LANGUAGES" not in env.ENVIRON:
        others = [(code, own_name(code)) for code in there[1:]]
        return [("en", own_name("en")), *sorted(others, key=itemgetter(1))]
    codes = [code for code in typed if code]
    if not codes:
        refuse("LANGUAGES must name one language or more, with commas between them, like en,de.")
    for code in codes:
        if code not in there:
            why = "has no catalogue" if code in LANG_INFO else "is no code of a language that Django knows"
            refuse(f"LANGUAGES names {code!r}, which {why}. There are catalogues for {', '.join(sorted(there))}.")
    if len(set(codes)) < len(codes):
        refuse("LANGUAGES names a language twice.")
    return [(code, own_name(code)) for code in codes]


def has_catalogue(code: str, folders: Sequence[Path]) -> bool:
    """Returns whether one of these folders has a compiled catalogue of a language."""
    return any((folder / to_locale(code) / "LC_MESSAGES" / "django.mo").exists() for folder in folders)


def own_name(code: str) -> str:
    """Returns what a language that Django knows calls itself, with a capital letter: "Español"."""
    name: str = get_language_info(code)["name_local"]
    return name[:1].upper() + name[1:]


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


def refuse(line: str) -> NoReturn:
    """Raises SystemExit, which ends the process with status 1 and this line on stderr."""
    sys.exit(line)
