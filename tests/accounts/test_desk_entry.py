"""The desk: its visitors sign in on our own page, and it shows no secret."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.desk import PersonAdmin
from accounts.models import User
from invites.models import Invite, MagicLink
from outbox.models import OutboxMessage
from tests.tools import phone
from tests.tools.desk import invite as send_to
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


def test_a_stranger_at_the_desk_is_sent_to_our_sign_in_page_and_back(client, admin_user):
    asked = client.get("/admin/invites/invite/", follow=True)
    assert asked.redirect_chain[-1][0].startswith("/login?next=")
    next_url = re.search(r'name="next" value="([^"]*)"', asked.text)[1]

    signed_in = client.post("/login", {"login": "olga", "password": PASSWORD, "next": next_url})
    assert signed_in.url == "/admin/invites/invite/"


def test_djangos_own_sign_in_form_is_nowhere(client):
    assert client.post("/admin/login/", {"username": "olga", "password": PASSWORD}).status_code == 302
    assert client.get("/admin/", follow=True).status_code == 200
    assert "sign in" in words(client.get("/admin/", follow=True)).lower()


def test_leaving_the_desk_goes_by_our_page(desk):
    assert desk.post("/admin/logout/").url == "/logout"
    assert desk.get("/admin/password_change/").url == "/account"


@pytest.mark.parametrize("path", ["accounts/user", "invites/invite", "invites/magiclink", "outbox/outboxmessage"])
def test_people_invites_links_and_outbox_are_there(desk, path):
    InviteFactory()
    MagicLink.objects.issue("grace@example.com")

    page = desk.get(f"/admin/{path}/")

    assert page.status_code == 200
    assert "<script" not in page.text


def test_no_token_hash_or_link_is_shown(desk, ada):
    invite = Invite.objects.issue("grace@example.com", source="admin")
    row = OutboxMessage.objects.get(recipient="grace@example.com")
    for path in [
        "accounts/user/",
        f"accounts/user/{ada.pk}/change/",
        "invites/invite/",
        f"invites/invite/{invite.pk}/change/",
        "invites/magiclink/",
        "outbox/outboxmessage/",
        f"outbox/outboxmessage/{row.pk}/change/",
    ]:
        page = desk.get(f"/admin/{path}")
        assert page.status_code == 200, path
        assert "token=" not in page.text
        assert "argon2" not in page.text
        assert 'type="password"' not in page.text


@pytest.mark.parametrize("page", ["", "change/", "history/", "delete/"])
def test_the_desk_shows_nothing_of_a_planned_account(desk, page):
    link = LinkFactory(username="hopper", password="argon2$x", seal="sealed", used_in="this browser")

    shown = desk.get(f"/admin/invites/magiclink/{link.pk}/{page}" if page else "/admin/invites/magiclink/", follow=True)

    assert not [secret for secret in ("hopper", "argon2", "sealed", "this browser") if secret in shown.text]


def test_an_invitation_from_the_desk_is_issued_like_any_other(desk, mailbox):
    send_to(desk, "Grace@Example.com", note="Welcome", language="ru")

    invite = Invite.objects.get()
    assert (invite.email, invite.source, invite.invited_by.username) == ("grace@example.com", "admin", "olga")
    assert "Welcome" in mailbox.text("grace@example.com")
    assert mailbox.letters("grace@example.com")[0]["Content-Language"] == "ru"


def test_an_address_with_an_account_is_not_invited(desk, ada):
    page = send_to(desk, ada.email)

    assert "Has an account With: Choose a group to invite them into it" in words(page)
    assert not Invite.objects.exists()


def test_an_invited_address_is_not_mailed_twice(desk):
    assert "1 invitation is on its way." in words(send_to(desk, "grace@example.com"))
    assert "Invited already 1" in words(send_to(desk, "grace@example.com"))

    assert Invite.objects.get().sends == 1


def test_a_deactivated_person_is_signed_out_at_once(desk, signed_in, ada):
    form = {"username": "ada", "email": ada.email}  # is_active unticked
    assert desk.post(f"/admin/accounts/user/{ada.pk}/change/", form).status_code == 302

    User.objects.filter(pk=ada.pk).update(is_active=True)
    assert signed_in.get("/account").status_code == 302


def test_bad_addresses_and_names_are_explained_at_the_desk_too(desk):
    page = desk.post("/admin/accounts/user/add/", {"username": "ро", "email": "ада@example.com"})

    assert "only include letters" in words(page)
    assert "“а” before the @ is not a plain Latin letter" in words(page)


def test_staff_cannot_make_themselves_superusers_or_change_people_above_them(admin_user, ada):
    helper = UserFactory(username="helper", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "delete_user"]))
    client = Client()
    client.force_login(helper)
    rights = {"is_staff": "on", "is_superuser": "on", "is_active": "on"}

    client.post(f"/admin/accounts/user/{ada.pk}/change/", rights | {"username": "ada", "email": "ada@example.com"})
    for above in (admin_user, helper):
        form = rights | {"username": above.username, "email": "taken.over@example.com"}
        assert client.post(f"/admin/accounts/user/{above.pk}/change/", form).status_code == 403
        assert client.post(f"/admin/accounts/user/{above.pk}/delete/", {"post": "yes"}).status_code == 403

    assert not User.objects.filter(username__in=["ada", "helper"], is_superuser=True).exists()
    assert not User.objects.filter(email="taken.over@example.com").exists()
    assert User.objects.count() == 3


def test_filters_reveal_no_secret_letter_by_letter(desk, ada):
    MagicLink.objects.issue("grace@example.com")
    for path, lookup in [
        ("accounts/user", "password__startswith=argon2"),
        ("outbox/outboxmessage", "parts__body__contains=token"),
        ("invites/invite", "links__seal__startswith=a"),
        ("invites/magiclink", "used_in__startswith=a"),
        ("invites/magiclink", "password__startswith=argon2"),
        ("accounts/user", "is_active__exact=%00"),
        ("invites/invite", "source__exact=%00"),
    ]:
        assert desk.get(f"/admin/{path}/?{lookup}").status_code in (302, 400), lookup


def test_an_address_changed_at_the_desk_ends_the_sessions(desk, signed_in, ada):
    form = {"username": "ada", "email": "ada@new.example", "is_active": "on"}
    desk.post(f"/admin/accounts/user/{ada.pk}/change/", form)

    assert signed_in.get("/account").status_code == 302


def test_a_change_at_the_desk_is_mailed_once_to_the_old_and_the_new_address(desk, mailbox, ada):
    form = {"username": "ada.l", "email": "ada@new.example"}  # is_active unticked
    desk.post(f"/admin/accounts/user/{ada.pk}/change/", form)

    for address in ("ada@example.com", "ada@new.example"):
        assert mailbox.kinds(address) == ["changed_by_staff"]
        text = mailbox.text(address)
        assert "Username: ada → ada.l" in text
        assert "Email address: a•••@example.com → a•••@new.example" in text
        assert "The account was turned off" in text
        assert "/not-me" not in text
    kinds = ada.events.filter(detail__by="staff").values_list("kind", flat=True)
    assert set(kinds) == {"username_changed", "email_changed", "turned_off"}


def test_the_history_shows_a_change_by_staff_as_theirs(desk, signed_in, ada):
    desk.post(f"/admin/accounts/user/{ada.pk}/change/", {"username": "ada.l", "email": ada.email, "is_active": "on"})

    assert "by someone who runs Frontdoor" in words(signed_in.get("/account"))


def test_a_person_deleted_at_the_desk_is_told(desk, mailbox, ada):
    desk.post(f"/admin/accounts/user/{ada.pk}/delete/", {"post": "yes"})
    grace = UserFactory(username="grace", email="grace@example.com")
    desk.post("/admin/accounts/user/", {"action": "delete_selected", "_selected_action": [grace.pk], "post": "yes"})

    assert mailbox.kinds("ada@example.com") == mailbox.kinds("grace@example.com") == ["deleted"]
    assert not User.objects.filter(username__in=["ada", "grace"]).exists()


def test_saving_a_person_at_the_desk_undoes_no_change_made_meanwhile(desk, ada, monkeypatch):
    form = {"username": "ada.l", "email": ada.email, "is_active": "on"}
    original = PersonAdmin.get_form

    def meanwhile(self, request, obj=None, **kwargs):
        if obj is not None and obj.pk == ada.pk:
            User.objects.get(pk=ada.pk).end_sessions()
        return original(self, request, obj, **kwargs)

    monkeypatch.setattr(PersonAdmin, "get_form", meanwhile)
    desk.post(f"/admin/accounts/user/{ada.pk}/change/", form)

    ada.refresh_from_db()
    assert ada.username == "ada.l"
    assert ada.session_epoch > 0


def test_an_account_made_at_the_desk_has_no_password(desk):
    desk.post("/admin/accounts/user/add/", {"username": "alan", "email": "alan@example.com", "is_active": "on"})

    assert not User.objects.get(username="alan").has_usable_password()


def test_nobody_deletes_themselves_at_the_desk(desk, admin_user):
    assert desk.post(f"/admin/accounts/user/{admin_user.pk}/delete/", {"post": "yes"}).status_code == 403


def test_people_are_found_by_the_whole_address_in_any_case(desk, ada, django_assert_max_num_queries):
    assert "ada@example.com" in desk.get("/admin/accounts/user/?q=ADA@example.com").text


NEEDED = "To use the admin pages you need two‑step verification. Set it up first."


def test_staff_who_must_have_a_second_factor_set_it_up_first_and_come_back(desk, admin_user, settings):
    settings.REQUIRE_STAFF_2FA = True
    page = desk.get("/admin/accounts/user/?q=ada", follow=True)
    assert page.redirect_chain == [("/account/second-factor/app?next=%2Fadmin%2Faccounts%2Fuser%2F%3Fq%3Dada", 302)]
    assert NEEDED in words(page)

    key = re.search(r'<b dir="ltr">([A-Z2-7 ]+)</b>', page.text)[1].replace(" ", "")
    form = {"password": PASSWORD, "code": phone.code(key)}
    codes = desk.post(page.redirect_chain[0][0], form, follow=True)

    assert 'href="/admin/accounts/user/?q=ada"' in codes.text
    assert desk.get("/admin/accounts/user/?q=ada").status_code == 200


def test_staff_who_cancel_are_told_again_what_they_need(desk, settings):
    settings.REQUIRE_STAFF_2FA = True
    page = desk.get("/admin/", follow=True)
    assert '<a href="/account/second-factor">Cancel</a>' in page.text

    assert NEEDED in words(desk.get("/account/second-factor"))
    settings.REQUIRE_STAFF_2FA = False
    assert NEEDED not in words(desk.get("/account/second-factor"))


def test_the_way_back_to_the_desk_survives_a_mistake_and_a_mailed_link(desk, settings):
    settings.REQUIRE_STAFF_2FA = True
    url = desk.get("/admin/accounts/user/?q=ada").url

    page = desk.post(url, {"code": "x", "password": "wrong password"})

    assert page.status_code == 200
    assert f'action="{url}"' in page.text
    form = page.text.partition('action="/account/prove"')[2].partition("</form>")[0]
    assert f'name="next" value="{url}"' in form


@pytest.mark.parametrize("path", ["/admin/", "/admin/accounts/user/add/", "/admin/jsi18n/", "/admin/nothing/"])
def test_no_page_of_the_desk_opens_without_a_required_second_factor(desk, settings, path):
    settings.REQUIRE_STAFF_2FA = True

    for answer in (desk.get(path), desk.post(path, {"username": "eve", "email": "eve@example.com"})):
        assert answer.url.startswith("/account/second-factor/app")
    assert not User.objects.filter(username="eve").exists()


def test_only_staff_are_sent_to_set_up_a_required_second_factor(client, signed_in, settings):
    settings.REQUIRE_STAFF_2FA = True

    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/login")
    assert signed_in.get("/admin/", follow=True).status_code == 403


def test_the_desk_looks_for_a_second_factor_only_where_it_is_required(desk, settings):
    counts = []
    for required in (False, True):
        settings.REQUIRE_STAFF_2FA = required
        with CaptureQueriesContext(connection) as queries:
            desk.get("/admin/")
        counts.append(len([q for q in queries if "mfa_authenticator" in q["sql"]]))

    assert counts == [0, 1]
