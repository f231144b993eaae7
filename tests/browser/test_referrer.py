"""What a real browser says in Referer and Origin about the page it is on."""

import pytest

from accounts.models import User
from invites import purposes
from kit import tokens
from tests.tools.factories import PASSWORD, LinkFactory

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def asked(visit):
    """A page, and a list of all requests it sends, each as its path and its headers."""
    page, requests = visit(), []
    page.on("request", lambda request: requests.append((request.url.partition("://")[2].partition("/")[2], request)))
    return page, requests


def headers(requests, path):
    return [request.all_headers() for said, request in requests if said.startswith(path)]


def test_a_token_in_the_address_goes_out_to_no_other_address(asked, site):
    page, requests = asked
    token = tokens.sign(purposes.SIGNUP, LinkFactory().pk)

    for path in ("/signup", "/nothing"):
        requests.clear()
        page.goto(f"{path}?token={token}", wait_until="networkidle")

        (style,) = headers(requests, "static/frontdoor.css")
        assert style["referer"] == f"{site}/"
        assert not [request for _path, request in requests if token in request.all_headers().get("referer", "")]


def test_forms_of_such_a_page_still_say_where_they_come_from(asked, site):
    page, requests = asked
    page.goto(f"/signup?token={tokens.sign(purposes.SIGNUP, LinkFactory().pk)}")
    page.locator("[name=username]").fill("grace")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/account")

    (sent,) = [request.all_headers() for _path, request in requests if request.method == "POST"]
    assert sent["origin"] == site
    assert User.objects.filter(username="grace").exists()
