"""The rights that a group gives at the desk, in words, and the form of a group."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext_lazy as _

from kit import plain_line

# All permissions that a page of the desk asks for. Others exist, but nothing asks for them.
RIGHTS: list[tuple[Any, dict[str, Any]]] = [
    (
        _("Invitations"),
        {
            "view_invite": _("see invitations, lists of people, and where people stop"),
            "add_invite": _("invite people"),
            "change_invite": _("remind, correct, send again, extend and withdraw"),
        },
    ),
    (
        _("People"),
        {
            "view_user": _("see people"),
            "add_user": _("add people"),
            "change_user": _("change and turn off people, end their sessions"),
            "delete_user": _("delete people"),
            "view_event": _("see the security history"),
            "view_group": _("see groups"),
        },
    ),
    (
        _("Mail"),
        {
            "view_outboxmessage": _("see outgoing mail"),
            "change_outboxmessage": _("try mail again"),
            "view_suppression": _("see addresses we don’t write to"),
            "delete_suppression": _("write to such an address again"),
        },
    ),
    (
        _("Apps"),
        {
            "view_app": _("see apps"),
            "change_app": _("connect, change, turn off and delete apps"),
        },
    ),
    (
        _("Webhooks"),
        {
            "view_webhook": _("see webhooks"),
            "add_webhook": _("add webhooks"),
            "change_webhook": _("change webhooks"),
            "delete_webhook": _("delete webhooks"),
        },
    ),
]
KNOWN = {codename for _label, rights in RIGHTS for codename in rights}


class GroupForm(forms.ModelForm):
    """The desk's form for a group: its name, and a box for each right that it gives at the desk."""

    rights = forms.MultipleChoiceField(
        label=_("What its members may do at the desk"),
        help_text=_("Nothing for a group that only tells people apart. Members must be staff, too, to enter the desk"),
        choices=[(label, list(rights.items())) for label, rights in RIGHTS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = Group
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["rights"] = list(self.instance.permissions.values_list("codename", flat=True))

    def clean_name(self) -> str:
        """Returns the name. Raises ValidationError if it is no line that can be printed: mails and lists hold it."""
        return plain_line.one_line(self.cleaned_data["name"], str(_("The name")))

    def save_rights(self) -> None:
        """Gives the stored group the rights that were ticked, and takes the others. It keeps what RIGHTS lacks."""
        chosen = KNOWN.intersection(self.cleaned_data["rights"])
        group = self.instance
        group.permissions.remove(*group.permissions.filter(codename__in=KNOWN - chosen))
        group.permissions.add(*Permission.objects.filter(codename__in=chosen))
