"""A mailed link: from its token to a link or an invitation that can be used, or to a dead page.

What a press comes to, a POST with a token; the first case that fits:

|    | case                                                  | page                        | JSON, auth/confirm   |
| -- | ----------------------------------------------------- | --------------------------- | -------------------- |
|  1 | nobody can read the token, or its person has left     | 404 broken                  | 404 broken           |
|  2 | pressed more often than PRESS_PER_LINK                | 429                         | 429 limited          |
|  3 | used on this page in this browser just now            | the first press's answer    | the same answer      |
|  4 | used by whoever is signed in here                     | on to where it leads        | 200                  |
|  5 | used, declined, revoked, expired                      | 410 link/dead.py            | 410 in a word        |
|  6 | no account yet, but signed in with another            | wrong account, 3 ways on    | 409 wrong_account    |
|  7 | the account is turned off                             | 403 inactive                | 403 inactive         |
|  8 | an account that ended all sessions since, or is newer | 410 expired                 | 410 expired          |
|    | than the link, if that is older than an hour          |                             |                      |
|  9 | an account                                            | its invitation is accepted; | 200, or              |
|    |                                                       | signed in, or new password  | 401 second_factor    |
| 10 | no account, but one was planned in this browser       | made as planned, to sign-in | 201                  |
| 11 | no account, but one was planned in another            | to the sign-up form         | 400 choose           |
| 12 | no account, and nobody has invited where one must be  | 403 closed                  | 403 closed           |
| 13 | no account                                            | made, signed in             | 201, at auth/create  |
| 14 | somebody was faster between look and press            | read again: cases 3 to 5    | the same, or 409     |

auth/create, the twin of the sign-up form, answers 409 in the cases 7 to 9 (has_account; wrong_account for whoever is
signed in as another), and 201 in 10 and 11.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language

from invites import limits, purposes
from invites.link import browser, dead, opens
from invites.models import Invite, MagicLink, NotInvited, Unavailable
from kit import tokens, visitor
from kit.page import page
from kit.tokens import Purpose

LinkView = Callable[[HttpRequest, MagicLink], HttpResponse]
InviteView = Callable[[HttpRequest, Invite], HttpResponse]
View = Callable[[HttpRequest], HttpResponseBase]


def opened_by_link(purpose: Purpose, *, secret: tuple[str, ...] = ()) -> Callable[[LinkView], View]:
    """Gives a view the link of `?token=` or of the form's hidden field, if it is pending; answers for any other state.

    Some mail servers open links to look for malware, so a GET or HEAD only shows: nothing here writes.
    """

    def find(request: HttpRequest) -> MagicLink | None:
        return find_link(request, sent_token(request), purpose)

    def is_over(link: MagicLink) -> bool:
        return link.state != MagicLink.State.PENDING

    def over(request: HttpRequest, link: MagicLink) -> HttpResponse:
        return dead.page(request, link, purpose)

    return lambda view: page(secret=secret)(opened_by(find, is_over, over, view))


def opened_by_invite(purpose: Purpose, *states: Invite.State) -> Callable[[InviteView], View]:
    """Gives a view the invitation of the token, if it is in one of these states; answers for every other as above."""

    def find(request: HttpRequest) -> Invite | None:
        return find_invite(request, sent_token(request), purpose)

    def is_over(invite: Invite) -> bool:
        return invite.state not in states

    return lambda view: page()(opened_by(find, is_over, dead.invitation, view))


def opened_by(
    find: Callable[[HttpRequest], Any],
    is_over: Callable[[Any], bool],
    over: Callable[[HttpRequest, Any], HttpResponse],
    view: Callable[[HttpRequest, Any], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """What both have in common."""

    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponse:
        row = find(request)
        if row is None:
            return dead.broken(request)
        if request.method == "POST":
            limits.PRESS_PER_LINK.check(request, row.pk.hex)
        if is_over(row):
            return over(request, row)
        if request.method == "GET":
            opens.note(request, row)
        try:
            return view(request, row)
        except NotInvited:
            return dead.closed(request)
        except Unavailable:  # somebody was faster, perhaps this very browser
            now = find(request)
            return over(request, now) if now else dead.broken(request)

    return wrapper


def sent_token(request: HttpRequest) -> str:
    """That of the address, or of the form's hidden field."""
    return (request.POST if request.method == "POST" else request.GET).get("token", "")


