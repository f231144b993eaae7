"""The question whether an address with a likely typo is meant: it is asked once, and the answer is believed."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kit import addresses


class SureField(forms.CharField):
    """A hidden field, called `sure`: the address in which a likely typo was pointed out. Sent again, it is believed."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)


def ask(form: forms.BaseForm, email: str) -> None:
    """Raises ValidationError, with the code "typo", for a normalized address in which a typo is likely.

    Its message offers the address that was probably meant. The form then holds `email` in its SureField, so that
    sending it unchanged goes through.
    """
    if form.data.get("sure") == email:
        return
    if meant := addresses.suggestion(email):
        form.data = {name: form.data[name] for name in form.data} | {"sure": email}
        said = _("Did you mean %(meant)s? If not, press the button again.")
        raise ValidationError(said, params={"meant": addresses.readable(meant)}, code="typo")
