"""The form by which staff correct an open invitation: the address, the name, the note and the app."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import groups
from accounts.models import User
from invites.batch.leads import Leads
from invites.models import Invite
from invites.models.joining import accounts_of, lacks
from kit import addresses, plain_line, sure
from kit.sure import SureField
from outbox.models import Suppression
from sso.models import App


class CorrectForm(forms.ModelForm):
    """The form that corrects an open invitation. `into` are then the ids of the groups that it is to lead into.

    With another app, the group by which the former one lets people in goes, unless the new one takes it too, and the
    group of the new one comes: whoever was invited to the wrong app is not to have it.
    """

    email = forms.CharField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("If you change it, the old link stops working, and the new address gets a new one."),
    )
    name = forms.CharField(label=gettext_lazy("Name"), required=False)
    note = forms.CharField(label=gettext_lazy("Note"), required=False)
    app = forms.ChoiceField(
        label=gettext_lazy("App they come for"),
        required=False,
        help_text=gettext_lazy("With another app, the group that opens it takes the place of the former one’s."),
        error_messages={"invalid_choice": gettext_lazy("The app you chose is gone or turned off. Choose again")},
    )
    sure = SureField()

    class Meta:
        model = Invite
        fields = ("email", "name", "note", "sure")

    def __init__(self, by: User, *args: Any, **kwargs: Any) -> None:
        """Makes the form of a member of staff, whose rights say where an invitation may lead."""
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.by, self.leads, self.into = by, Leads.of(by), tuple(self.instance.group_ids)
        self.before = self.instance.app_id or ""
        self.initial["app"] = self.before
        named = {app.pk: app.name for app in self.leads.apps}
        if self.instance.app:
            named |= {self.before: named.get(self.before, app_name(self.instance.app))}
        if named:
            self.fields["app"].choices = [("", gettext_lazy("None: just an account")), *named.items()]  # type: ignore[attr-defined]
        else:
            del self.fields["app"]

    @property
    def said(self) -> dict[str, Any]:
        """What the invitation is to say, as columns of it: valid data alone."""
        said = {name: self.cleaned_data[name] for name in ("email", "name", "note")}
        app = self.cleaned_data.get("app", self.before)
        return said | {"app_id": app or None} | ({"next": ""} if app else {})

    @property
    def changes_of_groups(self) -> str:
        """Which groups the person joins, and joins no more, by another app; "" if they are as before."""
        had, has = set(self.instance.group_ids), set(self.into)
        names = dict(Group.objects.filter(pk__in=had ^ has).order_by("name").values_list("pk", "name"))
        come, gone = (", ".join(names[pk] for pk in names if pk in some) for some in (has - had, had - has))
        said = [_("By accepting, the person joins %(groups)s.") % {"groups": come}] if come else []
        return " ".join(said + ([_("They do not join %(groups)s any more.") % {"groups": gone}] if gone else []))

    def clean_email(self) -> str:
        """Returns the normalized address. Raises ValidationError if it is malformed."""
        return addresses.normalize(self.cleaned_data["email"])

    def clean_name(self) -> str:
        """Returns the name. Raises ValidationError if it is too long, has a link or is not one line of plain text."""
        return plain_line.plain(self.cleaned_data["name"], 100, _("The name"))

    def clean_note(self) -> str:
        """Returns the note. Raises ValidationError if it is too long, has a link or is not one line of plain text."""
        return plain_line.plain(self.cleaned_data["note"])

    def clean_app(self) -> str:
        """Returns the id of the app, or "", and notes the groups. Raises ValidationError if it opens to nobody by this.

        A form that says nothing of an app leaves it as it is.
        """
        chosen = str(self.cleaned_data["app"]) if "app" in self.data else self.before
        if chosen != self.before:
            self.into = self.leads.join(self.leads.find(chosen), self.without_former(chosen))
        return chosen

    def without_former(self, chosen: str) -> tuple[int, ...]:
        """Returns its groups without those by which the former app alone lets people in, but not the `chosen` one."""
        former = App.objects.filter(pk=self.before, everybody=False).exclude(groups=None)
        doors = set(former.values_list("groups", flat=True))
        doors -= set(App.objects.filter(pk=chosen).exclude(groups=None).values_list("groups", flat=True))
        return tuple(pk for pk in self.into if pk not in doors)

    def clean(self) -> dict[str, Any]:
        """Returns the cleaned data. Another address that can't be invited, or is a likely typo, becomes an error."""
        email = self.cleaned_data.get("email", self.initial["email"])
        if email != self.initial["email"]:
            try:
                self.check_address(email)
            except ValidationError as error:
                self.add_error("email", error)
        return self.cleaned_data

    def check_address(self, email: str) -> None:
        """Raises ValidationError if the invitation can't be sent to this other address, or it is a likely typo."""
        if refusal := self.refusal(email):
            raise ValidationError(refusal)
        sure.ask(self, email)

    def refusal(self, email: str) -> str:
        """Returns why the invitation can't be sent to this address, or ""."""
        account = accounts_of([email]).get(email)
        if account and not lacks(account, self.into):
            return _("This address already has an account")
        # What a member has sent there does not count: it grants less.
        if Invite.objects.pending().exclude(source=Invite.Source.MEMBER).filter(email=email).exists():
            return _("This address is invited already. Withdraw one of the two invitations")
        if suppression := Suppression.objects.of(email):
            said = _("No mail goes there: %(why)s. See “Addresses we don’t write to”")
            return said % {"why": suppression.explanation.rstrip(".")}
        if not self.by.is_superuser and groups.grant_power(self.into):
            return _("It leads into a group with rights at the desk. Only a superuser may send it to another address")
        return ""

    def validate_constraints(self) -> None:
        """Skips the check of unique constraints: an expired invitation to the address is replaced."""


def app_name(app: App) -> str:
    """Returns the name of an app, and that it is turned off, if so."""
    return app.name if app.is_active else _("%(app)s (turned off)") % {"app": app.name}
