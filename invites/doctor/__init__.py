"""What is wrong with the site, or with one invitation, in words."""

from accounts.checks import proxies, staff
from invites.doctor import parts, site
from invites.doctor.invitation import explain
from kit.findings import Finding, State, examine, of_database, of_network
from outbox import checks

__all__ = ["examine_site", "explain"]

# Each has one name in text and JSON.
IN_DATABASE = {
    "migrations": of_database(parts.migrations),
    "clock": of_database(parts.clock),
    "queue": of_database(checks.queue),
    "given up": of_database(checks.given_up),
    "webhooks": of_database(checks.webhooks),
    "proxies": of_database(proxies),
    "staff": of_database(staff),
}
ELSEWHERE = {
    "cache": parts.cache,
    "broker": of_network(checks.broker),
    "mail server": of_network(checks.server),
    "SITE_URL": site.address,
    "cookies": site.cookies,
    "DEBUG": site.debug,
}


def examine_site() -> list[Finding]:
    """Asks every part whether it does its work; those who must ask a database only where there is one."""
    database = examine({"database": parts.database})
    asked = IN_DATABASE if database[0].state == State.OK else {}
    return database + examine(asked | ELSEWHERE)
