"""What we know of products that people connect: where they are led back to, and how their configuration reads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string

from sso.models import App

PLAIN = re.compile(r"[\w .-]+")
PROVIDER = "frontdoor"  # what products that name their providers call this one, also in their addresses


@dataclass(frozen=True)
class Product:
    """Addresses of a product, each below that of its own host."""

    callback: str = ""  # "" if only the app knows
    start: str = ""  # that begins its sign-in
    logout: str = ""  # that takes logout tokens; "" if it takes none
    file: str = ""  # where its configuration goes
    pkce: bool = True  # whether it can do PKCE
    nonce: bool = True  # whether it can send a nonce
    pages: tuple[str, ...] = ()  # where people stand in it when they copy its address from their browser


PRODUCTS: Mapping[str, Product] = {
    App.Product.GRAFANA: Product(
        "/login/generic_oauth", "/login/generic_oauth", file="grafana.ini", pages=("/login", "/dashboards")
    ),
    App.Product.GITEA: Product(
        f"/user/oauth2/{PROVIDER}/callback",
        f"/user/oauth2/{PROVIDER}",
        pkce=False,
        nonce=False,
        pages=("/user/login", "/explore"),
    ),
    App.Product.NEXTCLOUD: Product(
        "/apps/user_oidc/code",
        "/apps/user_oidc/login/1",
        f"/apps/user_oidc/backchannel-logout/{PROVIDER}",
        pages=("/index.php", "/login", "/apps/dashboard", "/apps/files"),
    ),
    App.Product.OUTLINE: Product("/auth/oidc.callback", "/auth/oidc", file=".env", pages=("/home",)),
    App.Product.WORDPRESS: Product(
        "/wp-admin/admin-ajax.php?action=openid-connect-authorize",
        file="wp-config.php",
        pkce=False,
        nonce=False,
        pages=("/wp-admin", "/wp-login.php"),
    ),
}


def of(app: App) -> Product:
    """Returns what we know of the product that an app is; nothing of another."""
    return PRODUCTS.get(app.product, Product())


def needs_nonce(app: App) -> bool:
    """Returns whether the requests of an app must bring a nonce, as nothing else ties its codes to them.

    Some products can do neither that nor PKCE. They are let off, with a warning at the desk: their secret and the state
    that they check must do.
    """
    return not app.pkce and of(app).nonce


def base(typed: str, product: Product) -> str:
    """Returns the address of the app itself, below which people may have typed one of its pages, or a query."""
    url = urlsplit(typed)
    path = f"{url.path}/"
    for page in filter(None, (product.start, *product.pages)):
        path = path.partition(f"{page}/")[0]
    return f"{url.scheme}://{url.netloc}{path.rstrip('/')}"


def endpoints() -> dict[str, str]:
    """Returns our addresses for apps, by the names that their configurations give them."""
    door = f"{settings.SITE_URL}/identity/o"
    return {
        "issuer": settings.SITE_URL,
        "discovery": f"{settings.SITE_URL}/.well-known/openid-configuration",
        "authorize": f"{door}/authorize",
        "token": f"{door}/api/token",
        "userinfo": f"{door}/api/userinfo",
        "logout": f"{door}/logout",
        "verify": f"{settings.SITE_URL}/auth/verify",
    }


def configuration(app: App, secret: str) -> str:
    """Returns what is to be pasted into the configuration of the app's product; "" of a product that we don't know.

    `secret` is shown only when it is made; otherwise it is what stands in its place.
    """
    if app.product == App.Product.OTHER:
        return ""
    names = app.groups.values_list("name", flat=True).order_by("name")
    values = {
        "app": app,
        "secret": secret,
        "site": settings.SITE_NAME,
        "provider": PROVIDER,
        "base": base(app.start_url, of(app)),
        # One that needs no quoting anywhere, as an example.
        "group": next((name for name in names if PLAIN.fullmatch(name)), "editors"),
        **endpoints(),
    }
    return render_to_string(f"sso/products/{app.product}.txt", values).strip("\n")
