"""A new password through allauth.headless's protocol: asking for the link, and what its token opens."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.models import Superseded, User
from accounts.password.forms import ResetForm
from accounts.protocol import Door, Error, counted, done, invalid, key_of, sign_in_now
from invites import limits, purposes
from invites.ask_for_link.ask import Asked, ask
from invites.ask_for_link.form import EmailForm
from invites.link import browser, opened
from invites.models import MagicLink, Unavailable
from invites.reset_password import reset


@counted(limits.ASK_PER_NETWORK)
class RequestReset(Door):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Mails a link to an `email`, whoever's it is."""
        form = EmailForm({"email": self.text("email")})
        if not form.is_valid():
            return invalid(request, form)
        ask(request, Asked(form.cleaned_data["email"], MagicLink.Purpose.RESET))
        return done(request)


class Reset(Door):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whose password the key in the header lets choose; changes nothing."""
        return self.open(request.headers.get("X-Password-Reset-Key", ""))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sets a `password` with the `key`: the token of the mailed link. Then one signs in with it."""
        return self.open(self.text("key"))

    def open(self, token: str) -> HttpResponse:
        link = opened.find_link(self.request, token, purposes.RESET)
        if link is None:
            return self.refuse(_("This link doesn’t work. Ask for a new one."))
        try:
            return self.use(link)
        except reset.TurnedOff:
            return Error(self.request, 403, "inactive", _("This account is turned off. Nothing has changed."))
        except (Unavailable, Superseded, reset.NoAccount):
            return self.over(link)

    def use(self, link: MagicLink) -> HttpResponse:
        if self.request.method == "POST":
            opened.count_press(self.request, link)
        elif link.state != MagicLink.State.PENDING:
            raise Unavailable
        account = reset.owner(link)
        return self.save(link, account) if self.request.method == "POST" else key_of(self.request, account)

    def save(self, link: MagicLink, account: User) -> HttpResponse:
        form = ResetForm({"password": self.text("password")}, user=account)
        if not form.is_valid():
            return invalid(self.request, form)
        reset.save(self.request, link, account, form.cleaned_data["password"])
        return sign_in_now(self.request)

    def over(self, link: MagicLink) -> HttpResponse:
        """What became of the link; pressed twice, it has worked."""
        try:
            link = opened.read(link.pk)
        except MagicLink.DoesNotExist:  # its person has just left
            return self.refuse(_("This link doesn’t work. Ask for a new one."))
        link.read_use()
        if self.request.method == "POST" and link.used_just_now(browser.identify(self.request, purposes.RESET)):
            return sign_in_now(self.request)
        return self.refuse(_("This link has been used or has expired. Ask for a new one."))

    def refuse(self, said: str) -> HttpResponse:
        return Error(self.request, 400, "invalid_password_reset", said, "key")
