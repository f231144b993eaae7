"""The desk's page of people. It neither shows nor sets anybody's password."""

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ObjectNotUpdated
from django.db.models import Exists, F, OuterRef
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import desk_offers, display_names, names, people_csv, power, profile_fields
from accounts.desk.filters import GoogleFilter, LastSignInFilter, PasswordFilter, PeopleChips
from accounts.desk.person_page import PersonPage, ways_in
from accounts.models import Superseded, User
from kit import addresses
from kit.list_filter import GroupFilter
from kit.times import brief_html

ACCOUNT = gettext_lazy("A person’s account")


class GroupsField(forms.ModelMultipleChoiceField):
    """A box for each group; beside those that grant permissions it says so."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **options: Any) -> None:
        grants = Exists(Permission.objects.filter(group=OuterRef("pk")))
        super().__init__(Group.objects.annotate(grants=grants).order_by("name"), **options)

    def label_from_instance(self, obj: Any) -> str:
        return _("%(group)s (gives rights at the desk)") % {"group": obj.name} if obj.grants else obj.name


class PersonForm(forms.ModelForm):
    """The desk's form for a person, with the site's own rules for usernames and addresses."""

    # Plain fields, without the checks of the model's fields: the methods below check, in our words.
    username = forms.CharField(label=gettext_lazy("Username"))
    name = forms.CharField(
        label=gettext_lazy("Name"), help_text=gettext_lazy("What others read. It may be empty"), required=False
    )
    email = forms.CharField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy(
            "A new address leaves the password, Google and known devices as they are. If somebody else got into the "
            "account, also mail a reset link: the new password drops all other ways in."
        ),
    )
    groups = GroupsField(label=gettext_lazy("Groups"), required=False)

    class Meta:
        model = User
        fields = ("username", "name", "email", "is_active", "is_staff", "is_superuser", "groups")
        labels = {
            "is_active": gettext_lazy("Turned on"),
            "is_staff": gettext_lazy("Staff"),
            "is_superuser": gettext_lazy("Superuser"),
        }
        help_texts = {
            "is_active": gettext_lazy("While it is off, nobody can sign in. Everything is kept."),
            "is_staff": gettext_lazy("They may enter the desk, and do there what they and their groups are allowed."),
            "is_superuser": gettext_lazy("With “Staff”, they may do everything at the desk."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {**self.initial, **profile_fields.first_values(profile_fields.held(self.instance))}

    def clean_username(self) -> str:
        """Returns the username in lower case. Raises ValidationError if it breaks a rule, is reserved or taken."""
        typed = self.cleaned_data["username"]
        if addresses.key(typed) == self.initial.get("username"):  # it may be older than a rule of today
            return str(self.initial["username"])
        name = names.normalize(typed)
        if User.objects.is_taken(name):
            raise names.taken_error(User.objects.free_name(name))
        return name

    def clean_name(self) -> str:
        """Returns the name, perhaps "". Raises ValidationError if it breaks a rule of display_names."""
        typed = self.cleaned_data["name"]
        return typed if typed == self.initial.get("name") else display_names.normalize(typed)

    def clean_email(self) -> str:
        """Returns the address in its one spelling (kit.addresses). Raises ValidationError if it is malformed."""
        return addresses.normalize(self.cleaned_data["email"])


@admin.register(User)
class PersonAdmin(PersonPage):
    """The desk's list of people, and the form that adds or changes one. PersonPage has the page of one."""

    form = PersonForm
    adding = gettext_lazy("New person")
    list_display = ("person", "address", "memberships", "ways_in", "sessions_now", "seen", "state")
    list_filter = (PeopleChips, GroupFilter, PasswordFilter, GoogleFilter, LastSignInFilter)
    sortable_by = indexed = ("person", "address", "seen")

    @admin.display(description=gettext_lazy("person"), ordering="username")
    def person(self, person: User) -> str:
        """Returns the name with the username in brackets, or just the username."""
        return f"{person.name} ({person.username})" if person.name else person.username

    @admin.display(description=gettext_lazy("address"), ordering="email")
    def address(self, person: User) -> str:
        return addresses.readable(person.email)

    @admin.display(description=gettext_lazy("groups"))
    def memberships(self, person: User) -> str:
        return ", ".join(people_csv.group_names(person))

    @admin.display(description=gettext_lazy("details"))
    def details(self, person: User) -> str:
        """Returns what the person has said for the site's own fields."""
        held = profile_fields.held(person)
        given = [field for field in profile_fields.own() if held[field.name]]
        return " · ".join(field.label if field.kind == "box" else field.shown(held[field.name]) for field in given)

    @admin.display(description=gettext_lazy("signs in with"))
    def ways_in(self, person: User) -> str:
        return ways_in(person)

    @admin.display(description=gettext_lazy("sessions"))
    def sessions_now(self, person: User) -> int:
        return person.sessions_now

    @admin.display(description=gettext_lazy("last seen"), ordering=F("last_login").desc(nulls_last=True))
    def seen(self, person: User) -> str:
        return brief_html(person.last_login) if person.last_login else ""

    @admin.display(description=gettext_lazy("state"))
    def state(self, person: User) -> str:
        """Returns whether the account is on, as a tag, and another for whoever may use the desk."""
        tag = desk_offers.state_tag(person)
        return format_html('{} <span class="tag">{}</span>', tag, _("Staff")) if person.is_staff else tag

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Returns the columns of the list; one for what the site asks about people, if it does."""
        details = ("details",) if profile_fields.own() else ()
        return (*self.list_display[:2], *details, *self.list_display[2:])

    def complete(self, rows: Any) -> None:
        people_csv.read(list(rows))

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Returns the fields of the form: for all but superusers without power.RIGHTS."""
        hidden = self.get_readonly_fields(request, obj)
        own = (*profile_fields.form_fields(),)
        return (*(name for name in PersonForm.Meta.fields if name not in hidden), *own)

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Returns the class of the form, with the fields that the site adds. Staff may leave them empty."""
        kwargs["form"] = type("PersonForm", (PersonForm,), profile_fields.form_fields(strict=False))
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Returns the fields that the visitor may not set: for all but superusers, power.RIGHTS."""
        return () if request.user.is_superuser else power.RIGHTS

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Returns whether the visitor may change this person. Only a superuser may change staff and superusers.

        Whoever may change an address can receive its sign-in links, and so gets all rights of that person.
        """
        above = obj is None or request.user.is_superuser or not (obj.is_staff or obj.is_superuser)
        return above and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Stores a new person; or, with `change`, what staff have changed of one.

        A new person has no password, and signs in by a mailed link. Raises IntegrityError if another account has taken
        the name or address since the form was checked, and ObjectNotUpdated if the person was deleted; LongList answers
        both.
        """
        about = profile_fields.values(form.cleaned_data)
        if not change:
            obj.settings = profile_fields.settings_of(about)
            obj.set_unusable_password()
            User.objects.store_new(obj, by="staff")
            return
        columns = [name for name in form.changed_data if name in PersonForm.Meta.fields and name != "groups"]
        obj.change_by_staff(columns)
        try:
            obj.fill_in(about, **power.by(request))
        except Superseded:
            raise ObjectNotUpdated from None

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Stores the person's groups. Then records all that was changed of the person, and mails about it."""
        super().save_related(request, form, formsets, change)
        before, after = changed_values(form, change=change)
        power.record_person(request, form.instance, before, after)

    def in_full(self, row: User) -> str:
        return f"{row.username} ({addresses.readable(row.email)})"

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Deletes the account and mails its owner. Raises DatabaseError if the database fails."""
        if erase(obj.pk):
            power.record(request, ACCOUNT, done="deleted")

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Deletes these accounts one by one, but never the visitor's, and mails their owners.

        Stops at the first that fails, and raises DatabaseError; those before stay deleted, and are recorded.
        """
        gone = 0
        try:
            for key in list(queryset.exclude(pk=request.user.pk).values_list("pk", flat=True)):
                gone += erase(key)
        finally:
            if gone:  # one event and one mail to each superuser, however many people
                power.record(request, format_lazy("{} × {}", ACCOUNT, gone), done="deleted")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Returns whether the visitor may delete this person: not themselves, nor anyone whom they may not change."""
        below = obj is None or (obj != request.user and self.has_change_permission(request, obj))
        return below and super().has_delete_permission(request, obj)


def erase(key: Any) -> bool:
    """Deletes the account with this id as it is now, and mails its owner. Returns False if it was deleted meanwhile.

    Raises DatabaseError if the database fails.
    """
    while person := User.objects.filter(pk=key).first():
        with suppress(Superseded):  # all its sessions ended just now: that keeps nobody from deleting it
            person.erase()
            return True
    return False


def changed_values(form: Any, *, change: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the former and the present values of what a valid PersonForm has changed, of KINDS and RIGHTS in power.

    "groups" becomes a list of names. The site's own fields are there, too. For a new person (`change` is false) only
    rights are there.
    """
    watched = (*((*power.KINDS, *profile_fields.form_fields()) if change else ()), *power.RIGHTS)
    names = [name for name in watched if name in form.changed_data]
    before = {name: plain(form.initial.get(name, False)) for name in names}
    return before, {name: plain(form.cleaned_data[name]) for name in names}


def plain(value: Any) -> Any:
    """Returns a value of the form as JSON can hold it: groups as the list of their names, all else as it is."""
    if isinstance(value, bool | str):
        return value
    return sorted(group.name for group in value)
