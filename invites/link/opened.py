"""Opens mailed links: from a token to a link or an invitation that can be used, or to a dead page.

A press is a POST with a token. It is answered by the first case that fits:

|    | case                                                  | page                        | JSON, auth/confirm   |
| -- | ----------------------------------------------------- | --------------------------- | -------------------- |
|  1 | the token is invalid, or its person has left          | 404 broken                  | 404 broken           |
|  2 | pressed more often than PRESS_PER_LINK                | 429                         | 429 limited          |
|  3 | used on this page in this browser just now            | the first press's answer    | the same answer      |
|  4 | used by the person who is signed in here              | on to where it leads        | 200                  |
|  5 | used, declined, revoked, expired                      | 410 link/dead.py            | 410 and its state    |
|  6 | no account yet, but signed in to another account      | wrong account, 3 ways on    | 409 wrong_account    |
|  7 | the account is turned off                             | 403 inactive                | 403 inactive         |
|  8 | the account has ended all sessions since the mail, or | 410 expired; of one into    | 410 expired          |
|    | the link is older than an hour                        | groups: asks to sign in     |                      |
|  9 | there is an account                                   | its invitation is accepted; | 200, or              |
|    |                                                       | signed in, or new password  | 401 second_factor    |
| 10 | no account, but one was planned in this browser       | made as planned, to sign-in | 201                  |
|    | - and its username is taken                           | asks for another, 200       | 409 taken            |
| 11 | no account, but one was planned in another browser    | to the sign-up form         | 400 choose           |
| 12 | no account, and invites/who_may_join.py is against it | 403 closed                  | 403 closed           |
| 13 | no account                                            | made, signed in             | 201, at auth/create  |
| 14 | another press was faster, after this one was read     | read again: cases 3 to 5    | the same, or 409     |

An invitation into groups, to an address that has an account, is accepted by a visitor who is signed in there, and so
passes case 8; one who is signed in to another account gets the page of case 6.

auth/create, the JSON twin of the sign-up form, answers 409 in the cases 7 to 9 (has_account; wrong_account to a visitor
who is signed in to another account), and 201 in 10 and 11.
"""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language

from accounts.session.notes import GOOGLE_IDENTITY
from invites import limits, purposes
from invites.link import as_me, browser, dead, opens, stored
from invites.link.readdressing import Readdressing
from invites.models import Invite, MagicLink, NotInvited, Unavailable
from kit import tokens, visitor
from kit.page import page, typed
from kit.tokens import Purpose

LinkView = Callable[[HttpRequest, MagicLink], HttpResponse]
InviteView = Callable[[HttpRequest, Invite], HttpResponse]
RowView = Callable[[HttpRequest, Any], HttpResponse]  # either of them
View = Callable[[HttpRequest], HttpResponseBase]

# Of links in whose place a fresh one can be asked for.
FRESHENED = (purposes.SIGNUP, purposes.CONFIRM, purposes.RESET, purposes.REQUEST)


def opened_by_link(purpose: Purpose, *, secret: tuple[str, ...] = ()) -> Callable[[LinkView], View]:
    """Returns a decorator that hands a view the pending link of `?token=`, or of the form's hidden field.

    A link in any other state, an invalid token (404), and the view's NotInvited and Unavailable get their own pages.
    The page raises Limited after too many presses or bad tokens. Some mail servers open links to look for malware, so a
    GET or HEAD only shows a page and uses nothing up. POST fields in `secret` stand in no error report.
    """

    def find(request: HttpRequest) -> MagicLink | None:
        return find_link(request, sent_token(request), purpose)

    def over(request: HttpRequest, link: MagicLink) -> HttpResponse:
        return dead.page(request, link, purpose)

    return lambda view: page(secret=secret)(opened_by(find, {MagicLink.State.PENDING}, over, view))


