"""A brand changes the look of pages and nothing else: not axe, nor the policy, nor the weight of a first view."""

import gzip
import re
from pathlib import Path

import pytest
from django.test import Client

from tests.browser.axe import violations
from tests.browser.test_looks import PHONE_SIZE, invitation, sign_in, view, windows  # noqa: F401 - two are fixtures
from tests.tools import brand

pytestmark = pytest.mark.usefixtures("db")

CSS = Path(__file__).parent.parent.parent / "static" / "frontdoor.css"
MOST = 6000  # bytes of a first view, compressed, without the logo
STAFF = {"is_staff": True, "is_superuser": True, "username": "olga"}
FOR_PEOPLE = ["/account", "/account/settings", "/admin/", "/admin/look/", "/admin/invites/batch/add/"]


@pytest.fixture(params=brand.SAMPLES)
def branded(request, settings):
    yield brand.wear(settings, request.param)
    brand.forget()


def rgb(colour):
    return "rgb({}, {}, {})".format(*bytes.fromhex(colour[1:]))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_in_a_brand_have_its_colours_and_no_faults(view, branded, settings, theme, subtests):  # noqa: F811
    page, complaints = view("en")
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size(PHONE_SIZE)
    colour = rgb(getattr(settings.BRAND_PALETTE["brand"], theme))

    for path in ["/", "/login", invitation(), "/nothing", *FOR_PEOPLE]:
        if path == FOR_PEOPLE[0]:
            sign_in(page, **STAFF)
        with subtests.test(path=path):
            page.goto(path)
            assert page.locator(".brand").inner_text() == branded[0]
            assert page.locator(".brand svg").evaluate("e => getComputedStyle(e).color") == colour
            assert violations(page, preload=False) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


def test_the_pages_that_the_desk_shows_have_the_colours_too(view, branded, settings):  # noqa: F811
    page, complaints = view("en")
    sign_in(page, **STAFF)

    page.goto("/admin/look/?page=account_login&theme=dark")

    mark = page.frame_locator("iframe").locator(".brand svg")
    assert mark.evaluate("e => getComputedStyle(e).color") == rgb(settings.BRAND_PALETTE["brand"].dark)
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    assert complaints == []


def test_the_first_view_in_a_brand_is_light(branded, settings):
    answer = Client().get("/")
    html = re.sub(r'(?s)<svg [^>]*viewBox="0 0 32 32".*?</svg>', "", answer.content.decode())

    weights = [len(gzip.compress(part)) for part in (html.encode(), CSS.read_bytes(), settings.BRAND_SHEET.content)]

    assert sum(weights) < MOST, weights
    assert len(settings.BRAND_SHEET.content) < 1024


def test_the_policy_is_that_of_a_site_without_a_brand(settings):
    def policies():
        return [Client().get(path)["Content-Security-Policy"] for path in ("/", "/login", "/nothing")]

    before = policies()
    brand.wear(settings, "north")

    assert policies() == before
    brand.forget()
