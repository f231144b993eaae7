"""Checks of the settings that say who may join, and into which groups, by the domain of an address."""

from django.conf import settings
from django.contrib.auth.models import Group

from accounts import groups
from kit import domains
from kit.findings import Finding, failure, ok, warning


def sign_up() -> Finding:
    """Returns the finding on who may join: a warning if a domain is let in and blocked, or let in without effect."""
    both = [pattern for pattern in settings.SIGNUP_DOMAINS if domains.fits(pattern, settings.BLOCKED_DOMAINS)]
    if both:
        said = f"Among SIGNUP_DOMAINS and BLOCKED_DOMAINS: {', '.join(both)}. Blocked is stronger."
        return warning(said, "Take each out of one of the two.")
    if settings.SIGNUP_DOMAINS and settings.SIGNUP != "domains":
        said = f"SIGNUP is “{settings.SIGNUP}”, so SIGNUP_DOMAINS lets nobody in who may not join anyway."
        return warning(said, "Set SIGNUP=domains, or unset SIGNUP_DOMAINS.")
    return ok(f"SIGNUP is “{settings.SIGNUP}”.")


def domain_groups() -> Finding | None:
    """Returns the finding on DOMAIN_GROUPS: a failure if a group grants permissions, a warning if one is not there.

    Returns None if it is not set. Raises DatabaseError or InterfaceError if the database fails.
    """
    named = {group for some in settings.DOMAIN_GROUPS.values() for group in some}
    if not named:
        return None
    if powerful := sorted(groups.with_rights().filter(name__in=named).values_list("name", flat=True)):
        said = f"DOMAIN_GROUPS names groups that grant permissions: {', '.join(powerful)}. Nobody is put into these."
        return failure(said, "A mailbox alone must open no desk: invite people into these, or name other groups.")
    if missing := sorted(named - set(Group.objects.filter(name__in=named).values_list("name", flat=True))):
        said = f"DOMAIN_GROUPS names groups that are not there: {', '.join(missing)}."
        return warning(said, "Make them at the desk, under Groups, by these very names.")
    return ok("All groups of DOMAIN_GROUPS are there.")
