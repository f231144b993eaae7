"""Webhooks at the desk. A secret is shown only once, on the page that answers the POST that made it."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from kit.long_list import LongList
from kit.page import mark_secret
from outbox.models import Webhook
from outbox.models.webhook import EVENTS, Renewed
from outbox.webhooks import targets

SHOWN = 20  # newest deliveries on the page of a webhook
LOOK_UP = 5.0  # seconds that looking up the host of a URL may take


class WebhookForm(forms.ModelForm):
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=[(name, name) for name in EVENTS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("None means all, also those that will be added."),
    )

    class Meta:
        model = Webhook
        fields = ("url", "events", "is_active")
        widgets = {"url": AdminTextInputWidget(attrs={"class": "vLargeTextField"})}
        help_texts = {
            "url": gettext_lazy("Where events are sent, such as https://example.com/hook"),
            "is_active": gettext_lazy("While it is off, events that happen are not kept for it."),
        }

    def clean_url(self) -> str:
        """Returns the URL in the form that will be called. Raises ValidationError if it must not be called.

        An unchanged URL is not checked: staff must be able to turn a webhook off even if its host has lost its name.
        """
        typed = str(self.cleaned_data["url"])
        if "url" not in self.changed_data:
            return typed
        try:
            target = targets.read(typed)
            targets.addresses(target, LOOK_UP)
        except targets.Unfit as error:
            raise ValidationError(str(error), code="unfit") from None
        return target.url


@admin.register(Webhook)
class WebhookAdmin(LongList):
    """The list of webhooks, their forms, and the pages that renew a secret, send a test event, and retry deliveries."""

    form = WebhookForm
    adding = gettext_lazy("New webhook")
    list_display = ("url", "events_in_words", "state", "created_at")
    actions = None

    @admin.display(description=gettext_lazy("events"))
    def events_in_words(self, webhook: Webhook) -> str:
        return ", ".join(webhook.events) or _("all")

    @admin.display(description=gettext_lazy("state"))
    def state(self, webhook: Webhook) -> str:
        if not webhook.is_active:
            return _("off")
        return _("slow or away") if webhook.paused_until else _("on")

    def get_urls(self) -> list[Any]:
        pages = {"secret": self.secret, "test": require_POST(self.test), "retry": require_POST(self.retry)}
        own = [
            path(f"<path:pk>/{name}/", self.admin_site.admin_view(view), name=f"outbox_webhook_{name}")
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        """Stores the webhook. A new one gets a secret, which `fresh_secret` keeps for response_add().

        Of one that exists, only the changed fields are stored, and its pause ends. Raises IntegrityError if another
        webhook has been stored with the same URL meanwhile, and ObjectNotUpdated if this one has been deleted;
        LongList answers both.
        """
        if change:
            obj.change(form.changed_data)
        else:
            obj.fresh_secret = obj.store_new()  # type: ignore[attr-defined]  # for response_add(), which shows it

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None) -> HttpResponse:
        """Returns the page after a webhook is added: it shows the secret, this one time."""
        return self.show_secret(request, obj, obj.fresh_secret)  # type: ignore[attr-defined]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Shows the form of a webhook and, below it, its newest deliveries with their results.

        POST saves the form and leads to the list ("Save and continue": back to the form), or shows its errors. An
        unknown `object_id` leads to the desk's front page with a message. Raises PermissionDenied if the person may not
        see webhooks or, for POST, not change them.
        """
        webhook = self.get_object(request, object_id)
        if webhook and request.method == "GET":
            deliveries = list(webhook.deliveries.order_by("-id").defer("payload")[:SHOWN])
            may_change = self.has_change_permission(request)
            may_retry = may_change and any(delivery.is_retriable for delivery in deliveries)
            shown = {"deliveries": deliveries, "may_change": may_change, "may_retry": may_retry}
            kwargs["extra_context"] = shown | (kwargs.get("extra_context") or {})
        return super().change_view(request, object_id, *args, **kwargs)

    def secret(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Asks whether to make a new secret. POST makes it, and shows it this one time.

        If the secret was renewed since the page was opened, POST changes nothing and leads to the webhook's page with a
        warning. Raises PermissionDenied if the person may not change webhooks, and Http404 if there is no such webhook.
        """
        webhook = self.get_changeable(request, pk)
        if request.method != "POST":
            context = {"title": _("Make a new secret?"), "made_at": webhook.secret_made_at.isoformat()}
            return self.render_page(request, "new_secret", webhook, context)
        try:
            made = webhook.renew_secret(parse_moment(request.POST.get("made_at", "")))
        except Renewed:
            said = _("Another secret has just been made, and nothing was changed now. To make one more, start again.")
            self.message_user(request, said, messages.WARNING)
            return redirect("admin:outbox_webhook_change", webhook.pk)
        self.log_change(request, webhook, "New secret")
        return self.show_secret(request, webhook, made, renewed=True)

    def show_secret(
        self, request: HttpRequest, webhook: Webhook, secret: str, *, renewed: bool = False
    ) -> HttpResponse:
        """Returns the page with a new secret. `renewed`: it replaces another, which still signs for BOTH_SIGN."""
        context = {"title": _("The secret of this webhook"), "secret": secret, "renewed": renewed}
        return mark_secret(self.render_page(request, "secret", webhook, context))

    def test(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Stores a test event for the webhook, ends its pause, and leads back to its page. POST only.

        Only warns if the webhook is off. Raises PermissionDenied if the person may not change webhooks, and Http404 if
        there is no such webhook.
        """
        webhook = self.get_changeable(request, pk)
        if self.is_on(request, webhook):
            webhook.announce("webhook.test")
            webhook.resume()
            self.message_user(request, _("A test event is on its way. Reload this page to see what came of it."))
        return redirect("admin:outbox_webhook_change", webhook.pk)

    def retry(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Makes deliveries due again that were given up, ends the webhook's pause, and leads to its page. POST only.

        `delivery` in the form is the id of one delivery; without it, all are tried again. Only warns if the webhook is
        off. Raises PermissionDenied if the person may not change webhooks, and Http404 if there is no such webhook.
        """
        webhook = self.get_changeable(request, pk)
        if not self.is_on(request, webhook):
            return redirect("admin:outbox_webhook_change", webhook.pk)
        rows: Any = webhook.deliveries.all()
        if chosen := request.POST.get("delivery", ""):
            rows = rows.filter(pk=int(chosen)) if chosen.isdecimal() and len(chosen) < 19 else rows.none()
        count = rows.retry()
        webhook.resume()
        said = ngettext("%(count)s event is tried again.", "%(count)s events are tried again.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS if count else messages.WARNING)
        return redirect("admin:outbox_webhook_change", webhook.pk)

    def is_on(self, request: HttpRequest, webhook: Webhook) -> bool:
        """Returns whether the webhook is on; if it is off, a warning says that nothing was sent."""
        if not webhook.is_active:
            said = _("Nothing was sent: this webhook is off. Turn it on first.")
            self.message_user(request, said, messages.WARNING)
        return webhook.is_active

    def get_changeable(self, request: HttpRequest, pk: str) -> Webhook:
        """Returns the webhook with the primary key `pk`, as it stands in the admin's URLs.

        Raises PermissionDenied if the person may not change webhooks, Http404 if there is no such webhook.
        """
        if not self.has_change_permission(request):
            raise PermissionDenied
        webhook = self.get_object(request, unquote(pk))
        if webhook is None:
            raise Http404
        return webhook

    def render_page(self, request: HttpRequest, page: str, webhook: Webhook, context: dict[str, Any]) -> HttpResponse:
        """Returns the page about `webhook` from the template admin/outbox/webhook/`page`.html, filled with `context`.

        No cache may store the page: it may hold a secret.
        """
        common = {**self.admin_site.each_context(request), "opts": self.opts, "webhook": webhook}
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(request, f"admin/outbox/webhook/{page}.html", common | context, headers=headers)

    def in_full(self, row: Webhook) -> str:
        return row.url


def parse_moment(text: str) -> datetime:
    """Returns the time in `text`, which is ISO 8601 and says when the secret to be replaced was made.

    Returns the current time if `text` is invalid: no secret was made then, so renew_secret() replaces none.
    """
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        moment = timezone.now()
    return moment
