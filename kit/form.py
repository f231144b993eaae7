"""The base classes of our forms, and the field for where to go next."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from kit.addresses import MAX_LENGTH
from kit.typed import ILLEGIBLE

# For names, addresses and codes, which are not prose: browsers must not capitalize, correct or mirror them.
VERBATIM = {"autocapitalize": "none", "spellcheck": "false", "dir": "ltr"}

LONGEST = 3_000  # characters of a path to go to next, which may be one that begins a sign-in to another site
STORED = 500  # characters of one in a column


class BoundField(forms.BoundField):
    """A field of a form as a page shows it."""

    @property
    def must_be_typed_again(self) -> bool:
        """Whether it is a password that has no error of its own, but is lost because another field has one.

        No page ever holds a password that was sent.
        """
        lost = isinstance(self.field.widget, forms.PasswordInput) and not self.errors
        return lost and bool(self.form.errors.keys() - {NON_FIELD_ERRORS})

    @property
    def aria_describedby(self) -> str | None:
        """The ids of what describes the input: the hint, the errors, and that it must be typed again."""
        ids = super().aria_describedby
        return f"{ids or ''} {self.auto_id}_again".strip() if self.must_be_typed_again else ids


class Form(forms.Form):
    """A form that is checked on the server alone, so that all messages are in our words.

    So browsers must check nothing: it has no `required` attributes, and no field may set `maxlength`. Labels have no
    colon.
    """

    bound_field_class = BoundField
    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"label_suffix": ""})

    @property
    def to_type_again(self) -> forms.BoundField | None:
        """The first field that must be typed again, though it has no error of its own."""
        return next((field for field in self if isinstance(field, BoundField) and field.must_be_typed_again), None)


class RequestForm(Form):
    """A form whose checks depend on the request: its first argument is the request, kept as `request`."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request


class NextField(forms.CharField):
    """A hidden field for the path to go to after the form is done.

    Its cleaned value is a path of this site of at most `longest` characters, or "" for anything else. It never raises:
    the user did not type it, so a message would only confuse.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)
        self.longest = longest

    def clean(self, value: str | None) -> str:
        return safe_path(value or "", self.longest)


def safe_path(url: str, longest: int = LONGEST) -> str:
    """Returns `url` if it is a printable path of this site of at most `longest` characters, else "".

    Any other URL could send the visitor to another site (open redirect). Where the path is to be stored in a column,
    `longest` is STORED.
    """
    safe = url.startswith("/") and url.isprintable() and len(url) <= longest
    # What could lead elsewhere stands at the beginning, and Django allows no URL of more than 2,048 characters.
    return url if safe and url_has_allowed_host_and_scheme(url[:STORED], allowed_hosts=None) else ""


def login_hint(request: HttpRequest) -> str:
    """Returns who is expected to sign in, by `login_hint` in the query, as the first value of a field.

    Programs send it along (OpenID Connect Core §3.1.2.1). A text that is no name and no address counts as none: "".
    """
    hint = request.GET.get("login_hint", "").strip()
    return hint if hint.isprintable() and len(hint) <= MAX_LENGTH and not ILLEGIBLE.search(hint) else ""
