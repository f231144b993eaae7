"""The desk's page of one person: who it is, where they are signed in, what happened, and what can be done now."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import desk_offers, power, profile_fields, terms
from accounts.desk.actions import PersonActions
from accounts.desk.history import page_of
from accounts.desk.panels import history, sessions_panel
from accounts.models import User
from kit import addresses
from kit.one_row import Button, Fact, OneRow
from kit.times import brief_html

CLOSING = ("turn_off", "turn_on")  # the actions whose buttons stand apart, in the frame of what is dangerous


class PersonPage(PersonActions, OneRow):
    """The page of one person, and the page with the form that changes them. Neither shows or sets a password."""

    def get_urls(self) -> list[Any]:
        edit = self.admin_site.admin_view(require_safe(self.edit))
        return [path("<uuid:pk>/edit/", edit, name="accounts_user_edit"), *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Shows a person. The POST is that of the form of edit(), or one of the page's buttons; both lead back here.

        An unknown id leads to the start of the desk. Raises PermissionDenied if the visitor may not view or, by a POST,
        not change this person.
        """
        person = self.get_object(request, object_id)
        if person and self.shows(request, person):
            return self.show(request, "admin/accounts/user/page.html", person, self.shown(request, person))
        return super().change_view(request, object_id, *args, **kwargs)

    def edit(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Shows the form that changes a person; it posts to change_view().

        Raises Http404 if there is no such person, and PermissionDenied if the visitor may not change them.
        """
        person = User.objects.filter(pk=pk).first()
        if person is None:
            raise Http404
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        return self.changeform_view(request, str(pk), page_of(person))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Returns the page of a form, without actions and deletion: they are on the page of the person."""
        return super().render_change_form(
            request, context | {"action_form": None, "show_delete": False}, *args, **kwargs
        )

    def shown(self, request: HttpRequest, person: User) -> dict[str, Any]:
        """Returns what the template of the page shows."""
        User.objects.read_ways_in([person])
        buttons = self.buttons(request, person)
        may_change = self.has_change_permission(request, person)
        return {
            "title": person.shown_name,
            "address": addresses.readable(person.email),
            "sessions": sessions_panel(person),
            "history": history(request, person),
            "panels": [panel for make in desk_offers.PANELS if (panel := make(request, person))],
            "facts": [*facts(person), *(fact for make in desk_offers.FACTS for fact in make(request, person))],
            "buttons": [button for button in buttons if button.name not in CLOSING],
            "closing": [button for button in buttons if button.name in CLOSING],
            "may_change": may_change,
            "may_delete": self.has_delete_permission(request, person),
            "is_powerful": power.is_powerful(person),
        }

    def buttons(self, request: HttpRequest, row: User) -> list[Button]:
        """Returns a button for each action that this visitor may do to this person and that would change something."""
        return super().buttons(request, row) if self.has_change_permission(request, row) else []

    def applies(self, request: HttpRequest, row: User, name: str) -> bool:
        """Returns whether the action `name` would change this person. Nobody may shut themselves out."""
        own = {"turn_off": row.is_active, "turn_on": not row.is_active, "end_sessions": row.is_usable}
        own["keep"] = row.leaves_at is not None
        if name in own:
            return own[name] and row != request.user
        return name not in desk_offers.APPLIES or desk_offers.APPLIES[name](row)

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """Leads to the page of a new person, which says how they sign in."""
        said = _("The account of %(who)s is made. They sign in by a link that they have mailed to their address.")
        self.message_user(request, said % {"who": obj.username}, messages.SUCCESS)
        return redirect(page_of(obj))

    def response_change(self, request: HttpRequest, obj: User) -> HttpResponse:
        """Leads to the person's page, after their form was stored."""
        self.message_user(
            request, _("Saved. %(who)s is mailed what changed.") % {"who": obj.username}, messages.SUCCESS
        )
        return redirect(page_of(obj))


def facts(person: User) -> list[Fact]:
    """Returns what the account says of its owner; read_ways_in() has been called for it."""
    address, held = addresses.readable(person.email), profile_fields.held(person)
    known = [
        Fact(_("Name"), person.name),
        Fact(_("Username"), person.username),
        *(Fact(field.label, field.shown(held[field.name])) for field in profile_fields.own()),
        Fact(_("Address"), address if person.is_verified else _("%(address)s (not confirmed)") % {"address": address}),
        Fact(_("Groups"), ", ".join(person.groups.order_by("name").values_list("name", flat=True)) or _("none")),
        Fact(_("Signs in with"), ways_in(person)),
        Fact("Google", google(person)),
        Fact(_("Rights at the desk"), rights(person)),
        Fact(_("Terms"), agreed(person)),
        Fact(_("Joined"), brief_html(person.joined_at)),
        Fact(_("Last seen"), brief_html(person.last_login) if person.last_login else _("never")),
        Fact(_("Inviting"), paused(person)),
        Fact(_("Leaves"), brief_html(person.leaves_at) if person.leaves_at else ""),
    ]
    return [fact for fact in known if fact.value]


def ways_in(person: User) -> str:
    """Returns in words how the person can sign in, besides by the mailed links that everybody can use."""
    ways = [
        _("password") if person.has_usable_password() else "",
        "Google" if person.has_google else "",
        _("authenticator app") if person.has_app else "",
    ]
    return ", ".join(filter(None, ways)) or _("email links only")


def google(person: User) -> str:
    """Returns the address of the person's Google account and when it was connected, as HTML; "" if they have none."""
    account = person.google.account if person.has_google else None
    if account is None:
        return ""
    said = _("%(email)s, since %(when)s") % {"email": "{}", "when": "{}"}
    return format_html(said, account.extra_data.get("email", "–"), brief_html(account.date_joined))


def rights(person: User) -> str:
    """Returns in words what the person may do at the desk."""
    if not person.is_staff:
        return _("none")
    return (
        _("everything, as a superuser") if person.is_superuser else _("staff: what is allowed to them and their groups")
    )


def agreed(person: User) -> str:
    """Returns which version of the terms the person has last agreed to and when; "" if they never have."""
    if not person.terms:
        return ""
    blanks = {"version": person.accepted_terms, "when": terms.last_agreed(person)}
    return _("version %(version)s, agreed to on %(when)s") % blanks


def paused(person: User) -> str:
    """Returns since when the person may not invite anybody, as HTML; "" if they may."""
    if person.invites_paused_at is None:
        return ""
    return format_html(_("paused since %(when)s") % {"when": "{}"}, brief_html(person.invites_paused_at))
