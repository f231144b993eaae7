"""What the desk says of an app: the values to paste, who may come in, and what became of the last call to it."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kit.list_filter import capped_in_words
from kit.one_row import Fact
from kit.times import brief_html
from sso import products
from sso.back_channel import in_words
from sso.models import App


def values(app: App, secret: str) -> list[Fact]:
    """Returns the values that the app must be told, one by one; its `secret` only if it was made just now."""
    ours = products.endpoints()
    told = {
        _("Issuer"): ours["issuer"],
        _("Client ID"): app.pk,
        _("Secret"): secret,
        _("Discovery"): ours["discovery"],
        _("Authorize"): ours["authorize"],
        _("Token"): ours["token"],
        _("Userinfo"): ours["userinfo"],
        pgettext("address of ours", "Sign out"): ours["logout"],
        _("Scopes"): " ".join(app.scopes),
    }
    if app.product == App.Product.PROXY:
        told = {_("Address to ask"): f"{ours['verify']}?app={app.pk}"}
    shown = [Fact(label, mono(value)) for label, value in told.items() if value]
    return [*shown, *(Fact(_("Redirect address"), mono(uri)) for uri in app.client.get_redirect_uris())]


def about(app: App) -> list[Fact]:
    """Returns what else is known of an app, to which AppAdmin.complete() has attached how it is used."""
    only = [
        _("only staff") if app.staff_only else "",
        _("only with two‑step verification") if app.second_factor else "",
    ]
    learns = [_("name"), _("email address"), pgettext("what an app learns", "groups") if app.groups.all() else ""]
    known = [
        Fact(_("Who may come in"), ", ".join([who_may_come_in(app), *filter(None, only)])),
        Fact(_("It learns"), ", ".join(filter(None, learns))),
        Fact(_("Asks people first"), _("yes") if app.asks_consent else _("no")),
        Fact(_("People of late"), capped_in_words(app.people)),
        Fact(_("Last sign-in"), brief_html(app.last_use) if app.last_use else ""),
        Fact(_("Told of sign-outs at"), mono(app.logout_uri) if app.logout_uri else ""),
        Fact(_("Last sign-out it was told of"), in_words.outcome(app.last_call) if app.last_call else ""),
    ]
    return [fact for fact in known if fact.value]


def mono(value: str) -> SafeString:
    """Returns a value that is to be copied letter by letter, as HTML."""
    return format_html('<span class="mono" dir="ltr">{}</span>', value)


def who_may_come_in(app: App) -> str:
    """Returns whom an app lets in, in words. Reads its groups, if they were not read before."""
    if app.everybody:
        return _("everybody")
    return ", ".join(sorted(group.name for group in app.groups.all())) or _("nobody")