def find_link(request: HttpRequest, token: str, *allowed: Purpose) -> MagicLink | None:
    """The link of a token that was made for one of these purposes; counts the bad ones. Raises Limited."""
    for purpose in allowed:
        try:
            return read(tokens.load(purpose, token), is_owner=purpose == purposes.OWNER)
        except (tokens.BadToken, MagicLink.DoesNotExist):
            continue
    count_bad_link(request)
    return None


def read(pk: Any, *, is_owner: bool = False) -> MagicLink:
    """A link with all that tells its state, in one statement. Raises DoesNotExist."""
    links = MagicLink.objects.with_spent().with_staff_invite().select_related("used_by", "invite__invited_by")
    owner = MagicLink.Purpose.OWNER
    links = links.filter(purpose=owner) if is_owner else links.exclude(purpose=owner)
    return links.exclude(email="").get(pk=pk)  # "": its person has left


def find_invite(request: HttpRequest, token: str, purpose: Purpose) -> Invite | None:
    """The invitation of a token; counts the bad ones. Raises Limited."""
    try:
        invites = Invite.objects.select_related("invited_by").exclude(email="")
        return invites.get(pk=tokens.load(purpose, token))
    except (tokens.BadToken, Invite.DoesNotExist):
        count_bad_link(request)
        return None


def count_bad_link(request: HttpRequest) -> None:
    if request.method == "POST":
        limits.BAD_LINK_PER_NETWORK.check(request, visitor.network(request))


def count_press(request: HttpRequest, link: MagicLink) -> None:
    """Counts one more press of a link. Raises Limited, or Unavailable when it is over."""
    limits.PRESS_PER_LINK.check(request, link.pk.hex)
    if link.state != MagicLink.State.PENDING:
        raise Unavailable


def find_pending(request: HttpRequest) -> MagicLink | None:
    """The pending link of a sign-up page whose token came along, if there is one."""
    token = sent_token(request)
    link = find_link(request, token, purposes.SIGNUP) if token else None
    return link if link and link.state == MagicLink.State.PENDING else None


def find_expired(request: HttpRequest) -> tuple[MagicLink | None, str]:
    """The link whose token asks for a fresh one, and for what; None for one that ended in another way."""
    token, asked = sent_token(request), MagicLink.Purpose
    link = find_link(request, token, purposes.SIGNUP, purposes.CONFIRM, purposes.RESET)
    if link is None or link.state not in {MagicLink.State.EXPIRED, MagicLink.State.PENDING}:
        return None, ""
    if tokens.fits(purposes.RESET, token):
        return link, asked.RESET
    planned = link.password and tokens.fits(purposes.CONFIRM, token)
    return link, asked.REGISTER if planned else asked.LINK


def came_as_another(request: HttpRequest, link: MagicLink, purpose: Purpose) -> HttpResponse | None:
    """The page for somebody signed in to an account with another address than the link's."""
    email = other_address(request, link)
    return wrong_account(request, link, email, purpose) if email else None


def other_address(request: HttpRequest, link: MagicLink) -> str:
    """The signed-in user's address if it differs from the link's, else ""."""
    email = request.user.email if request.user.is_authenticated else ""
    return "" if email == link.email else email


def wrong_account(
    request: HttpRequest, link: MagicLink, email: str, purpose: Purpose = purposes.SIGNUP
) -> HttpResponse:
    """For who holds the link to one address and uses another: nothing is used up, and both are named."""
    context = {
        "link": link,
        "invite": link.invite,
        "email": email,
        "token": tokens.sign(purpose, link.pk),
        "here": tokens.path(purpose, link.pk),
        "can_ask": bool(link.invite and link.invite.can_be_readdressed_to(email)),
    }
    return render(request, "invites/link/wrong_account.html", context)


def newcomer(request: HttpRequest, page: Purpose) -> dict[str, Any]:
    """What a request says of somebody who joins on this page, as MagicLink.sign_up takes it."""
    chosen = {"language": get_language()}
    return {"browser": browser.identify(request, page), "trace": visitor.trace(request), "settings": chosen}
