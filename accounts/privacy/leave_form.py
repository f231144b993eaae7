"""The form with which the owner of an account leaves."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.password.forms import WithProof
from accounts.privacy import handover
from kit.form import VERBATIM

LATER, NOW = "later", "now"


class LeaveForm(WithProof):
    """The form for when the account is deleted, and who takes over what its owner has begun; it asks for proof.

    The page has "later" chosen; a program that sends no `when` means now. Once the form is valid, `colleague` is
    whoever takes over, or None.
    """

    when = forms.ChoiceField(
        label=gettext_lazy("When?"),
        choices=[(LATER, gettext_lazy("In 14 days, unless I come back")), (NOW, gettext_lazy("Now"))],
        widget=forms.RadioSelect,
        required=False,
        initial=LATER,
    )
    hand_to = forms.CharField(
        label=gettext_lazy("Who takes over your open invitations? (optional)"),
        help_text=gettext_lazy("A username or an address. If nobody does, they are withdrawn"),
        required=False,
        widget=forms.TextInput(attrs=VERBATIM | {"autocomplete": "off"}),
    )
    field_order = ("when", "hand_to", "password", "code")

    colleague: User | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open_count = handover.count(self.user)
        if not self.open_count:
            del self.fields["hand_to"]

    def clean_when(self) -> str:
        return str(self.cleaned_data["when"] or NOW)

    def clean(self) -> dict[str, Any]:
        """Returns the cleaned data. A colleague who can't take over is an error, before a code is used up.

        It is looked for once the password was right, and one error says nothing of who has an account. Raises what
        WithProof.clean() raises.
        """
        typed = self.cleaned_data.get("hand_to", "")
        if typed and not self.errors and not self.must_ask_mailbox:
            self.colleague = handover.find_colleague(self.user, typed)
            if self.colleague is None:
                said = _("Nobody of that name or address can take them over. Enter another one, or leave it empty")
                self.add_error("hand_to", ValidationError(said, code="colleague"))
        return super().clean()
