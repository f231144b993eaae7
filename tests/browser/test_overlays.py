"""What docs/customise.md has an operator put over the site: axe, the policy and the weight stay as without it."""

import gzip
import os
import re
import subprocess
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client

from tests.browser.axe import violations
from tests.browser.test_brands import FOR_PEOPLE, MOST, STAFF
from tests.browser.test_looks import PHONE_SIZE, invitation, windows  # noqa: F401 - one is a fixture
from tests.config.test_overlays import DOCS, MSGFMT, write
from tests.faults.parts import Site
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.skipif(not MSGFMT, reason="no gettext")]

# The samples of the page: words of one's own, and a template that extends ours. Each begins with its path.
SAMPLES = dict(re.findall(r"```\n/srv/theme/(\S+)\n\n(.*?)```", DOCS.read_text(), re.DOTALL))
SAMPLES |= dict(re.findall(r"`/srv/theme/(\S+)`:\n\n```\n(.*?)```", DOCS.read_text(), re.DOTALL))
# An app of one's own, with a page, and with a style sheet in the block that is for one.
APP = {
    "__init__.py": "",
    "urls.py": "from django.urls import path\nfrom django.views.generic import TemplateView\n"
    'urlpatterns = [path("imprint", TemplateView.as_view(template_name="imprint.html"))]\n',
    "templates/base.html": '{% extends "base.html" %}{% load static %}'
    '{% block head %}<link rel="stylesheet" href="{% static \'acme.css\' %}">{% endblock %}',
    "templates/imprint.html": '{% extends "door.html" %}{% block title %}Imprint{% endblock %}'
    "{% block heading %}Imprint{% endblock %}{% block content %}<p>Acme, 1 Main Street</p>{% endblock %}",
    "static/acme.css": "h1 { letter-spacing: 1px }\n",
}


@pytest.fixture
def overlaid(db, tmp_path):
    """A site of its own, on the database of the tests, that wears all three kinds of overlay."""
    write(tmp_path, SAMPLES | {f"acme_door/{name}": text for name, text in APP.items()})
    subprocess.run([MSGFMT, "django.po", "-o", "django.mo"], cwd=tmp_path / "locale" / "en" / "LC_MESSAGES", check=True)
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=connection.settings_dict["NAME"]).geturl()
    given = {"TEMPLATE_DIRS": str(tmp_path / "templates"), "LOCALE_DIRS": str(tmp_path / "locale")}
    given |= {"EXTRA_APPS": "acme_door", "PYTHONPATH": str(tmp_path), "DATABASE_URL": database, "WEB_CONCURRENCY": "1"}
    site = Site(os.environ | given, tmp_path / "log")
    yield f"http://127.0.0.1:{site.port}"
    site.stop()


def test_overlays_leave_axe_the_policy_and_the_weight_as_they_are(windows, overlaid, subtests):  # noqa: F811
    page, complaints = windows("en", overlaid)
    page.set_viewport_size(PHONE_SIZE)

    with subtests.test("the first view is light"):
        weights = first_view(page)
        assert len(weights) == 3, "the page and two style sheets"
        assert sum(weights) < MOST, weights

    person = UserFactory(**STAFF)
    invited = invitation()
    # Before the browser signs in: each site hashes the password at its own cost, which ends sessions at the other.
    policies = policies_without(["/", "/login", invited, "/nothing", "/imprint", *FOR_PEOPLE], person)
    for path in policies:
        if path == FOR_PEOPLE[0]:
            sign_in(page, person)
        with subtests.test(path=path):
            answer = page.goto(path)
            assert answer.status == (404 if path == "/nothing" else 200)
            assert page.url.endswith(path)
            assert answer.header_value("content-security-policy") == policies[path]
            if path == "/":
                assert page.locator("h1").inner_text() == "Come in"
            if path in {"/", "/login", invited, "/imprint"}:
                assert page.get_by_text("We are closed on Sundays.").is_visible()
            if not path.startswith("/admin"):
                assert page.locator("h1").evaluate("e => getComputedStyle(e).letterSpacing") == "1px"
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)
                page.evaluate("Promise.all(document.getAnimations().map((fading) => fading.finished))")
                assert violations(page, preload=False) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


def sign_in(page, person):
    page.goto("/login")
    page.fill("#id_login", person.username)
    page.fill("#id_password", PASSWORD)
    page.locator("main form button").first.click()


def policies_without(paths, person):
    """Returns the policy of each page as the site has it that wears no overlays."""
    client = Client()
    client.post("/login", {"login": person.username, "password": PASSWORD})
    answers = {path: client.get(path) if path in FOR_PEOPLE else Client().get(path) for path in paths}
    assert {answer.status_code for answer in answers.values()} == {200, 404}
    return {path: answer["Content-Security-Policy"] for path, answer in answers.items()}


def first_view(page):
    """Returns the number of bytes of each answer that the start page takes, compressed."""
    answers = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - Playwright marks the function
    page.goto("/", wait_until="networkidle")
    return [len(gzip.compress(answer.body())) for answer in answers]
