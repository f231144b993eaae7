"""What all our forms share."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

# Nothing typed here is prose in a natural direction: browsers must neither correct nor mirror it.
VERBATIM = {"autocapitalize": "none", "spellcheck": "false", "dir": "ltr"}


class Form(forms.Form):
    """Our forms check on the server, in our words: no `required`, no `maxlength`, no colon after a label."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"label_suffix": ""})


class RequestForm(Form):
    """A form whose answer depends on who sends it."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request


class NextField(forms.CharField):
    """Where to go afterwards. Anything but a path of this site becomes "": nobody typed it, so nobody is told."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)

    def clean(self, value: str | None) -> str:
        return same_site(value or "")


def same_site(url: str) -> str:
    """`url` if it is a printable path of this site that fits the row, else ""."""
    safe = url.startswith("/") and url.isprintable() and len(url) <= 500
    return url if safe and url_has_allowed_host_and_scheme(url, allowed_hosts=None) else ""
