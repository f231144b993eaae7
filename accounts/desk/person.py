"""The desk's page of people. It neither shows nor sets anybody's password."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import desk_offers, names, notices
from accounts.desk.actions import PersonActions
from accounts.desk.filters import ActiveFilter, GoogleFilter, LastSignInFilter, PasswordFilter, StaffFilter
from accounts.desk.panels import events_panel, google_panel, sessions_panel
from accounts.models import Event, User
from kit import addresses
from kit.long_list import ago

# The fields whose change at the desk is recorded, and mailed to the owner of the account; with the kind of event.
KINDS = {"email": Event.Kind.EMAIL_CHANGED, "username": Event.Kind.USERNAME_CHANGED, "is_active": Event.Kind.TURNED_OFF}

RIGHTS = ("is_staff", "is_superuser", "groups")


class PersonForm(forms.ModelForm):
    # Plain fields, without the checks of the model's fields: the methods below check, in our words.
    username = forms.CharField(label=gettext_lazy("username"))
    email = forms.CharField(label=gettext_lazy("email address"))

    class Meta:
        model = User
        fields = ("username", "email", "is_active", "is_staff", "is_superuser", "groups")

    def clean_username(self) -> str:
        return names.normalize(self.cleaned_data["username"])

    def clean_email(self) -> str:
        return addresses.normalize(self.cleaned_data["email"])


@admin.register(User)
class PersonAdmin(PersonActions):
    form = PersonForm
    list_display = (
        "email",
        "username",
        "is_verified",
        "seen",
        "sessions_now",
        "ways_in",
        "is_active",
        "joined",
    )
    list_filter = (ActiveFilter, StaffFilter, PasswordFilter, GoogleFilter, LastSignInFilter)
    search_fields = ("email__exact", "username__exact")
    search_help_text = gettext_lazy("A whole address or username")
    readonly_fields = ("last_login", "joined_at", "invites_paused_at")

    @admin.display(description=gettext_lazy("verified"), boolean=True)
    def is_verified(self, person: User) -> bool:
        return person.is_verified

    @admin.display(description=gettext_lazy("last seen"), empty_value="–")
    def seen(self, person: User) -> str:
        return ago(person.last_login) if person.last_login else ""

    @admin.display(description=gettext_lazy("sessions now"))
    def sessions_now(self, person: User) -> int:
        return person.sessions_now

    @admin.display(description=gettext_lazy("ways in"))
    def ways_in(self, person: User) -> str:
        """Returns in words how the person can sign in, besides by the mailed links that everybody can use."""
        ways = [
            _("password") if person.has_usable_password() else "",
            "Google" if person.has_google else "",
            _("authenticator app") if person.has_app else "",
        ]
        return ", ".join(filter(None, ways)) or _("email links only")

    @admin.display(description=gettext_lazy("joined"))
    def joined(self, person: User) -> str:
        return date_format(timezone.localtime(person.joined_at), _("j M Y"))

    def complete(self, rows: Any) -> None:
        User.objects.read_ways_in(rows)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Shows a person's form, and under it the panels of what belongs to them. A POST changes the person."""
        person = self.get_object(request, object_id)
        if person and request.method == "GET":
            own = (sessions_panel, google_panel, events_panel)
            panels = [panel for make in (*own, *desk_offers.PANELS) if (panel := make(request, person))]
            may_change = self.has_change_permission(request, person)
            extra = {"panels": panels, "may_change": may_change}
            kwargs["extra_context"] = extra | (kwargs.get("extra_context") or {})
        return super().change_view(request, object_id, *args, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return self.readonly_fields if request.user.is_superuser else (*self.readonly_fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Returns whether the visitor may change this person. Only a superuser may change staff and superusers.

        Whoever may change an address can receive its sign-in links, and so gets all rights of that person.
        """
        above = obj is None or request.user.is_superuser or not (obj.is_staff or obj.is_superuser)
        return above and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Stores a new person, or what staff have changed of one; that is then mailed to the owner of the account.

        A new person has no password, and signs in by a mailed link.
        """
        if not change:
            obj.set_unusable_password()
            User.objects.store_new(obj, by="staff")
            return
        obj.change_by_staff([name for name in form.changed_data if name != "groups"])
        self.tell(obj, {name: form.initial[name] for name in KINDS if name in form.changed_data})

    def tell(self, obj: User, before: dict[str, Any]) -> None:
        """Records what staff have changed, and mails the owner. `before` has the former value of each changed field."""
        for name, value in before.items():
            kind = Event.Kind.TURNED_ON if name == "is_active" and obj.is_active else KINDS[name]
            Event.objects.record(kind, obj, before=value, by="staff")
        if before:
            notices.mail_staff_changes(obj, before)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Returns only the people, for the page that asks before a deletion, not the rows that are deleted with them.

        These would be many, and Django would name each session by its key.
        """
        people = list(objs)
        kept = {str(self.opts.verbose_name) for person in people if not self.has_delete_permission(request, person)}
        return [person.email for person in people], {self.opts.verbose_name_plural: len(people)}, kept, []

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        obj.erase()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for person in queryset:
            person.erase()

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        below = obj is None or (obj != request.user and self.has_change_permission(request, obj))
        return below and super().has_delete_permission(request, obj)
