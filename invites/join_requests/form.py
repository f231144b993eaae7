"""The form of somebody who asks to join."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import display_names
from invites.ask_for_link.asked import LinkRequest
from invites.ask_for_link.form import EmailForm, address_field
from invites.link import browser
from invites.models import LONGEST, MagicLink, Plea
from kit import plain_line, visitor


class PleaForm(EmailForm):
    """A form for an address, a name and a few words to whoever answers; only the address is needed."""

    email = address_field(gettext_lazy("First you confirm it, then somebody here looks at your request"))
    name = forms.CharField(
        label=gettext_lazy("Your name (optional)"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    why = forms.CharField(
        label=gettext_lazy("Why would you like to join? (optional)"),
        required=False,
        help_text=gettext_lazy("Who answers will read this. Up to 300 characters"),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )
    next = None  # type: ignore[assignment]  # nobody is led on before the answer

    def clean_name(self) -> str:
        """Returns the name with single spaces in it. Raises ValidationError as display_names.normalize() does."""
        return display_names.normalize(self.cleaned_data["name"])

    def clean_why(self) -> str:
        """Returns the words on one line. Raises ValidationError if they are too long or no plain text."""
        words = " ".join(self.cleaned_data["why"].split())
        if len(words) > LONGEST:
            said = _("That is longer than %(longest)s characters. It is kept: shorten it")
            raise forms.ValidationError(said % {"longest": LONGEST}, code="max_length")
        return plain_line.one_line(words, _("What you wrote"))

    def asked(self) -> LinkRequest:
        """Returns what the valid form asks for: a link that proves the address."""
        return LinkRequest(self.cleaned_data["email"], MagicLink.Purpose.REQUEST)

    def plan(self, request: HttpRequest) -> dict[str, Any]:
        """Returns what the valid form says, as arguments of MagicLink.objects.issue().

        The seal lets this browser, and no other, send it once more with a fresh link.
        """
        plea = Plea(self.cleaned_data["name"], self.cleaned_data["why"], visitor.network(request))
        return {"details": plea.pack(), "seal": browser.lasting_seal(request)}
