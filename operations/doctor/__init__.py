"""The checks of `doctor`: what is wrong with the site, or with one invitation, in words."""

from kit.findings import Finding, State, examine, of_database, of_network
from operations.doctor import outbox, parts, site
from operations.doctor.accounts import proxies, staff
from operations.doctor.invitation import Asked, explain, newest, of_id

__all__ = ["Asked", "examine_site", "explain", "newest", "of_id"]

# The keys name the checks in the output of `doctor`, in text and in JSON.
IN_DATABASE = {
    "migrations": of_database(parts.migrations),
    "clock": of_database(parts.clock),
    "queue": of_database(outbox.queue),
    "given up": of_database(outbox.given_up),
    "webhooks": of_database(outbox.webhooks),
    "proxies": of_database(proxies),
    "staff": of_database(staff),
}
ELSEWHERE = {
    "cache": parts.cache,
    "broker": of_network(outbox.broker),
    "mail server": of_network(outbox.server),
    "SITE_URL": site.address,
    "cookies": site.cookies,
    "DEBUG": site.debug,
}


def examine_site() -> list[Finding]:
    """Runs all checks of the site and returns their findings.

    Those that ask the database run only if it answers.
    """
    database = examine({"database": parts.database})
    asked = IN_DATABASE if database[0].state == State.OK else {}
    return database + examine(asked | ELSEWHERE)
