"""Asking to be let into an app, and the answer that is no. The answer that is yes is an invitation to the app."""

from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import preferences
from accounts.models import Event, User
from accounts.notices import without_link
from kit import plain_line, times
from kit.addresses import readable
from kit.form import Form
from kit.rate_limit import Limited
from outbox.mail.write import post, write
from outbox.models import OutboxMessage
from sso.limits import ACCESS_NOTICES_PER_APP
from sso.models import AccessRequest, App

MOST_TOLD = 20  # superusers: whoever asks waits until their mails are written


class AskForm(Form):
    """What somebody who asks may add: one plain line, or ""."""

    words = forms.CharField(
        label=_("A line to them (optional)"),
        help_text=_("200 characters or less, without links"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_words(self) -> str:
        """Returns the line. Raises ValidationError if it is too long, holds a link or is not one plain line."""
        return plain_line.plain(self.cleaned_data["words"], what=gettext("The line"))


def may_ask(app: App, person: User) -> bool:
    """Returns whether a group would let the person in. `app` comes from AppQuerySet.with_access_of()."""
    return app.is_active and not app.lets_in and not (app.staff_only and not (person.is_staff or person.is_superuser))


@transaction.atomic
def ask(app: App, person: User, words: str, **trace: Any) -> None:
    """Stores that the person asks to be let in, and mails superusers, once a day for each app.

    Asking again, while they wait or within a week of an answer, changes nothing. `trace` is the ip and device of the
    request. Raises IntegrityError if the app or the person has been deleted meanwhile.
    """
    if not AccessRequest.objects.ask(app, person, words):
        return
    Event.objects.record(Event.Kind.APP_ASKED, person, app=app.name, **trace)
    try:
        ACCESS_NOTICES_PER_APP.take(app.pk)
    except Limited:
        return
    tell_superusers(app, person)


def tell_superusers(app: App, person: User) -> None:
    """Mails superusers that the person asks to be let into the app. The mails are stored in the outbox."""
    mails = []
    for superuser in User.objects.usable().filter(is_superuser=True).order_by("pk")[:MOST_TOLD]:
        with preferences.override(superuser.settings) as language:
            context = {
                "username": without_link(person.username),
                "email": readable(person.email),
                "app": app.name,
                "url": f"{settings.SITE_URL}{reverse('admin:sso_app_change', args=[app.pk])}",
            }
            mails.append(write("access_asked", superuser.email, context, language=language))
    OutboxMessage.objects.bulk_create(mails)


@transaction.atomic
def decline(asked: AccessRequest, **by: Any) -> bool:
    """Answers a request with a no, and mails it to whoever asked. Returns False if somebody has answered before.

    `by` is who declines, as accounts.power.by() says it.
    """
    if not AccessRequest.objects.filter(pk=asked.pk).answer():
        return False
    Event.objects.record(Event.Kind.APP_DECLINED, asked.person, app=asked.app.name, **by)
    with preferences.override(asked.person.settings) as language:
        context = {"app": asked.app.name, "sent": times.on(asked.asked_at), "when": times.on(timezone.now())}
        post("access_declined", asked.person.email, context, language=language)
    return True
