"""The checks of `doctor`: what is wrong with the site, or with one invitation, in words."""

from kit.findings import Finding, State, examine, with_deadline, with_statement_timeout
from operations.doctor import apps, domains, outbox, parts, site
from operations.doctor.accounts import proxies, staff
from operations.doctor.invitation import InviteOrLink, explain, find, find_newest

__all__ = ["InviteOrLink", "examine_site", "explain", "find", "find_newest"]

# The keys name the checks in the output of `doctor`, in text and in JSON.
IN_DATABASE = {
    "migrations": with_statement_timeout(parts.migrations),
    "clock": with_statement_timeout(parts.clock),
    "queue": with_statement_timeout(outbox.queue),
    "given up": with_statement_timeout(outbox.given_up),
    "webhooks": with_statement_timeout(outbox.webhooks),
    "apps": with_statement_timeout(apps.check),
    "domain groups": with_statement_timeout(domains.domain_groups),
    "proxies": with_statement_timeout(proxies),
    "staff": with_statement_timeout(staff),
}
ELSEWHERE = {
    "cache": parts.cache,
    "broker": with_deadline(outbox.broker),
    "mail server": with_deadline(outbox.server),
    "SITE_URL": site.address,
    "sign-up": domains.sign_up,
    "cookies": site.cookies,
    "hashes": site.hashes,
    "DEBUG": site.debug,
}


def examine_site() -> list[Finding]:
    """Runs all checks of the site, and returns their findings. A check that raises becomes a finding itself.

    The checks that ask the database run only if it answers.
    """
    database = examine({"database": parts.database})
    asked = IN_DATABASE if database[0].state == State.OK else {}
    return database + examine(asked | ELSEWHERE)
