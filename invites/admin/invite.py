"""Invitations at the desk: every one, whatever became of it. No token or link is shown."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import addresses
from accounts.models import User
from invites.models import Invite
from mail.models import Suppression

MAILS_SHOWN = 20  # of the newest, on the page of an invite


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
        if suppression := Suppression.objects.of(email):
            said = _(
                "Mail to this address came back on %(date)s: %(reason)s. "
                "Lift it under Suppressed addresses, then invite again."
            )
            since = date_format(timezone.localtime(suppression.created_at), _("j M Y"))
            raise ValidationError(said % {"date": since, "reason": suppression.reason.rstrip(".")})
        return email

    def validate_constraints(self) -> None:
        """Not here: an address that is invited already is simply sent its mail again."""


class DeliveryFilter(admin.SimpleListFilter):
    title = gettext_lazy("delivery")
    parameter_name = "delivery"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("trouble", gettext_lazy("delivery trouble"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.in_trouble() if self.value() == "trouble" else queryset


class InviteList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        Invite.objects.read_mails(self.result_list)


@admin.register(Invite)
class InviteAdmin(admin.ModelAdmin):
    form = InviteForm
    list_display = ("email", "state_name", "delivery", "invited_by", "source", "sent_at", "expires_at", "sends")
    list_filter = ("source", DeliveryFilter)
    list_select_related = ("invited_by",)
    search_fields = ("email__exact",)
    show_full_result_count = False
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup.removesuffix("__exact") in {"source", DeliveryFilter.parameter_name}

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return super().get_search_results(request, queryset, search_term.lower())

    @admin.display(description=gettext_lazy("state"))
    def state_name(self, invite: Invite) -> str:
        return str(invite.state.label)

    @admin.display(description=gettext_lazy("delivery"), empty_value="–")
    def delivery(self, invite: Invite) -> str:
        label = str(invite.delivery.label) if invite.delivery else ""
        if invite.newest_mail is None or invite.newest_mail.attempts < 2:
            return label
        return _("%(status)s, tries: %(tries)s") % {"status": label, "tries": invite.newest_mail.attempts}

    @admin.display(description=gettext_lazy("mails"))
    def mails(self, invite: Invite) -> str:
        return render_to_string("admin/invites/invite/mails.html", {"mails": invite.mails[:MAILS_SHOWN]})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return InviteList

    def get_fields(self, request: HttpRequest, obj: Invite | None = None) -> Any:
        return [*InviteForm.Meta.fields, *(["mails"] if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Invite | None = None) -> list[str]:
        return ["mails"] if obj else []

    def save_model(self, request: HttpRequest, obj: Invite, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in ("email", "note", "language")}
        issued = Invite.objects.issue(**given, source=Invite.Source.ADMIN, invited_by=request.user)
        obj.pk = issued.pk

    def has_change_permission(self, request: HttpRequest, obj: Invite | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invite | None = None) -> bool:
        return False