def opened_by_invite(purpose: Purpose, *states: Invite.State) -> Callable[[InviteView], View]:
    """Returns a decorator that hands a view the invitation of the token, if it is in one of these states.

    An invitation in any other state, an invalid token (404), and the view's Unavailable get their own pages. The page
    raises Limited after too many presses or bad tokens.
    """

    def find(request: HttpRequest) -> Invite | None:
        return find_invite(request, sent_token(request), purpose)

    return lambda view: page()(opened_by(find, states, dead.invitation, view))


def opened_by(
    find: Callable[[HttpRequest], Any], states: Collection[str], over: RowView, view: RowView
) -> Callable[[HttpRequest], HttpResponse]:
    """Returns `view` as a view of a request, which is handed the row that `find` reads by the request's token.

    Answers itself for an invalid token (404), for a row in none of `states` (by `over`), and for the view's NotInvited
    (403) and Unavailable (by `over`, with the row read again). A GET is noted as an opening. Raises Limited when one
    row is pressed too often, and what `find` raises.
    """

    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponse:
        row = find(request)
        if row is None:
            return dead.broken_page(request)
        if request.method == "POST":
            limits.PRESS_PER_LINK.check(request, row.pk.hex)
        if row.state not in states:
            return over(request, row)
        if request.method == "GET":
            opens.note(request, row)
        try:
            return view(request, row)
        except NotInvited:
            return dead.closed_page(request, row.email)
        except Unavailable:  # another press was faster, perhaps of this very browser
            now = find(request)
            return over(request, now) if now else dead.broken_page(request)

    return wrapper


def sent_token(request: HttpRequest) -> str:
    """Returns the token in the form's hidden field (POST) or in the query of the URL, or "".

    A program may have encoded the query's "=" or "&" too; then the token is found all the same.
    """
    if request.method == "POST":
        return request.POST.get("token", "")
    token = typed(request).get("token") or request.GET.get("token")
    return token or tokens.find(request.META.get("QUERY_STRING", ""))


def find_link(request: HttpRequest, token: str, *allowed: Purpose) -> MagicLink | None:
    """Returns the link, in whatever state, of a token that was made for one of these purposes; None if there is none.

    Raises Limited when a network has posted too many invalid tokens.
    """
    for purpose in allowed:
        try:
            return stored.read(tokens.load(purpose, token), is_owner=purpose == purposes.OWNER)
        except (tokens.BadToken, MagicLink.DoesNotExist):
            continue
    count_bad_link(request)
    return None


def find_invite(request: HttpRequest, token: str, purpose: Purpose) -> Invite | None:
    """Returns the invitation, in whatever state, of a token that was made for this purpose; None if there is none.

    Raises Limited when a network has posted too many invalid tokens.
    """
    try:
        invites = Invite.objects.select_related("invited_by").exclude(email="")
        return invites.get(pk=tokens.load(purpose, token))
    except (tokens.BadToken, Invite.DoesNotExist):
        count_bad_link(request)
        return None


def count_bad_link(request: HttpRequest) -> None:
    """Counts a posted token that is invalid, by the visitor's network; a GET is not counted.

    Raises Limited after too many.
    """
    if request.method == "POST":
        limits.BAD_LINK_PER_NETWORK.check_network(request)


def count_press(request: HttpRequest, link: MagicLink) -> None:
    """Counts a press of a link. Raises Limited after too many, and Unavailable when the link is not pending."""
    limits.PRESS_PER_LINK.check(request, link.pk.hex)
    if link.state != MagicLink.State.PENDING:
        raise Unavailable


def find_pending(request: HttpRequest) -> MagicLink | None:
    """Returns the pending link of the request's sign-up token; None without a token, or if its link is not pending.

    Raises Limited when a network has posted too many invalid tokens.
    """
    token = sent_token(request)
    link = find_link(request, token, purposes.SIGNUP) if token else None
    return link if link and link.state == MagicLink.State.PENDING else None


