"""The servers that the site uses, and those that it may call."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from config.environment.variables import address, env, read, refuse, required


def database(*, debug: str) -> dict[str, Any]:
    """Returns the DATABASES entry for DATABASE_URL, or for `debug` if that is missing and DEBUG is on.

    Raises SystemExit if it is missing and DEBUG is off, or if it is malformed.
    """
    url = required("DATABASE_URL", debug=debug)
    address("DATABASE_URL", url, {"postgres", "postgresql"}, "postgres://user:password@host:5432/name")
    return dict(env.db_url_config(url))


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
