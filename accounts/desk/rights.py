"""The rights that a group gives at the desk, in words, and the form of a group."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.utils.html import conditional_escape
from django.utils.translation import gettext_lazy as _

from accounts import desk_offers
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

    renames = forms.BooleanField(label=_("Rename it all the same"), required=False)

    class Meta:
        model = Group
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users: list[str] = []
        if self.instance.pk:
            self.initial["rights"] = list(self.instance.permissions.values_list("codename", flat=True))
            users = desk_offers.users_of(self.instance)
        if users:
            said = _("%(apps)s: these know the group by its name. Change it there, too.")
            self.fields["renames"].help_text = said % {"apps": conditional_escape(", ".join(users))}
        else:
            self.fields.pop("renames", None)

    def clean_name(self) -> str:
        """Returns the name. Raises ValidationError if it is no line that can be printed: mails and lists hold it.

        Another name than before also asks for a tick if others know the group by its name.
        """
        name = plain_line.one_line(self.cleaned_data["name"], str(_("The name")))
        warned = "renames" in self.fields and not forms.BooleanField(required=False).to_python(
            self.data.get(self.add_prefix("renames"))
        )
        if warned and name != self.initial.get("name"):
            said = _("Apps know the group by its name. Look at the box below, and tick it to rename the group.")
            raise ValidationError(said, code="used")
        return name

    def save_rights(self) -> None:
        """Gives the stored group the rights that were ticked, and takes the others. It keeps what RIGHTS lacks."""
        chosen = KNOWN.intersection(self.cleaned_data["rights"])
        group = self.instance
        group.permissions.remove(*group.permissions.filter(codename__in=KNOWN - chosen))
        group.permissions.add(*Permission.objects.filter(codename__in=chosen))
