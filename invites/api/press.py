"""Finds the link of a sent token, and words the refusals of a link (the cases are in invites/link/opened.py)."""

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from invites import who_may_join
from invites.link import opened, stored
from invites.models import MagicLink
from kit.json_door import Fields, Refused
from kit.tokens import Purpose

OVER = {
    MagicLink.State.USED: ("used", gettext_noop("This link has already been used. Sign in, or ask for a new one.")),
    MagicLink.State.EXPIRED: ("expired", gettext_noop("This link has expired. Ask for a new one.")),
    MagicLink.State.DECLINED: ("declined", gettext_noop("This invitation was declined. Ask for a new link.")),
    MagicLink.State.REVOKED: ("revoked", gettext_noop("This invitation was withdrawn. Ask who sent it for a new one.")),
}

ENDED = gettext_noop("This link was turned off by whoever runs this site. Ask for a new one.")


def find(request: HttpRequest, sent: Fields, *allowed: Purpose) -> MagicLink:
    """Returns the link of the sent `token`, in whatever state, if the token was made for one of these purposes.

    Raises Refused (404) for any other token, or if the link's person has left, and Limited after too many of these.
    """
    link = opened.find_link(request, sent.get("token", ""), *allowed)
    if link is None:
        raise broken()
    return link


def read_again(link: MagicLink) -> MagicLink:
    """Returns the link read again, with user and time of the use that has ended it, if any.

    Raises Refused (404) when its person has left.
    """
    try:
        link = stored.read(link.pk)
    except MagicLink.DoesNotExist:
        raise broken() from None
    link.read_use()
    return link


def over(link: MagicLink, state: str = "") -> Refused:
    """Returns the refusal (410) for a link that works no longer. `state` is that of the link unless another is given.

    Raises KeyError for a pending link.
    """
    code, said = OVER[MagicLink.State(state or link.state)]
    return Refused(410, code, _(ENDED if link.was_ended else said), "token")


def signed_in_since() -> Refused:
    """Returns the refusal (410) for a reset link whose owner has signed in since it was mailed."""
    said = _("You’ve signed in since we sent this link, so it sets no new password any more. Ask for a new one.")
    return Refused(410, "expired", said, "token")


def broken() -> Refused:
    """Returns the refusal (404) for an invalid token, or for a link whose person has left."""
    return Refused(404, "broken", _("This link doesn’t work. Ask for a new one."), "token")


def closed(email: str = "") -> Refused:
    """Returns the refusal (403) for a person with this address, or "" for any, who may not join uninvited."""
    return Refused(403, "closed", who_may_join.refusal(email))


def inactive() -> Refused:
    """Returns the refusal (403) for an account that is turned off."""
    return Refused(403, "inactive", _("This account is turned off. Nothing has changed."))


def wrong_account() -> Refused:
    """Returns the refusal (409) for a visitor who is signed in with another address than the link's."""
    said = _("This link is for another address than that of your account. Sign out first.")
    return Refused(409, "wrong_account", said)


def has_account() -> Refused:
    """Returns the refusal (409) for an address that has an account already."""
    return Refused(409, "has_account", _("There is an account with this address. Sign in."))


def changed() -> Refused:
    """Returns the refusal (409) for a link that has changed during the request, but works."""
    return Refused(409, "changed", _("This link has just changed. Try again."))
