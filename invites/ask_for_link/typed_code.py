"""The code that is typed where a link was asked for; the page that the link opens elsewhere shows it.

It is bound to the browser that asked: without the cookie of that browser no code is right. What a stranger reads does
not depend on the address, for each asked-for link has a row, whoever has its address.
"""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from invites import limits
from invites.ask_for_link.asked import LinkRequest
from invites.link import browser, elsewhere, stored
from invites.models import MagicLink
from kit.form import VERBATIM, RequestForm
from kit.rate_limit import Limited

MOST = 10  # links of one browser to one address that a code is compared with: five an hour can be asked for


class CodeForm(RequestForm):
    """A form for the code. Once it is valid, `link` is the link that is to let this browser in, in whatever state."""

    code = forms.CharField(
        label=gettext_lazy("Code from your other device"),
        required=False,
        help_text=gettext_lazy("If you opened the email elsewhere, that page shows it"),
        widget=forms.TextInput(
            attrs=VERBATIM
            | {"autocomplete": "one-time-code", "autocapitalize": "characters", "class": "code-in", "size": "9"}
        ),
    )

    def __init__(self, request: HttpRequest, asked: LinkRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.asked = asked
        self.link: MagicLink

    def clean_code(self) -> str:
        """Returns what was typed. Raises ValidationError if it is no code for this browser, and for too many tries."""
        typed = str(self.cleaned_data["code"])
        if not typed.strip():
            raise ValidationError(_("Enter the code from your other device"), code="required")
        if not self.asked.email:
            said = _("This browser has asked for no link within the last hour. Ask for a new email")
            raise ValidationError(said, code="forgotten")
        self.link = find(self.request, self.asked.email, typed)
        return typed


def find(request: HttpRequest, email: str, typed: str) -> MagicLink:
    """Returns the link to `email` that this browser has asked for and of which `typed` is a code, in whatever state.

    Raises ValidationError if there is none: with the code "wrong", or "limited" after limits.CODE_PER_ASKING of them.
    The next link that this browser asks for begins to count again.
    """
    here = browser.seal(request)
    links = list(MagicLink.objects.asked_by(here, email)[:MOST])
    asking = f"{here} {links[0].pk if links else email}"
    try:
        tried = limits.CODE_PER_ASKING.take(asking)
    except Limited:
        raise too_many() from None
    found = next((link for link in links if elsewhere.fits(link, typed)), None)
    if found is None:
        raise wrong(limits.CODE_PER_ASKING.most - tried)
    limits.CODE_PER_ASKING.give_back(asking)
    return stored.read(found.pk)


def wrong(left: int) -> ValidationError:
    """Returns the error for a code that fits no link; `left` is how often one can be tried again."""
    if not left:
        return too_many()
    said = ngettext(
        "That code doesn’t match. Check it on your other device; you can try %(count)s more time",
        "That code doesn’t match. Check it on your other device; you can try %(count)s more times",
        left,
    )
    return ValidationError(said % {"count": left}, code="wrong")


def too_many() -> ValidationError:
    """Returns the error for a code when no more can be tried."""
    return ValidationError(
        _("Too many wrong codes. Use the link in the email, or ask for a new one"),
        code="limited",
    )


def used() -> ValidationError:
    """Returns the error for a code whose link was used."""
    return ValidationError(_("That code was used already. Ask for a new email"), code="used")
