"""Two-step verification: turning it on and off, replacing the app, and what staff and “not me” do to it."""

import base64
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import limits
from accounts.management.commands import remove_second_factor
from accounts.models import Event, NotMe, Session, Superseded, User
from invites.models import MagicLink
from kit import encryption
from outbox.models import OutboxMessage
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

APP = "/account/second-factor/app"
OFF = "/account/second-factor/off"


def key_on(page):
    return re.search(r'<b dir="ltr">([A-Z2-7 ]+)</b>', page.text)[1].replace(" ", "")


def set_up(client, key="", **typed):
    key = key or key_on(client.get(APP))
    return client.post(APP, {"password": PASSWORD, "code": phone.code(key)} | typed)


def sign_in(code, client=None):
    client = client or Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    client.post("/login/code", {"code": code})
    return client


def is_in(client):
    return client.get("/account").status_code == 200


def come_by_link(mailbox, user):
    client = Client()
    MagicLink.objects.issue(user.email)
    client.post("/confirm", {"token": mailbox.link(user.email, "/confirm").partition("token=")[2]})
    return client


def test_the_account_page_leads_to_two_step_verification_and_explains_it(signed_in):
    page = signed_in.get("/account")
    assert "Two‑step verificationOffSet up" in words(page)
    assert f'href="{APP}"' in page.text

    assert "then with a code from your phone" in words(signed_in.get("/account/second-factor"))


def test_the_key_is_the_same_as_picture_link_and_text(signed_in, ada):
    page = signed_in.get(APP)
    assert "old app" not in words(page)
    key = key_on(page)
    (url,) = re.findall(r'href="(otpauth:[^"]*)"', page.text)
    (picture,) = re.findall(
        r'<img src="data:image/svg\+xml;base64,([^"]*)" width="240" height="240" alt="[^"]+"', page.text
    )
    svg = base64.b64decode(picture).decode()

    assert len(base64.b32decode(key)) == 20
    assert url == f"otpauth://totp/ada%40example.com?secret={key}&amp;issuer=Frontdoor"
    assert 'fill="white"' in svg  # cameras do not read white on black in the dark theme
    assert "<script" not in svg
    assert min(int(x) for x in re.findall(r"M(\d+),", svg)) >= 4  # the quiet zone of a QR code is four modules wide


def test_a_reload_keeps_the_key_for_fifteen_minutes(signed_in):
    key = key_on(signed_in.get(APP))

    assert key_on(signed_in.get(APP)) == key
    assert key_on(signed_in.post(APP, {"code": ""})) == key
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert key_on(signed_in.get(APP)) != key


def test_ending_all_sessions_replaces_the_key_of_a_setup(signed_in):
    key = key_on(signed_in.get(APP))

    signed_in.post("/account/password", {"password": PASSWORD, "chosen": "another horse battery staple"})

    assert key_on(signed_in.get(APP)) != key


def test_the_key_of_a_setup_is_replaced_if_it_cannot_be_decrypted(signed_in, settings):
    key = key_on(signed_in.get(APP))
    settings.ENCRYPTION_KEYS = ["another key that has encrypted nothing that there is, ever"]

    assert key_on(signed_in.get(APP)) != key


def test_the_key_lies_encrypted_in_the_session_and_in_the_row(signed_in, ada):
    key = key_on(signed_in.get(APP))
    row = Session.objects.get()
    kept = str(row.get_decoded()) + str(caches["sessions"].get(row.cache_key(row.session_key)))
    assert "app_setup" in kept
    assert key not in kept

    set_up(signed_in)

    data = Authenticator.objects.get(type="totp").data
    assert key not in json.dumps(data)
    assert encryption.decrypt(data["secret"]) == key
    assert "app_setup" not in signed_in.session


def test_turning_it_on_keeps_this_session_ends_the_others_and_is_told(mailbox, signed_in, ada):
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})
    old_id = signed_in.cookies["frontdoor_session"].value

    answer = set_up(signed_in)

    assert answer.url == "/account/second-factor/codes"
    assert is_in(signed_in)
    assert signed_in.cookies["frontdoor_session"].value != old_id
    assert not is_in(other)
    assert User.objects.get().second_factor.is_on
    assert mailbox.kinds(ada.email).count("second_factor_on") == 1
    assert re.search(r"Two‑step verificationOn since \w+ \d+", words(signed_in.get("/account")))
    assert "10 are left" in words(signed_in.get("/account/second-factor"))


