"""The apps that are open to somebody, as tiles on the start page."""

from collections.abc import Iterable

from django.db import models
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from accounts.models import User
from kit.prepared import Given, Prepared
from kit.prepared_html import PreparedHtml
from kit.times import brief
from sso import any_app
from sso.models import App

MOST = 100  # tiles on one page
COLOURS = ("a", "b", "c", "d")  # classes of the sheet

PERSON, STAFF = Given("person", models.UUIDField()), Given("staff", models.BooleanField())
OPEN = Prepared(
    lambda: App.objects.open_to(PERSON, staff=STAFF).with_last_use(PERSON).only("client__name")[:MOST]  # no secrets
)
TILE = PreparedHtml("sso/launch/tile.html", "link", "name", "letter", "colour", "used")


def open_apps(person: User) -> list[App]:
    """Returns the apps that let the person in, by name, at most MOST, each with `last_used`. Costs one statement.

    Of each, only its id and name are read. Costs nothing on a site without apps.
    """
    if any_app.is_missing(person):
        return []
    return OPEN.read(person=person.pk, staff=person.is_staff or person.is_superuser)


def tiles(apps: Iterable[App]) -> SafeString:
    """Returns the items of the list of these apps, which have `last_used`."""
    return mark_safe("\n".join(map(tile, apps)))  # noqa: S308 items that are escaped


def tile(app: App) -> SafeString:
    """Returns the item of one app. Its letter and colour are the same for everybody."""
    values = {
        "link": link(app),
        "name": app.name,
        "letter": letter(app.name),
        "colour": colour(app.pk),
        "used": brief(app.last_used) if app.last_used else "",
    }
    return TILE.fill(values, has_used=bool(app.last_used))


def link(app: App) -> str:
    """Returns the path here that leads on to the app."""
    return reverse("sso_app", args=[app.pk])


def letter(name: str) -> str:
    """Returns the letter that stands for an app with this name."""
    return next((one for one in name if one.isalnum()), "?").upper()[:1]


def colour(pk: str) -> str:
    """Returns the class of the colour behind the letter of the app with this client id."""
    return COLOURS[sum(map(ord, pk)) % len(COLOURS)]