def find_expired(request: HttpRequest, token: str) -> tuple[MagicLink | None, str]:
    """Returns the link whose `token` asks for a fresh link, and the purpose to ask for; (None, "") if it may not ask.

    Only an expired link may, or a pending one, which can be too old to sign in to its account. Raises Limited when a
    network has posted too many invalid tokens.
    """
    asked = MagicLink.Purpose
    link = find_link(request, token, *FRESHENED)
    if link is None or link.state not in {MagicLink.State.EXPIRED, MagicLink.State.PENDING}:
        return None, ""
    if tokens.fits(purposes.RESET, token):
        return link, asked.RESET
    if tokens.fits(purposes.REQUEST, token):
        return link, asked.REQUEST
    if link.purpose == asked.PROOF:
        return link, asked.PROOF
    planned = link.password and tokens.fits(purposes.CONFIRM, token)
    return link, asked.REGISTER if planned else asked.LINK


def onward(link: MagicLink) -> str:
    """Returns the path to which a link mailed in place of this one leads: to where it leads itself, perhaps "".

    For an invitation into groups, that is its page, where the owner of an account still has to accept it.
    """
    invite = link.invite
    return reverse("invite_into_groups", args=[invite.pk]) if invite and invite.promised else link.leads_to


def own_page(token: str) -> HttpResponse | None:
    """Returns a redirect to the page of the link with this token, or None if it is not one of FRESHENED."""
    for purpose in FRESHENED:
        if tokens.fits(purpose, token):
            return redirect(tokens.path(purpose, tokens.load(purpose, token)))
    return None


def other_account_page(request: HttpRequest, link: MagicLink, purpose: Purpose) -> HttpResponse | None:
    """Returns the page for a visitor who is signed in with another address than the link's, or None for any other.

    `purpose` is that of the page that the link has opened.
    """
    email = other_address(request, link)
    return wrong_account(request, link, email, purpose) if email else None


def other_address(request: HttpRequest, link: MagicLink) -> str:
    """Returns the signed-in user's address if it differs from the link's, else ""."""
    email = request.user.email if request.user.is_authenticated else ""
    return "" if email == link.email else email


def proven_by_google(request: HttpRequest) -> str:
    """Returns the address that Google has proven to be the visitor's in the last 15 minutes, or "".

    One that waits to be connected proves nothing: the owner of its address must sign in first.
    """
    seen = GOOGLE_IDENTITY.read(request)
    return str(seen["email"]) if seen and not seen["to_connect"] else ""


def wrong_account(
    request: HttpRequest, link: MagicLink, email: str, purpose: Purpose = purposes.SIGNUP, *, proven: bool = True
) -> HttpResponse:
    """Returns the page for a visitor who uses another address than the link's: `email`, of an account or of Google.

    The link stays unused, and the page names both addresses. A new token for `purpose` leads back to the link. Whoever
    is signed in may accept an invitation by a code that is mailed to its address. If `email` is `proven` to be the
    visitor's, and an invitation's sender can be asked to send it there instead, the page offers to ask.
    """
    context = {
        "link": link,
        "invite": link.invite,
        "email": email,
        "token": tokens.sign(purposes.SIGNUP, link.pk),
        "here": tokens.path(purpose, link.pk),
        "can_accept": request.user.is_authenticated and as_me.is_possible(link, request.user),
        "can_ask": bool(proven and link.invite and Readdressing(link.invite).is_possible(email)),
    }
    return render(request, "invites/link/wrong_account.html", context)


def sign_up_args(request: HttpRequest, page: Purpose, way: str = "") -> dict[str, Any]:
    """Returns what a request says of a person who joins on this page, as arguments of MagicLink.sign_up().

    `page` is the purpose of the page. `way` is how they come in by this very press; "" if they sign in later.
    """
    beginning, chosen = {"way": way, **visitor.trace(request)}, {"language": get_language()}
    return {"browser": browser.identify(request, page), "beginning": beginning, "settings": chosen}
