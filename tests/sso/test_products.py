"""docs/apps.md and docs/forward-auth.md have people paste what the desk shows."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group

from sso import products
from sso.models import App
from tests.tools.factories import AppFactory

pytestmark = pytest.mark.django_db

DOCS = Path(__file__).parents[2] / "docs"
HEADINGS = {
    App.Product.GRAFANA: "Grafana",
    App.Product.NEXTCLOUD: "Nextcloud",
    App.Product.GITEA: "Gitea, Forgejo",
    App.Product.OUTLINE: "Outline",
    App.Product.WORDPRESS: "WordPress",
}


def lines(text):
    """Returns the lines of a configuration, without blanks around them, and each command as one line."""
    whole = re.sub(r"\\\n\s*", "", text)
    return [re.sub(r"\s+", " ", line).strip() for line in whole.splitlines() if line.strip()]


@pytest.fixture
def pasted(settings):
    """Returns a function that returns what the desk shows of a product, with the values of the documentation."""
    settings.SITE_URL, settings.SITE_NAME = "https://example.com", "Example"
    editors = Group.objects.create(name="editors")

    def pasted(product):
        known = products.PRODUCTS.get(product, products.Product())
        app = AppFactory(pk="ID", product=product, pkce=known.pkce, groups=[editors])
        return lines(products.configuration(app, "SECRET"))

    return pasted


def test_each_product_has_its_heading():
    assert HEADINGS.keys() == products.PRODUCTS.keys()


@pytest.mark.parametrize(("product", "heading"), HEADINGS.items())
def test_what_is_to_be_pasted_is_what_the_desk_shows(pasted, product, heading):
    _before, _heading, section = (DOCS / "apps.md").read_text().partition(f"\n**{heading}**")
    block = re.search(r"\n\n((?:    .*\n)+)", section)[1]
    redirect = re.search(r"Redirect address: `(.*?)`", section)[1]

    assert set(lines(block)) <= set(pasted(product))
    path = urlsplit(redirect)._replace(scheme="", netloc="").geturl()
    assert path == products.PRODUCTS[product].callback


def test_nginx_asks_for_one_app_as_documented(pasted):
    [block] = re.findall(r"(location = /auth/ID \{.*?\n\})", (DOCS / "forward-auth.md").read_text(), re.DOTALL)
    shown = pasted(App.Product.PROXY)

    assert [line for line in shown if not line.startswith("#")] == lines(block)
    assert "# auth_request /auth/ID;" in shown
