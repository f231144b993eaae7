"""The form with which staff invite one person."""

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from invites.models import Invite
from kit import addresses, plain_line, sure
from kit.sure import SureField
from outbox.models import Suppression


class InviteForm(forms.ModelForm):
    """The form with which staff invite one person, by address; it checks that the address can be invited."""

    email = forms.CharField(label=gettext_lazy("Address"))
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("", gettext_lazy("The site’s language")), *settings.LANGUAGES],
        required=False,
    )
    sure = SureField()

    class Meta:
        model = Invite
        fields = ("email", "note", "language", "sure")

    def clean_email(self) -> str:
        """Returns the normalized address. Raises ValidationError if it is malformed, a likely typo or can't be invited.

        An address can't be invited if it has an account, has a pending invitation from staff, or is suppressed. That of
        a member does not count: staff may not send it again, and it grants less.
        """
        email = addresses.normalize(self.cleaned_data["email"])
        if User.objects.filter(email=email).exists():
            raise ValidationError(_("This address already has an account"))
        if Invite.objects.pending().exclude(source=Invite.Source.MEMBER).filter(email=email).exists():
            said = _("This address is invited already. Search for it in the list to send the invitation again")
            raise ValidationError(said, code="invited")
        suppression = Suppression.objects.of(email)
        if suppression and suppression.is_opt_out:
            said = _("Its owner asked never to be written to. Only a link in a mail to them takes that back.")
            raise ValidationError(said)
        if suppression:
            said = _(
                "Mail to this address came back on %(date)s: %(reason)s. "
                "Lift it under “Addresses we don’t write to”, then invite again."
            )
            since = date_format(timezone.localtime(suppression.created_at), _("j M Y"))
            raise ValidationError(said % {"date": since, "reason": suppression.reason.rstrip(".")})
        sure.ask(self, email)
        return email

    def clean_note(self) -> str:
        """Returns the note. Raises ValidationError if it is too long, has a link or is not one line of plain text."""
        return plain_line.plain(self.cleaned_data["note"])

    def validate_constraints(self) -> None:
        """Skips the check of unique constraints: storing the new invitation replaces an expired one."""
