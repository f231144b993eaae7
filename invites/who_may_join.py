"""Who needs an invitation to join, by the settings and the domain of their address, and the words for it.

Nothing here asks whether an address is known, so a stranger may read all of it.
"""

from enum import StrEnum

from django.conf import settings
from django.utils.text import get_text_list
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from kit import addresses, disposable, domains

NAMED = 6  # domains in a sentence; a page has no room for hundreds


class Obstacle(StrEnum):
    """Why an address needs an invitation to join."""

    INVITED = "invited"  # on this site everybody does
    ELSEWHERE = "elsewhere"  # its domain is not among SIGNUP_DOMAINS
    BLOCKED = "blocked"  # its domain is among BLOCKED_DOMAINS
    DISPOSABLE = "disposable"  # its mailbox may be thrown away


FOR_STAFF_ALONE = frozenset({Obstacle.BLOCKED, Obstacle.DISPOSABLE})  # no member's invitation leads around these


def is_by_invitation() -> bool:
    """Returns whether every newcomer needs an invitation. With SIGNUP=request they can ask for one at the door."""
    return settings.SIGNUP in {"invited", "request"}


def can_ask() -> bool:
    """Returns whether people without an invitation can ask to join: not on a site whose `SIGNUP` is open to all."""
    return settings.SIGNUP != "open"


def obstacle(email: str) -> Obstacle | None:
    """Returns why whoever proves this normalized address needs an invitation to join; None if they need none.

    A domain that the operator has named in SIGNUP_DOMAINS is never taken for a disposable one.
    """
    if is_by_invitation():
        return Obstacle.INVITED
    domain = domains.domain_of(email)
    is_named = domains.fits(domain, settings.SIGNUP_DOMAINS)
    if settings.SIGNUP == "domains" and not is_named:
        return Obstacle.ELSEWHERE
    if domains.fits(domain, settings.BLOCKED_DOMAINS):
        return Obstacle.BLOCKED
    refuses = settings.DISPOSABLE_MAILBOXES == "refuse" and not is_named
    return Obstacle.DISPOSABLE if refuses and disposable.is_disposable(domain) else None


def refusal(email: str) -> str:
    """Returns the sentence that says why this address, or "" for any, needs an invitation to join."""
    found = (obstacle(email) if email else None) or Obstacle.INVITED
    if found == Obstacle.ELSEWHERE:
        return condition()
    domain = in_line(domains.domain_of(addresses.readable(email)))
    if found == Obstacle.BLOCKED:
        return _("New accounts with an address at %(domain)s are by invitation only.") % {"domain": domain}
    if found == Obstacle.DISPOSABLE:
        said = _("New accounts with a disposable address, such as one at %(domain)s, are by invitation only.")
        return said % {"domain": domain}
    return _("New accounts are by invitation only.")


def refusal_by_domain(email: str) -> str:
    """Returns refusal() if the domain of the address is why, else ""."""
    return "" if obstacle(email) in {None, Obstacle.INVITED} else refusal(email)


def warning(email: str) -> str:
    """Returns what to tell whoever asks for a link to this address: "" unless its domain needs an invitation."""
    refused, way = refusal_by_domain(email), _("If you have an account or an invitation, the email lets you in.")
    return f"{refused} {way}" if refused else ""


def condition() -> str:
    """Returns the sentence that says whose addresses may join without an invitation, or "" if no domain matters."""
    if settings.SIGNUP != "domains":
        return ""
    named = [in_line(domains.readable(pattern)) for pattern in settings.SIGNUP_DOMAINS[:NAMED]]
    are_all = len(settings.SIGNUP_DOMAINS) <= NAMED
    said = _("New accounts are for addresses that end in %(domains)s.")
    return said % {"domains": get_text_list(named) if are_all else ", ".join([*named, "…"])}


def in_line(text: str) -> str:
    """Returns a domain for a sentence. In one that runs from right to left, marks keep its dots and signs in place."""
    return f"\u2066{text}\u2069" if get_language_bidi() else text
