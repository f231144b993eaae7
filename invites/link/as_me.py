"""Accepting an invitation with the account at hand, though it went to another address: by a code mailed there.

Whoever opens an invitation may have been sent it on. The code shows that they read the invited mailbox now, and is good
for the one account that asked for it, which keeps its own address.
"""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts import groups
from accounts.models import User
from invites import limits, mails
from invites.models import Invite, MagicLink
from kit import rate_limit, short_code, visitor
from kit.form import VERBATIM, Form
from outbox import limits as mail_limits

SALT = "as-me"  # of the codes


class CodeForm(Form):
    """A form for the code that was mailed to the invited address, for `person`."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        required=False,
        widget=forms.TextInput(
            attrs=VERBATIM | {"autocomplete": "one-time-code", "autocapitalize": "characters", "class": "code-in"}
        ),
    )

    def __init__(self, *args: Any, invite: Invite, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invite, self.person = invite, person

    def clean_code(self) -> str:
        """Returns the right code as typed. Raises ValidationError for a wrong one, and after too many of them."""
        typed, person = str(self.cleaned_data["code"]), self.person
        if not typed.strip():
            raise ValidationError(_("Enter the code from the email"), code="required")
        key = f"{self.invite.pk} {person.pk}"
        try:
            limits.CODE_AS_ME.take(key)
        except rate_limit.Limited as reached:
            raise ValidationError(reached.words, code="limited") from None
        if not short_code.fits(typed, SALT, subject(self.invite, person), timezone.now()):
            said = _("That is not the code from the newest email. Check it and try again")
            raise ValidationError(said, code="wrong")
        limits.CODE_AS_ME.give_back(key)
        return typed


def is_possible(link: MagicLink, person: User) -> bool:
    """Returns whether `person` may accept the link's invitation, which went to another address than theirs.

    One into a group that grants permissions stays with its address: rights go to whom they were given.
    """
    invite = link.invite
    return bool(invite and person.is_active and link.email != person.email and not groups.grant_power(invite.group_ids))


def mail_code(request: HttpRequest, invite: Invite, person: User) -> None:
    """Mails a code to the invited address, by which `person` can accept the invitation.

    Raises Limited after too many mails to the address or its mailbox, or from this network.
    """
    network, key = rate_limit.take_due(request), f"{SALT} {invite.email}"
    quotas = ((limits.ASK_PER_ADDRESS_AT_ONCE, key), (limits.ASK_PER_ADDRESS, key))
    mail_limits.take(invite.email, *network, *quotas, site=visitor.site(request))
    now = timezone.now()
    code = short_code.show(SALT, subject(invite, person), now)
    mails.prove_other(invite, person, code, now + short_code.LIFETIME, get_language() or "")


def accept(link: MagicLink, person: User) -> None:
    """Accepts the link's invitation for `person`, who keeps their own address; the invitation says which that is.

    Changes stored rows in one transaction, not these objects. Raises Unavailable when the invitation is over.
    """
    with transaction.atomic():
        link.sign_in(person, "")  # no browser may pass as the one whose second press signs in again
        Invite.objects.filter(email=link.email, accepted_by=person).update(accepted_as=person.email)


def subject(invite: Invite, person: User) -> str:
    """Returns what a code stands for: this invitation, and this account until all its sessions end."""
    return f"{invite.pk} {person.pk} {person.session_epoch}"
