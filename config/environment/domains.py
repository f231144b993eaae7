"""Who may join, by the domain of their address."""

from config.environment.variables import env, read, refuse
from kit import domains


def listed(name: str) -> tuple[str, ...]:
    """Returns a variable that is domains with commas between them, as in "example.com,*.edu", each as kit.domains does.

    Raises SystemExit if one is no domain.
    """
    try:
        return tuple(dict.fromkeys(domains.spell(typed) for typed in read(env.list, name, default=[])))
    except ValueError as error:
        refuse(f"{name}: {error}")


def let_in(signup: str) -> tuple[str, ...]:
    """Returns SIGNUP_DOMAINS, the domains whose people may join without an invitation.

    Raises SystemExit if one is no domain, or if there is none though `signup` (SIGNUP) is "domains".
    """
    found = listed("SIGNUP_DOMAINS")
    if signup == "domains" and not found:
        refuse("SIGNUP=domains needs SIGNUP_DOMAINS: the domains whose people may join, like example.com,*.edu.")
    return found


def groups() -> dict[str, tuple[str, ...]]:
    """Returns DOMAIN_GROUPS, as in "example.com:Staff,*.edu:Students": by domain the names of the groups to be in.

    Raises SystemExit if an entry has no name, or its domain is none.
    """
    found: dict[str, tuple[str, ...]] = {}
    for entry in read(env.list, "DOMAIN_GROUPS", default=[]):
        typed, _colon, group = entry.partition(":")
        if not group.strip():
            refuse(f"DOMAIN_GROUPS: {entry!r} names no group. Write example.com:Name of a group.")
        try:
            domain = domains.spell(typed)
        except ValueError as error:
            refuse(f"DOMAIN_GROUPS: {error}")
        found[domain] = (*found.get(domain, ()), group.strip())
    return found
