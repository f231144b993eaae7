"""The sign-up pages: from a mailed link, from the owner link, or in one form that a mail confirms."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.session import sessions
from invites import limits, purposes, who_may_join
from invites.ask_for_link.ask import log
from invites.ask_for_link.asked import remember
from invites.ask_for_link.sent import ask_or_wait
from invites.link import dead, elsewhere, opened
from invites.link.planned import HasAccount
from invites.models import OWNER_UNKNOWN, Invite, MagicLink
from invites.sign_up import join, plan
from invites.sign_up.forms import OwnerForm, RegisterForm, SignupForm
from kit import tokens, visitor
from kit.form import safe_path
from kit.page import bind_form, page
from kit.tokens import Purpose


@page(secret=("password",))
def signup(request: HttpRequest) -> HttpResponseBase:
    """Shows a sign-up form: with the token of a mailed link from_link(), without one register().

    The POST of the former makes an account, the POST of the latter plans one. Raises Limited after too many requests,
    presses or bad tokens.
    """
    sent = request.POST if request.method == "POST" else request.GET
    with_link = "token" in sent or opened.sent_token(request)
    return from_link(request) if with_link else register(request)


@opened.opened_by_link(purposes.SIGNUP)
def from_link(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Shows the form for a username and a password. Its POST makes the account, signs in and leads on.

    The POST leads to where the link leads. In another browser than the one that asked for the link, the page first
    shows a code to type there, see invites.link.elsewhere. A GET for an address with an account leads to the page that
    signs in. A visitor who is signed in to another account, or must be invited first (403), gets a page that says so,
    as does a link that works no longer, also if another press was faster (410). Raises Limited after too many presses
    or bad tokens.
    """
    account = User.objects.filter(email=link.email)
    if request.method != "POST" and account.exists():
        return redirect(tokens.path(purposes.CONFIRM, link.pk))
    if wrong := opened.other_account_page(request, link, purposes.SIGNUP):
        return wrong
    if not Invite.objects.may_join(link.email):
        if account.exists():
            return redirect(tokens.path(purposes.CONFIRM, link.pk))
        return dead.closed_page(request, link.email)
    return elsewhere.first_page(request, link, purposes.SIGNUP) or newcomer(request, link, purposes.SIGNUP)


@opened.opened_by_link(purposes.OWNER, secret=("password",))
def owner(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Shows the sign-up form of the first superuser, for the owner link; its POST makes the account and signs in.

    Only an operator's terminal shows that link. Once there is a superuser, or an account with the address, or the link
    works no longer, a page says so (410). Raises Limited after too many presses or bad tokens.
    """
    if User.objects.filter(Q(is_superuser=True) | Q(email=link.email)).exists():
        return render(request, dead.OWNER_PAGE, status=dead.GONE)
    return newcomer(request, link, purposes.OWNER)


def newcomer(request: HttpRequest, link: MagicLink, purpose: Purpose) -> HttpResponse:
    """Returns the sign-up form, or for a valid POST makes the account, signs in and leads to where the link leads.

    `purpose` is that of the page: SIGNUP or OWNER. If the address has an account by now, leads to this page again.
    Raises NotInvited where an invitation is needed, and Unavailable when another press was faster.
    """
    show = "show" in request.GET
    # The owner link of a site on this machine names nobody: its address is a placeholder.
    kind = OwnerForm if link.email == OWNER_UNKNOWN else SignupForm
    # A press costs no look for a free name.
    first = {"username": first_name(link)} if request.method != "POST" and kind is SignupForm else {}
    form = bind_form(kind, request, link=link, show_password=show, initial=first)
    if request.method != "POST":
        return signup_page(request, link, purpose, form)
    try:
        user = join.join(request, link, form, purpose)
    except HasAccount:
        return redirect(request.get_full_path())
    if user is None:
        return signup_page(request, link, purpose, form)
    messages.success(request, _("Your account is ready."))
    return sessions.start(request, user, link.leads_to, sessions.SIGNUP, new=True)


def first_name(link: MagicLink) -> str:
    """Returns a free username that is near to the planned one or, without a plan, to the link's address."""
    return User.objects.free_name(link.username or link.email)


def signup_page(request: HttpRequest, link: MagicLink, purpose: Purpose, form: SignupForm) -> HttpResponse:
    """Returns the sign-up page with `form`: that of the first superuser for the purpose OWNER, else the usual one."""
    here = elsewhere.own_path(request, link, purpose)
    context = {
        "link": link,
        "invite": link.invite,
        "form": form,
        "token": tokens.sign(purpose, link.pk),
        "show": "show" in request.GET,
        "show_url": f"{here}&show=1",
        "hide_url": here,
        "other_user": request.user.get_username(),
        "decline_url": tokens.path(purposes.DECLINE, link.invite.pk) if link.invite and link.invite.invited_by else "",
    }
    return render(
        request, "invites/sign_up/owner.html" if purpose == purposes.OWNER else "invites/sign_up/signup.html", context
    )


@page(limits.ASK_PER_NETWORK)
def register(request: HttpRequest) -> HttpResponse:
    """Shows a form for address, username and password. Its POST stores them as a plan and mails a link to confirm it.

    Only this browser can open the plan. The POST leads to the page that says where the mail went, or returns it (429)
    when the address was mailed too often. A person who is signed in is led to the start page; where sign-up is by
    invitation, a page says so (403). Raises Limited when a network has posted too often.
    """
    if who_may_join.is_by_invitation():
        return dead.closed_page(request)
    if request.user.is_authenticated:
        return redirect("entry")
    show = "show" in request.GET
    typed = {"next": safe_path(request.GET.get("next", ""))}
    form = bind_form(RegisterForm, request, show_password=show, initial=typed)
    if not form.is_valid():
        context = {"form": form, "show": show, "condition": who_may_join.condition()}
        return render(request, "invites/sign_up/register.html", context)
    if form.cleaned_data["leave_empty"]:
        log.warning("a program asked for an account ip=%s", visitor.ip(request))
        return remember(request, redirect("invite_sent"), plan.link_request(form))
    return ask_or_wait(request, plan.link_request(form), **plan.plan_account(request, form))