def test_the_code_that_turned_it_on_does_not_sign_in(signed_in):
    key = key_on(signed_in.get(APP))
    code = phone.code(key)
    set_up(signed_in, key, code=code)
    caches["default"].clear()

    assert not is_in(sign_in(code))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"code": "000000x"}, "That is not the code the app shows"),
        ({"code": ""}, "Enter a code"),
        ({"password": "wrong password"}, "Password is not correct"),
        ({"password": ""}, "Enter your password"),
    ],
)
def test_a_refused_form_says_why_and_changes_nothing(signed_in, typed, said):
    if typed.get("code"):
        typed = {"code": phone.wrong(key_on(signed_in.get(APP)))}
    page = set_up(signed_in, **typed)

    assert page.status_code == 200
    assert said in words(page)
    assert PASSWORD not in page.text
    assert not Authenticator.objects.exists()


def test_the_same_code_may_be_sent_again_with_the_right_password(signed_in):
    key = key_on(signed_in.get(APP))
    code = phone.code(key)
    set_up(signed_in, key, code=code, password="wrong password")

    assert set_up(signed_in, key, code=code).status_code == 302


def test_the_apps_code_may_be_typed_with_any_digits(signed_in):
    key = key_on(signed_in.get(APP))
    code = phone.code(key)

    assert set_up(signed_in, key, code=code.translate({ord("0") + n: 0x0660 + n for n in range(10)})).status_code == 302


def test_coming_in_by_link_stands_for_the_password(mailbox, ada):
    client = come_by_link(mailbox, ada)
    key = key_on(client.get(APP))

    assert client.post(APP, {"code": phone.code(key)}).status_code == 302
    assert "Your password" in words(client.get("/account/password"))


def test_a_user_without_a_password_asks_for_a_link_first():
    grace = UserFactory(username="grace", password=None)
    client = Client()
    client.force_login(grace)

    page = client.get(APP)

    assert "Your account has no password" in words(page)
    assert 'name="code"' not in page.text
    assert client.post(APP, {"code": "000000"}).status_code == 200
    assert not Authenticator.objects.exists()


def test_set_up_is_limited(signed_in):
    key = key_on(signed_in.get(APP))
    for _ in range(20):
        assert set_up(signed_in, key, password="").status_code == 200

    assert set_up(signed_in, key).status_code == 429


def test_setup_leads_back_to_where_it_was_asked_for_and_nowhere_else(signed_in):
    key = key_on(signed_in.get(f"{APP}?next=/account/settings"))
    answer = signed_in.post(f"{APP}?next=/account/settings", {"password": PASSWORD, "code": phone.code(key)})
    assert answer.url == "/account/second-factor/codes?next=%2Faccount%2Fsettings"
    assert 'class="btn wide" href="/account/settings"' in signed_in.get(answer.url).text

    away = signed_in.get("/account/second-factor/codes?next=//evil.example/")
    assert "evil.example" not in away.text.partition("<footer")[0]


def test_a_new_phone_takes_over_with_a_code_of_the_old(mailbox, signed_in, ada):
    phone.pair(ada)
    client = sign_in(phone.code())
    page = client.get(APP)
    assert "Use another app" in words(page)
    assert "your old app and your old recovery codes stop working" in words(page)
    key = key_on(page)

    refused = set_up(client, key, current=phone.wrong())
    assert "That code didn’t work" in words(refused)
    assert set_up(client, key).status_code == 200  # without a code of the old app
    answer = set_up(client, key, current=phone.code(steps=1))
    assert answer.status_code == 302
    said = words(client.get(answer.url))
    assert "The new app is set up. Your old app and old recovery codes don’t work any more" in said
    assert "Two‑step verification is on." not in said

    assert is_in(client)
    assert not is_in(sign_in(phone.code(steps=1)))
    assert is_in(sign_in(phone.code(key, steps=1)))
    assert Authenticator.objects.count() == 2
    assert mailbox.kinds(ada.email).count("second_factor_on") == 2
    events = ada.events.filter(kind=Event.Kind.SECOND_FACTOR_ON).order_by("id")
    assert [event.detail["replaces"] for event in events] == [False, True]


def test_a_wrong_code_of_the_new_app_spends_none_of_the_old(signed_in, ada):
    phone.pair(ada)
    client = sign_in(phone.code())
    key, current = key_on(client.get(APP)), phone.code(steps=1)
    assert set_up(client, key, code=phone.wrong(key), current=current).status_code == 200

    assert set_up(client, key, current=current).status_code == 302


