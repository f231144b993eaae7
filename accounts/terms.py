"""The terms of the site, to which people agree when they join, and again when they have changed (TERMS_VERSION)."""

import sys
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.utils import timezone
from django.utils.html import linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit import times

if TYPE_CHECKING:
    from accounts.models import User

KEY = "terms"  # of the field in forms and in JSON
TICK = gettext_lazy("Tick the box to go on")
TICK_OR_LEAVE = gettext_lazy("Tick the box to go on, or download your data and leave")

Acceptance = dict[str, str]  # the version that somebody has agreed to, and when


def acceptance(version: str) -> Acceptance:
    """Returns that somebody agrees to this version now, as User.terms holds it."""
    return {"version": version, "at": times.iso(timezone.now())}


def are_asked(user: "User") -> bool:
    """Returns whether the user has yet to agree to the present terms. Costs no query."""
    return bool(settings.TERMS_VERSION) and user.accepted_terms != settings.TERMS_VERSION


def day(version: str) -> str:
    """Returns in words the day that a version names, "1 November 2026" for 2026-11-01; "" if it names none."""
    try:
        return times.whole_day(date.fromisoformat(version))
    except ValueError:
        return ""


def last_agreed(user: "User") -> str:
    """Returns in words the day on which the user last agreed to terms; "" if they never have."""
    moment = user.terms[-1]["at"] if user.terms else ""
    return times.whole_day(timezone.localtime(datetime.fromisoformat(moment)).date()) if moment else ""


class Box(forms.CheckboxInput):
    """A box that posts the version which its page has shown."""

    def __init__(self, attrs: Any = None) -> None:
        super().__init__(attrs, check_test=lambda value: value == settings.TERMS_VERSION)

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        return str(data.get(name) or "")

    def format_value(self, value: Any) -> str:
        """Returns the present version, whichever was sent: a box of another one is not ticked any more."""
        return str(settings.TERMS_VERSION)


class TermsField(forms.CharField):
    """A box to agree to the present terms. Its value, which programs send as well, is the version of the terms."""

    widget = Box
    default_error_messages: ClassVar[dict[str, Any]] = {"required": TICK}

    def __init__(self, said: Any = TICK) -> None:
        super().__init__(label=gettext_lazy("Terms"), error_messages={"required": said})
        self.version, self.day = settings.TERMS_VERSION, day(settings.TERMS_VERSION)

    def clean(self, value: Any) -> str:
        """Returns the present version. Raises ValidationError unless just this one was sent."""
        sent = super().clean(value)
        if sent != settings.TERMS_VERSION:
            said = _("The terms have changed. Read them, and agree once more. They are of version %(now)s now")
            raise ValidationError(said % {"now": settings.TERMS_VERSION}, code="outdated")
        return sent


def form_fields(said: Any = TICK) -> dict[str, forms.Field]:
    """Returns the field of a form for the terms, if there is a version to agree to. `said` asks for a missing tick."""
    return {KEY: TermsField(said)} if settings.TERMS_VERSION else {}


def told(form: forms.BaseForm) -> dict[str, str]:
    """Returns what a JSON door says beside the errors of a form: the version to agree to, if that is among them."""
    return {"terms_version": settings.TERMS_VERSION} if KEY in form.errors else {}


def changes() -> SafeString:
    """Returns as HTML what has changed in the terms (TERMS_CHANGES); "" if the site does not say so."""
    if not settings.TERMS_CHANGES:
        return SafeString()
    text = get_template(settings.TERMS_CHANGES).render()
    is_html = settings.TERMS_CHANGES.endswith(".html")
    return mark_safe(text if is_html else linebreaks(text, autoescape=True))  # noqa: S308 the operator's own, or escaped


def check_changes() -> None:
    """Ends the process with one line if TERMS_CHANGES names no template that can be read. To be called at start."""
    try:
        changes()
    except TemplateDoesNotExist:
        sys.exit(f"TERMS_CHANGES names no template: {settings.TERMS_CHANGES!r} is in none of the folders of templates.")
    except (TemplateSyntaxError, UnicodeDecodeError) as error:
        sys.exit(f"TERMS_CHANGES can't be read: {settings.TERMS_CHANGES}: {' '.join(str(error).split())}")
