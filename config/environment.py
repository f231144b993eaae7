"""Reading the environment: what is missing or wrong stops the start with one line that names it."""

import re
import sys
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

import environ

env = environ.Env()

THIS_MACHINE = ["localhost", "127.0.0.1", "::1"]
SMTP_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


def read(kind: Callable[..., Any], name: str, default: Any) -> Any:
    """A variable as text, number, flag or list: `read(env.int, "TRUSTED_PROXY_COUNT", 0)`."""
    try:
        return kind(name, default=default)
    except (ValueError, environ.ImproperlyConfigured):
        refuse(f"{name} must be {kind.__name__}, not {env.str(name)!r}.")


def number(name: str, default: int, *, least: int) -> int:
    value: int = read(env.int, name, default)
    return value if value >= least else refuse(f"{name} must be {least} or more.")


def address(name: str, value: str, schemes: set[str], example: str) -> SplitResult:
    """A URL that can be what it is for, or the end of the start."""
    try:
        url = urlsplit(value)
        good = url.scheme in schemes and (url.port is None or url.port > 0)
    except ValueError:  # a port or a bracket that is none
        good = False
    return url if good else refuse(f"{name} must look like {example}.")


def one_of(name: str, *choices: str) -> str:
    """One of a few words; the first is the default."""
    value = env.str(name, default=choices[0])
    return value if value in choices else refuse(f"{name} must be {' or '.join(choices)}.")


def required(name: str, *, debug: str) -> str:
    """What only DEBUG may leave out."""
    value: str = env.str(name, default="")
    if not value and not read(env.bool, "DEBUG", default=False):
        refuse(f"{name} is missing. Set it in the environment, or set DEBUG=1 on your own machine.")
    return value or debug


def secret_key(*, debug: str) -> str:
    return strong("SECRET_KEY", required("SECRET_KEY", debug=debug))


def strong(name: str, key: str) -> str:
    if len(key) < 50 or len(set(key)) < 5:  # as weak as Django's check security.W009 says
        refuse(f"{name} is weak. Use at least 50 random characters.")
    return key


def site_url(*, debug: str) -> SplitResult:
    """The one public address of the site, from which every link is built."""
    return origin("SITE_URL", required("SITE_URL", debug=debug), "https://example.com")


def origin(name: str, value: str, example: str) -> SplitResult:
    """A scheme, a host and perhaps a port."""
    example = f"{example}, with nothing before or after the host"
    url = address(name, value.rstrip("/"), {"http", "https"}, example)
    if not url.hostname or url.username is not None or url.path or url.query or url.fragment:
        refuse(f"{name} must look like {example}.")
    return url


def encryption_keys(*signing: str) -> list[str]:
    """ENCRYPTION_KEY and those it replaced; without one, the keys that sign."""
    key, replaced = env.str("ENCRYPTION_KEY", default=""), read(env.list, "ENCRYPTION_KEY_FALLBACKS", default=[])
    # What one kind of key has encrypted can still be read after a change to the other.
    return [strong("ENCRYPTION_KEY", key), *replaced, *signing] if key else [*signing, *replaced]


def google_secret(client_id: str) -> str:
    secret: str = env.str("GOOGLE_CLIENT_SECRET", default="")
    if bool(secret) != bool(client_id):
        refuse("GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET come together: set both, or neither.")
    return secret


def google_base_url() -> str:
    """The address of a stand-in for Google, or ""."""
    typed: str = env.str("GOOGLE_BASE_URL", default="")
    if not typed:
        return ""
    url = origin("GOOGLE_BASE_URL", typed, "https://google.example")
    if url.scheme == "http" and url.hostname not in THIS_MACHINE:
        refuse("GOOGLE_BASE_URL must be https: its answers say who signs in.")
    return url.geturl()


def google_endpoints(base: str) -> dict[str, str]:
    """Where allauth finds the stand-in, at the paths that Google has; nothing for Google itself."""
    paths = {"AUTHORIZE_URL": "/o/oauth2/v2/auth", "ACCESS_TOKEN_URL": "/token"}
    return {name: base + path for name, path in paths.items()} if base else {}


def database(*, debug: str) -> dict[str, Any]:
    url = required("DATABASE_URL", debug=debug)
    address("DATABASE_URL", url, {"postgres", "postgresql"}, "postgres://user:password@host:5432/name")
    return dict(env.db_url_config(url))


def redis(*, debug: str) -> str:
    url = required("REDIS_URL", debug=debug)
    address("REDIS_URL", url, {"redis", "rediss", "unix"}, "redis://:password@host:6379/0")
    return url


def amqp() -> str:
    """The broker's address, or "" where mail goes without one."""
    url: str = env.str("AMQP_URL", default="")
    if url:
        address("AMQP_URL", url, {"amqp", "amqps"}, "amqp://user:password@host:5672/vhost")
    return url


def webhook_networks() -> list[IPv4Network | IPv6Network]:
    """Where webhooks may be called beside public addresses."""
    typed: list[str] = read(env.list, "WEBHOOKS_ALLOWED_NETWORKS", default=[])
    try:
        return [ip_network(text.strip()) for text in typed]
    except ValueError:  # also an address within, which would say less than it seems to
        refuse("WEBHOOKS_ALLOWED_NETWORKS must be networks with commas between them, like 10.0.0.0/8,fd00::/8.")


def bounce_address() -> str:
    """What VERP adds an id to, or ""."""
    typed: str = env.str("BOUNCE_ADDRESS", default="")
    if typed and not re.fullmatch(r"[A-Za-z0-9._-]{1,20}@[A-Za-z0-9.-]+", typed):
        refuse("BOUNCE_ADDRESS must look like bounces@example.com, with 20 characters or less before the @ and no +.")
    return typed


def delivery() -> dict[str, Any]:
    """The MAILERS entry for EMAIL_URL: smtp://, smtp+tls:// or smtp+ssl://user:password@host:port, or eml:///folder."""
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
    sys.exit(line)