def test_turning_it_off_takes_password_plus_code_and_is_mailed(mailbox, ada):
    phone.pair(ada)
    client = sign_in(phone.code())

    for typed in ({"code": phone.code(steps=1)}, {"password": PASSWORD}, {"password": PASSWORD, "code": phone.wrong()}):
        assert client.post(OFF, typed).status_code == 200
        assert User.objects.get().second_factor.is_on
    assert client.post(OFF, {"password": "wrong password", "code": phone.code(steps=1)}).status_code == 200
    assert client.post(OFF, {"password": PASSWORD, "code": phone.code(steps=1)}).url == "/account/second-factor"

    assert not Authenticator.objects.exists()
    assert mailbox.kinds(ada.email).count("second_factor_off") == 1
    assert Client().post("/login", {"login": "ada", "password": PASSWORD}).url == "/account"
    assert client.post(OFF, {"password": PASSWORD, "code": phone.code(steps=1)}).url == "/account/second-factor"


def test_a_recovery_code_turns_it_off_too(ada):
    phone.pair(ada)
    client = sign_in(phone.code())

    client.post(OFF, {"password": PASSWORD, "code": ada.second_factor.recovery_codes[0]})

    assert not User.objects.get().second_factor.is_on


def test_a_recovery_code_does_not_count_as_a_use_of_the_app(ada):
    phone.pair(ada)
    client = sign_in(ada.second_factor.recovery_codes[0])
    assert "Not used yet" in words(client.get("/account/second-factor"))

    User.objects.get().second_factor.check(phone.code())

    assert "Last used" in words(client.get("/account/second-factor"))


@pytest.mark.parametrize("client_id", ["", "frontdoor"])
def test_google_is_a_first_step_where_it_is_offered(signed_in, ada, settings, client_id):
    settings.GOOGLE_CLIENT_ID = client_id
    pages = [signed_in.get("/account/second-factor")]
    phone.pair(User.objects.get())
    client = sign_in(phone.code())
    pages += [client.get("/account/second-factor"), client.get(OFF)]

    assert [("Google" in words(page)) for page in pages] == [bool(client_id)] * 3


def test_wrong_codes_at_an_open_laptop_are_counted_as_at_sign_in(ada, monkeypatch):
    phone.pair(ada)
    client = sign_in(phone.code())
    form = {"password": PASSWORD, "code": phone.wrong()}
    # The limit of passwords would be reached first.
    monkeypatch.setattr("accounts.limits.PASSWORD_PER_USER", replace(limits.PASSWORD_PER_USER, most=100))
    for _ in range(20):
        assert client.post(OFF, form).status_code == 200

    assert client.post(OFF, form).status_code == 429


@pytest.mark.parametrize("path", [OFF, APP])
def test_a_form_sent_while_all_sessions_end_changes_nothing(ada, monkeypatch, path):
    phone.pair(ada)
    client = sign_in(phone.code())
    key = key_on(client.get(APP))
    original = User.lock_or_raise

    def late(self):
        User.objects.get(pk=self.pk).end_sessions()
        return original(self)

    monkeypatch.setattr(User, "lock_or_raise", late)
    form = {
        "password": PASSWORD,
        "code": phone.code(key) if path == APP else phone.code(steps=1),
        "current": phone.code(steps=1),
    }
    page = client.post(path, form, follow=True)

    assert page.redirect_chain[0][0] == f"/login?next={path}"
    assert "Your session had ended, so nothing was changed" in words(page)
    assert encryption.decrypt(Authenticator.objects.get(type="totp").data["secret"]) == phone.SECRET


