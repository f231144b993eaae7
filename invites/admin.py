"""Invitations at the desk: every one, whatever became of it. No token or link is shown."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import addresses
from accounts.models import User
from invites.models import Invite


class InviteForm(forms.ModelForm):
    email = forms.CharField(label=gettext_lazy("email address"))
    language = forms.ChoiceField(
        label=gettext_lazy("language"),
        choices=[("", gettext_lazy("the site’s language")), *settings.LANGUAGES],
        required=False,
    )

    class Meta:
        model = Invite
        fields = ("email", "note", "language")

    def clean_email(self) -> str:
        email = addresses.normalize(self.cleaned_data["email"])
        if User.objects.filter(email=email).exists():
            raise ValidationError(_("This address already has an account"))
        return email

    def validate_constraints(self) -> None:
        """Not here: an address that is invited already is simply sent its mail again."""


@admin.register(Invite)
class InviteAdmin(admin.ModelAdmin):
    form = InviteForm
    list_display = ("email", "state_name", "invited_by", "source", "sent_at", "expires_at", "sends")
    list_filter = ("source",)
    list_select_related = ("invited_by",)
    search_fields = ("email__exact",)
    show_full_result_count = False
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup.removesuffix("__exact") in self.list_filter

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return super().get_search_results(request, queryset, search_term.lower())

    @admin.display(description=gettext_lazy("state"))
    def state_name(self, invite: Invite) -> str:
        return str(invite.state.label)

    def save_model(self, request: HttpRequest, obj: Invite, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in ("email", "note", "language")}
        issued = Invite.objects.issue(**given, source=Invite.Source.ADMIN, invited_by=request.user)
        obj.pk = issued.pk

    def has_change_permission(self, request: HttpRequest, obj: Invite | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invite | None = None) -> bool:
        return False
