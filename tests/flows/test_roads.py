"""The number of files through which a reader must follow the code of one press. pytest -s shows them."""

import sys

import pytest
from django.test import Client

from invites import purposes
from kit import tokens
from tests.tools.factories import LinkFactory, UserFactory
from tests.tools.trace import trace

pytestmark = pytest.mark.django_db(transaction=True)


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def button():
    """Returns a function that presses the mailed button for somebody who has an account, on a new device."""
    link = LinkFactory(email=UserFactory().email, epoch=0)
    token, browser = tokens.sign(purposes.CONFIRM, link.pk), Client(headers={"User-Agent": FIREFOX})
    return lambda: browser.post("/confirm", {"token": token})


def test_the_button_in_the_mail_is_a_short_road():
    assert button()().url == "/account"  # this first press keeps one-time imports out of the trace

    road = trace(button())

    sys.stdout.write(f"{road}\n")
    # One of these files and eight of these hops come from the tags in the mail's template, and nine files from what
    # stands at the edge of every request: bounds of bodies, headers, compression, files of the brand. Three files and
    # six hops ask whether the site has something to ask before it lets anybody on; one file and three hops note how
    # somebody came in, and two files and six hops are about apps: the answer to a form that leads to one, and their
    # addresses. One file says what the button does, and the code that may be typed in its place.
    assert len(road.of_rooms) <= 25
    assert len(road.files) <= 48
    assert road.hops <= 103
    assert len(road.of_allauth) <= 2