def test_of_two_setups_at_once_one_counts(ada):
    late = User.objects.get()
    phone.pair(ada)

    with pytest.raises(Superseded):
        late.second_factor.turn_on("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "000000")
    now = User.objects.get()
    now.second_factor.turn_on("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "000000")

    assert encryption.decrypt(now.second_factor.app.data["secret"]) == phone.SECRET


@pytest.mark.parametrize("verb", ["turn_off", "renew_codes"])
def test_a_user_signed_out_everywhere_meanwhile_changes_no_second_factor(ada, verb):
    phone.pair(ada)
    late = User.objects.get()
    codes = ada.second_factor.recovery_codes
    User.objects.get().end_sessions()

    with pytest.raises(Superseded):
        getattr(late.second_factor, verb)()

    assert ada.second_factor.is_on
    assert ada.second_factor.recovery_codes == codes


def disown(kind):
    NotMe(Event.objects.filter(kind=kind).order_by("id").last()).say()


def test_not_me_removes_an_app_that_was_set_up_since(mailbox, ada):
    sign_in("")  # a thief, whose new device is reported to the owner
    phone.pair(User.objects.get())

    disown(Event.Kind.SIGNED_IN)

    assert not Authenticator.objects.exists()
    come_by_link(mailbox, ada)
    assert Session.objects.filter(user=ada).exists()


def test_not_me_removes_the_app_that_its_own_mail_is_about(ada):
    phone.pair(ada)

    disown(Event.Kind.SECOND_FACTOR_ON)

    assert not Authenticator.objects.exists()


def test_not_me_leaves_an_app_that_was_there_before(ada):
    phone.pair(ada)
    sign_in(phone.code())

    disown(Event.Kind.SIGNED_IN)

    assert User.objects.get().second_factor.is_on
    assert len(ada.second_factor.recovery_codes) == 10


def test_not_me_removes_recovery_codes_that_were_made_since(ada):
    phone.pair(ada)
    sign_in(phone.code())
    User.objects.get().second_factor.renew_codes()

    disown(Event.Kind.SIGNED_IN)

    assert ada.second_factor.is_on
    assert ada.second_factor.recovery_codes == []


def test_staff_who_must_have_it_cannot_turn_it_off_but_can_take_another_phone(ada, settings):
    settings.REQUIRE_STAFF_2FA = True
    User.objects.update(is_staff=True)
    phone.pair(ada)
    client = sign_in(phone.code())

    page = client.get("/account/second-factor")
    assert "so it stays on" in words(page)
    assert OFF not in page.text
    assert client.get(OFF).status_code == 302
    client.post(OFF, {"password": PASSWORD, "code": phone.code(steps=1)})
    assert User.objects.get().second_factor.is_on

    key = key_on(client.get(APP))
    assert set_up(client, key, current=phone.code(steps=1)).status_code == 302


def test_plain_users_may_turn_it_off_where_staff_must_have_it(ada, settings):
    settings.REQUIRE_STAFF_2FA = True
    phone.pair(ada)
    client = sign_in(phone.code())

    client.post(OFF, {"password": PASSWORD, "code": phone.code(steps=1)})

    assert not User.objects.get().second_factor.is_on


def test_the_command_turns_it_off_for_a_user_who_has_lost_everything(mailbox, ada, capsys):
    phone.pair(ada)
    UserFactory(username="grace", email="grace@example.com")
    client = sign_in(phone.code())
    assert is_in(client)

    call_command("remove_second_factor", "ada", "grace@example.com", "--dry-run")
    assert "DRY RUN  removed from 1 of 2 people" in capsys.readouterr().out
    assert ada.second_factor.is_on
    call_command("remove_second_factor", "ADA@example.com", "grace")

    assert "removed from 1 of 2 people" in capsys.readouterr().out
    assert not Authenticator.objects.exists()
    assert not is_in(client)
    assert ada.events.get(kind=Event.Kind.SECOND_FACTOR_OFF).detail["by"] == "command"
    text = " ".join(mailbox.text(ada.email).split())
    assert "Someone who runs Frontdoor turned off two‑step verification" in text
    assert not OutboxMessage.objects.filter(recipient="grace@example.com").exists()


def before_it_removes(monkeypatch, do):
    """Has `do` called after the command has found the people, before it acts."""
    original = remove_second_factor.Command.remove

    def late(self, user):
        do(user)
        return original(self, user)

    monkeypatch.setattr(remove_second_factor.Command, "remove", late)


def test_the_command_helps_a_person_who_signs_out_everywhere_meanwhile(ada, capsys, monkeypatch):
    phone.pair(ada)
    before_it_removes(monkeypatch, lambda user: User.objects.get(pk=user.pk).sign_out())

    call_command("remove_second_factor", "ada")

    assert "removed from 1 of 1 people" in capsys.readouterr().out
    assert not ada.second_factor.is_on


def test_the_command_goes_on_after_a_person_who_is_deleted_meanwhile(ada, capsys, monkeypatch):
    phone.pair(ada)
    grace = phone.pair(UserFactory(username="grace"))
    before_it_removes(monkeypatch, lambda user: User.objects.filter(username="ada").delete())

    call_command("remove_second_factor", "ada", "grace")

    assert "removed from 1 of 2 people" in capsys.readouterr().out
    assert not grace.second_factor.is_on


def test_the_command_refuses_an_unknown_name_and_changes_nothing(ada, capsys):
    phone.pair(ada)

    with pytest.raises(CommandError, match="nobody called eve") as refused:
        call_command("remove_second_factor", "ada", "eve")

    assert refused.value.returncode == 2
    assert ada.second_factor.is_on


def test_the_command_speaks_json_and_counts_nobody_twice(ada, capsys):
    phone.pair(ada)
    call_command("remove_second_factor", "ada", "Ada@example.com", "--format", "json")

    said = json.loads(capsys.readouterr().out)
    assert said == {"command": "remove_second_factor", "dry_run": False, "people": 1, "removed": 1}
