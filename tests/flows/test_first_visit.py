"""A stranger's way from the address to the account, and the way back in."""

import pytest
from django.test import Client

from accounts.models import User
from tests.tools.factories import PASSWORD

pytestmark = pytest.mark.django_db


def test_a_stranger_gets_an_account_by_address_mail_and_link(client, mailbox):
    asked = client.post("/", {"email": "Grace@Example.com"}, follow=True)
    assert asked.redirect_chain == [("/invite/sent", 302)]
    assert "grace@example.com" in asked.text
    assert not User.objects.exists()

    link = mailbox.link("grace@example.com")
    assert "Your email is confirmed" in client.get(link).text
    token = link.partition("token=")[2]
    done = client.post("/signup", {"token": token, "username": "Grace", "password": PASSWORD}, follow=True)

    assert done.redirect_chain == [("/account", 302)]
    assert "Your account is ready." in done.text
    grace = User.objects.get()
    assert (grace.username, grace.email) == ("grace", "grace@example.com")
    assert [(a.email, a.verified, a.primary) for a in grace.emailaddress_set.all()] == [(grace.email, True, True)]
    assert len(mailbox.letters()) == 1


def test_the_same_page_signs_in_a_person_who_has_an_account(client, mailbox, ada):
    client.post("/", {"email": ada.email, "next": "/account?from=mail"})
    link = mailbox.link(ada.email)
    assert link.startswith("/confirm?token=")

    elsewhere = Client()
    assert "Nothing happens until you press the button." in client.get(link).text
    assert "Where do you want to sign in?" in elsewhere.get(link).text
    pressed = elsewhere.post("/confirm", {"token": link.partition("token=")[2], "here": "on"})
    assert pressed.url == "/account?from=mail"
    assert ada.email in elsewhere.get("/account").text
