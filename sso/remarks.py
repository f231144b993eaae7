"""What is odd about an app: it may work, but somebody should look. Nothing is fetched and nothing looked up for it."""

from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from sso import addresses
from sso.models import App


def remarks(app: App, groups: int) -> list[str]:
    """Returns a sentence for each thing that is odd about an app, which lets so many `groups` in."""
    redirects = app.client.get_redirect_uris()
    hosts = {urlsplit(uri).hostname for uri in redirects}
    is_of_web = redirects and not app.is_public
    found = [
        (not app.everybody and not groups, _("Nobody may come in: no group is chosen.")),
        (
            any(addresses.is_in_clear(uri) for uri in redirects),
            _("A redirect address is http: anybody on the way can read the codes that sign people in."),
        ),
        (
            is_of_web and urlsplit(app.start_url).hostname not in hosts,
            _("No redirect address is on the host where the app lives. Look for a mistake in one of them."),
        ),
        (not app.pkce, _("It doesn’t use PKCE, so a stolen code is worth more. Turn PKCE on if the app can do it.")),
        (
            app.is_public and not app.asks_consent,
            _("It has no secret and asks nobody first: any program on people’s machines could pass for it."),
        ),
        (app.offline, _("Signing out here doesn’t sign people out of it.")),
    ]
    return [*(said for is_so, said in found if is_so), *remarks_on_logout(app)]


def remarks_on_logout(app: App) -> list[str]:
    """Returns what is odd about how an app is told that somebody has signed out."""
    if app.product == App.Product.PROXY:
        return []
    if not app.logout_uri:
        return [_("It isn’t told when people sign out here: it notices later, or never.")]
    if network := addresses.network_to_allow(app.logout_uri):
        said = _("%(address)s is not a public address. To have it told, add it to WEBHOOKS_ALLOWED_NETWORKS.")
        return [said % {"address": network}]
    return []
