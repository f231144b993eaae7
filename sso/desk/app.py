"""Apps at the desk. A secret is shown only once, on the page that answers the POST that made it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import power
from kit.list_filter import capped_in_words
from kit.long_list import LongList
from kit.one_row import OneRow
from kit.page import mark_secret
from kit.times import brief_html
from sso import access, addresses, products, went_wrong
from sso.app_form import AppForm
from sso.back_channel import in_words
from sso.desk.facts import about, values, who_may_come_in
from sso.models import AccessRequest, App
from sso.models.app import Renewed
from sso.remarks import remarks

SHOWN = 20  # people who ask for access, on the page of an app
LONGEST_ID = 19  # digits that fit into the key of a row
LOOK_UP = 3.0  # seconds that looking up the host of a logout address may take


@admin.register(App)
class AppAdmin(OneRow, LongList):
    """The list of apps, the page and the form of one, and what is done with it.

    Whoever may change apps may do all of it: who sets where an app leads people back can sign in to it as anybody.
    """

    form = AppForm
    fields = AppForm.Meta.fields
    adding = gettext_lazy("Connect an app")
    list_display = ("app", "who", "people", "seen", "told", "state")
    ordering = ("-made_at",)
    actions = None

    @admin.display(description=gettext_lazy("app"))
    def app(self, app: App) -> str:
        return app.name

    @admin.display(description=gettext_lazy("who may come in"))
    def who(self, app: App) -> str:
        return who_may_come_in(app)

    @admin.display(description=gettext_lazy("people of late"))
    def people(self, app: App) -> str:
        return capped_in_words(app.people)

    @admin.display(description=gettext_lazy("last sign-in"))
    def seen(self, app: App) -> str:
        return brief_html(app.last_use) if app.last_use else ""

    @admin.display(description=gettext_lazy("last sign-out it was told of"))
    def told(self, app: App) -> str:
        return in_words.outcome(app.last_call) if app.last_call else ""

    @admin.display(description=gettext_lazy("state"))
    def state(self, app: App) -> str:
        words, tone = (pgettext("app", "On"), "ok") if app.last_use else (_("Nobody has come yet"), "warn")
        if not app.is_active:
            words, tone = pgettext("app", "Turned off"), ""
        return format_html('<span class="{}">{}</span>', f"tag {tone}".strip(), words)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Shows the list, with a line that says what an app is."""
        subtitle = _("Programs that let people in with their account here.")
        return super().changelist_view(request, {"subtitle": subtitle, **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[App]:
        return super().get_queryset(request).select_related("client")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> App | None:
        """Returns the app with this id, None if there is none. What is not printable, such as a NUL, is no id."""
        found: App | None = super().get_object(request, object_id, from_field) if object_id.isprintable() else None
        return found

    def complete(self, rows: Iterable[App]) -> None:
        """Attaches to these apps who may come in, how they are used, and what became of the last call to each."""
        listed = list(rows)
        App.objects.prefetch_groups(listed)
        App.objects.count_use(listed)
        App.objects.find_last_calls(listed)

    def get_urls(self) -> list[Any]:
        pages = {
            "edit": require_safe(self.edit),
            "secret": self.secret,
            "off": require_POST(self.turn_off),
            "on": require_POST(self.turn_on),
            "end": require_POST(self.end),
            "decline": require_POST(self.decline),
        }
        own = [
            path(f"<str:pk>/{name}/", self.admin_site.admin_view(view), name=f"sso_app_{name}")
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: App | None = None) -> Any:
        return self.fields if obj else (*self.fields, "new_id")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Shows the form of a new app, and stores it on POST.

        A form that was sent before makes no second app: it leads to the page of the first, with a warning. Raises
        PermissionDenied if the visitor may not change apps.
        """
        try:
            return super().add_view(request, form_url, extra_context)
        except IntegrityError:
            app = self.get_object(request, request.POST.get("new_id", ""))
            if app is None:
                raise
        said = _("%(app)s is connected already: the form came twice. Its secret can’t be shown again. Make a new one.")
        self.message_user(request, said % {"app": app}, messages.WARNING)
        return redirect("admin:sso_app_change", app.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: App | None = None) -> bool:
        """Returns whether the visitor may delete this app: it must be turned off first."""
        return self.has_change_permission(request, obj) and (obj is None or not obj.is_active)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Shows an app. The POST is that of the form of edit().

        An unknown id leads to the start of the desk. Raises PermissionDenied if the visitor may not view or, by a POST,
        not change apps.
        """
        app = self.get_object(request, object_id)
        if app and self.shows(request, app):
            return self.page_of(request, app)
        return super().change_view(request, object_id, *args, **kwargs)

    def page_of(self, request: HttpRequest, app: App, secret: str = "", *, renewed: bool = False) -> HttpResponse:
        """Returns the page of an app; with its `secret`, if it was made just now. No cache may store it."""
        self.complete([app])
        shown = {
            "secret": secret,
            "renewed": renewed,
            "file": products.of(app).file,
            "configuration": products.configuration(app, secret or "…"),
            "values": values(app, secret),
            "about": about(app),
            "remarks": remarks(app, len(app.groups.all())),
            "state": self.state(app),
            "last_use": app.last_use,
            "wrong": went_wrong.last(app.pk),
            "asking": AccessRequest.objects.waiting().filter(app=app).select_related("person")[:SHOWN],
            "may_change": self.has_change_permission(request, app),
        }
        response = self.show(request, "admin/sso/app/page.html", app, shown)
        response["Cache-Control"] = "no-store"
        return mark_secret(response) if secret else response

    def edit(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Shows the form that changes an app; it posts to change_view()."""
        app = self.get_changeable(request, pk)
        return self.changeform_view(request, app.pk, reverse("admin:sso_app_change", args=[app.pk]))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Returns the page of a form, without deletion: it is on the page of the app."""
        return super().render_change_form(request, context | {"show_delete": False}, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: App, form: Any, change: bool) -> None:
        """Stores the app. A new one gets a secret, which `fresh_secret` keeps for response_add()."""
        if change:
            form.store_changes()
        else:
            obj.fresh_secret = form.store_new()  # type: ignore[attr-defined]  # for response_add(), which shows it

    def response_add(self, request: HttpRequest, obj: App, post_url_continue: str | None = None) -> HttpResponse:
        """Returns the page after an app is added: it shows the secret, this one time."""
        said = _("%(app)s is connected. Paste the values below, then try it.") % {"app": obj}
        self.message_user(request, said, messages.SUCCESS)
        self.warn_of_network(request, obj)
        secret = obj.fresh_secret  # type: ignore[attr-defined]
        return self.page_of(request, obj, secret if obj.has_secret else "")

    def response_change(self, request: HttpRequest, obj: App) -> HttpResponse:
        """Leads to the page of the app, after its form was stored."""
        self.message_user(request, _("Saved: %(row)s.") % {"row": obj}, messages.SUCCESS)
        self.warn_of_network(request, obj)
        return redirect("admin:sso_app_change", obj.pk)

    def warn_of_network(self, request: HttpRequest, app: App) -> None:
        """Warns staff, by a message, if we may not call the app's logout address, or don't find it."""
        why = addresses.network_looked_up(app.logout_uri, LOOK_UP) if app.logout_uri else ""
        if why:
            said = _("We can’t tell the app of sign-outs now: %(why)s Its operator’s setting is %(setting)s.")
            blanks = {"why": why, "setting": "WEBHOOKS_ALLOWED_NETWORKS"}
            self.message_user(request, said % blanks, messages.WARNING)

    def secret(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Asks whether to make a new secret. POST makes it, and shows it this one time.

        If the secret was renewed since the page was opened, POST changes nothing and leads to the app's page with a
        warning. Raises PermissionDenied if the person may not change apps, and Http404 if the app has no secret.
        """
        app = self.get_changeable(request, pk)
        if not app.has_secret:
            raise Http404
        if request.method != "POST":
            shown = {"title": _("Make a new secret?"), "fingerprint": app.fingerprint}
            return self.show(request, "admin/sso/app/new_secret.html", app, shown)
        try:
            made = app.renew_secret(request.POST.get("fingerprint", ""))
        except Renewed:
            said = _("Another secret has just been made, and nothing was changed now. To make one more, start again.")
            self.message_user(request, said, messages.WARNING)
            return redirect("admin:sso_app_change", app.pk)
        self.tell(request, app, gettext_lazy("new secret"))
        return self.page_of(request, app, made, renewed=True)

    def turn_off(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Turns the app off, ends everybody's login to it, and leads to its page. POST only."""
        app = self.get_changeable(request, pk)
        app.turn_off()
        self.tell(request, app, pgettext_lazy("app", "turned off"))
        self.message_user(request, _("%(app)s is turned off, and everybody is signed out of it.") % {"app": app})
        return redirect("admin:sso_app_change", app.pk)

    def turn_on(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Turns the app on, and leads to its page. POST only."""
        app = self.get_changeable(request, pk)
        app.turn_on()
        self.tell(request, app, pgettext_lazy("app", "turned on"))
        self.message_user(request, _("%(app)s is turned on.") % {"app": app})
        return redirect("admin:sso_app_change", app.pk)

    def end(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Signs everybody out of the app, and leads to its page. POST only."""
        app = self.get_changeable(request, pk)
        app.end_logins()
        self.tell(request, app, gettext_lazy("everybody signed out"))
        said = _("Everybody is signed out of %(app)s. Who is signed in here may come in again.")
        self.message_user(request, said % {"app": app})
        return redirect("admin:sso_app_change", app.pk)

    def decline(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Answers with a no the request for access whose id is posted, and leads to the app's page. POST only."""
        app = self.get_changeable(request, pk)
        sent = request.POST.get("request", "")
        rows = AccessRequest.objects.waiting().select_related("person", "app__client").filter(app=app)
        asked = rows.filter(pk=sent).first() if sent.isascii() and sent.isdecimal() and len(sent) < LONGEST_ID else None
        if asked and access.decline(asked, **power.by(request)):
            self.message_user(request, _("%(who)s is told by email.") % {"who": asked.person.shown_name})
        else:
            self.message_user(request, _("Somebody has answered that already. Nothing was changed."), messages.WARNING)
        return redirect("admin:sso_app_change", app.pk)

    def tell(self, request: HttpRequest, app: App, what: Any) -> None:
        """Records in the visitor's history what they did with the app, and mails it to all other superusers."""
        power.record(request, format_lazy("{} {} ({})", self.opts.verbose_name, app.name, what))

    def delete_model(self, request: HttpRequest, obj: App) -> None:
        """Deletes the app with all that was kept for it."""
        obj.delete_for_good()

    def get_changeable(self, request: HttpRequest, pk: str) -> App:
        """Returns the app with this id, which stands in the desk's URLs as it is: it is of letters and digits.

        Raises PermissionDenied if the person may not change apps, Http404 if there is no such app.
        """
        if not self.has_change_permission(request):
            raise PermissionDenied
        app = self.get_object(request, pk)
        if app is None:
            raise Http404
        return app
