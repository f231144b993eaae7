"""People at the desk. Nobody's password can be read or set here."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import addresses, names, notices
from accounts.models import Event, User

# A person has exactly one address, kept by the pages that prove it; what else opens an account nobody may read here.
admin.site.unregister([EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken])


# What somebody at the desk changes, its owner is told of.
TOLD = {"email": Event.Kind.EMAIL_CHANGED, "username": Event.Kind.USERNAME_CHANGED, "is_active": Event.Kind.TURNED_OFF}

RIGHTS = ("is_staff", "is_superuser", "groups")


class PersonForm(forms.ModelForm):
    username = forms.CharField(label=_("username"))  # without Django's own checks: names.normalize has the words
    email = forms.CharField(label=_("email address"))

    class Meta:
        model = User
        fields = ("username", "email", "is_active", "is_staff", "is_superuser", "groups")

    def clean_username(self) -> str:
        return names.normalize(self.cleaned_data["username"])

    def clean_email(self) -> str:
        return addresses.normalize(self.cleaned_data["email"])


@admin.register(User)
class PersonAdmin(admin.ModelAdmin):
    form = PersonForm
    list_display = ("email", "username", "is_active", "is_staff", "last_login", "joined_at")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email__exact", "username__exact")
    show_full_result_count = False
    ordering = ("-id",)
    list_per_page = 50
    readonly_fields = ("last_login", "joined_at")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Filters only by what is listed: by any other, a hash could be guessed letter by letter."""
        return lookup.removesuffix("__exact") in self.list_filter

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By the whole name or address: both are stored in lower case and indexed so."""
        return super().get_search_results(request, queryset, search_term.lower())

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return self.readonly_fields if request.user.is_superuser else (*self.readonly_fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever may change an address can receive its sign-in links: rights are changed only from above."""
        above = obj is None or request.user.is_superuser or not (obj.is_staff or obj.is_superuser)
        return above and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """A new person signs in by a mailed link; a changed address is theirs on the admin's word."""
        if change:
            # Only what was changed: the rest was read a while ago, and must not bring ended sessions back.
            obj.save(update_fields=[name for name in form.changed_data if name != "groups"])
            obj.own_address()
        else:
            obj.set_unusable_password()
            obj.begin(by="staff")
        if change and (not obj.is_active or "email" in form.changed_data):
            obj.end_sessions()
        if change:
            self.tell(obj, {name: form.initial[name] for name in TOLD if name in form.changed_data})

    def tell(self, obj: User, before: dict[str, Any]) -> None:
        for name, value in before.items():
            kind = Event.Kind.TURNED_ON if name == "is_active" and obj.is_active else TOLD[name]
            Event.objects.record(kind, obj, before=value, by="staff")
        if before:
            notices.by_staff(obj, before)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        obj.erase()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for person in queryset:
            person.erase()

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        below = obj is None or (obj != request.user and self.has_change_permission(request, obj))
        return below and super().has_delete_permission(request, obj)


@admin.register(Event)
class HistoryAdmin(admin.ModelAdmin):
    """Everybody's security history, to read."""

    list_display = ("at", "user", "kind", "ip", "device")
    list_filter = ("kind",)
    list_select_related = ("user",)
    search_fields = ("user",)  # get_search_results knows how
    search_help_text = _("A username or an address")
    show_full_result_count = False
    ordering = ("-id",)
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup.removesuffix("__exact") in self.list_filter

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By the person, who is looked up first: the history is long, and indexed by its owner."""
        user = User.objects.by_login(search_term)
        return (queryset.filter(user=user) if user else queryset.none()) if search_term else queryset, False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False
