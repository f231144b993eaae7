"""Leaving with a way back: what ends at once, all ways back, and what prune finishes."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from accounts.models import Event, HeldName, Session, User
from accounts.models.leaving import WAIT
from invites.models import MagicLink
from outbox.models import OutboxMessage
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program, codes, fields
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

PAGE, KEEP, DOOR = "/account/delete", "/login/keep", "/api/v1/auth/keep"


def leave(client, **typed):
    return client.post(PAGE, {"password": PASSWORD, "when": "later"} | typed, follow=True)


@pytest.fixture
def left(signed_in, ada, mailbox):
    """Ada, who has left and may come back."""
    leave(signed_in)
    return User.objects.get(pk=ada.pk)


def password(client=None, **typed):
    client = client or Client()
    client.post("/login", {"login": "ada", "password": PASSWORD} | typed)
    return client


def mailed_link(mailbox):
    client = Client()
    client.post("/", {"email": "ada@example.com"})
    token = mailbox.link("ada@example.com", "/confirm").partition("token=")[2]
    client.post("/confirm", {"token": token})
    return client


def is_in(client):
    return client.get("/account").status_code == 200


def kept_token(mailbox):
    return mailbox.link("ada@example.com", "/keep").partition("token=")[2]


def stays():
    return User.objects.get(username="ada").leaves_at is None


def days_on(days):
    return time_machine.travel(timezone.now() + timedelta(days=days), tick=True)


# Leaving


def test_the_way_back_is_the_first_choice_of_the_page(signed_in):
    page = signed_in.get(PAGE)

    assert page.text.index('value="later"') < page.text.index('value="now"')
    assert 'value="later" id="id_when_0" aria-describedby' not in page.text  # the group has the hint
    assert "checked" in page.text[page.text.index('value="later"') : page.text.index('value="now"')]


def test_whoever_leaves_is_signed_out_everywhere_and_mailed_one_way_back(signed_in, ada, mailbox):
    other = password()
    waiting = MagicLink.objects.issue(ada.email)

    page = leave(signed_in, when="later")

    assert page.redirect_chain == [("/", 302)]
    assert "Your account will be deleted on" in words(page)
    assert not is_in(signed_in)
    assert not is_in(other)
    assert not Session.objects.filter(user=ada).exists()
    assert timedelta(0) < User.objects.get().leaves_at - timezone.now() - WAIT + timedelta(minutes=1)
    assert mailbox.kinds(ada.email) == ["leaving"]  # what had not left before is withdrawn
    letter = mailbox.letters(ada.email)[-1]
    assert letter["Subject"] == "Your Frontdoor account will be deleted"
    assert "/keep?token=" in mailbox.text(ada.email)
    assert MagicLink.objects.get(pk=waiting.pk).epoch != User.objects.get().session_epoch
    event = ada.events.get(kind="leaving")
    assert (event.ip, event.told) == ("127.0.0.1", ada.email)


@pytest.mark.parametrize("typed", [{"password": "wrong password"}, {"password": ""}])
def test_without_proof_nobody_leaves(signed_in, typed):
    leave(signed_in, **typed)

    assert stays()
    assert is_in(signed_in)


def test_an_unknown_choice_is_an_error_and_keeps_the_rest(signed_in):
    page = leave(signed_in, when="never")

    assert page.status_code == 200
    assert stays()


def test_a_second_press_and_another_tab_change_nothing_more(signed_in, ada):
    cookie = signed_in.cookies["frontdoor_session"].value
    leave(signed_in)
    at = User.objects.get().leaves_at
    tab = Client()
    tab.cookies["frontdoor_session"] = cookie

    page = leave(tab, when="now")

    assert "If you pressed twice, the first press counts." in words(page)
    assert User.objects.get().leaves_at == at


def test_the_last_superuser_stays_and_reads_why(desk, admin_user):
    for when in ("later", "now"):
        page = leave(desk, when=when)
        assert page.status_code == 409
        assert "You’re the only superuser here." in words(page)
    assert User.objects.get().leaves_at is None
    assert is_in(desk)

    UserFactory(is_staff=True, is_superuser=True)
    leave(desk)

    assert User.objects.get(pk=admin_user.pk).leaves_at


def test_a_superuser_who_is_leaving_counts_for_nothing(desk):
    other = UserFactory(is_staff=True, is_superuser=True)
    other.leaving.begin()

    assert leave(desk).status_code == 409


def test_a_database_that_fails_leaves_all_as_it_was(signed_in, monkeypatch):
    monkeypatch.setattr("accounts.notices.way_back", lambda *_args: (_ for _ in ()).throw(DatabaseError))

    page = leave(signed_in)

    assert page.status_code == 503
    assert "Nothing has been removed." in words(page)
    assert stays()
    assert is_in(signed_in)


# Coming back


def by_google(mailbox, google):
    google.person = Person(sub="2001", email="ada@gmail.com")
    client = Client()
    client.get(google.consent(client.post("/google").url))
    return client


WAYS = {
    "password": lambda *_given: password(),
    "link": lambda mailbox, _google: mailed_link(mailbox),
    "google": by_google,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_sign_in_asks_first_whether_the_account_stays(way, signed_in, ada, mailbox, google):
    ada.google.adopt("2001", "ada@gmail.com")
    leave(signed_in)

    client = WAYS[way](mailbox, google)

    assert SESSION_KEY not in client.session
    assert not is_in(client)
    page = words(client.get(KEEP))
    assert "Keep your account?" in page
    assert "Your account ada is to be deleted on" in page
    assert not stays()

    answer = client.post(KEEP)

    assert answer.url == "/account"
    assert is_in(client)
    assert stays()
    assert ada.events.filter(kind="signed_in").latest("id").detail["way"] == way
    assert mailbox.kinds(ada.email).count("stays") == 1
    assert ada.events.filter(kind="came_back").count() == 1


def test_it_leads_where_the_visitor_was_going(left):
    assert password(next="/account/settings").post(KEEP).url == "/account/settings"


def test_the_second_factor_comes_before_the_question(ada):
    phone.pair(ada).leaving.begin()
    client = password()
    assert client.get(KEEP, follow=True).redirect_chain[0][0].startswith("/login")
    client.post(KEEP)
    assert not stays()

    answer = client.post("/login/code", {"code": phone.code()})

    assert answer.url == KEEP
    assert not is_in(client)
    client.post(KEEP)
    assert is_in(client)
    assert ada.events.filter(kind="came_back").exists()


def test_leaving_it_at_that_forgets_the_sign_in(left):
    client = password()

    page = client.post(KEEP, {"leave": "yes"}, follow=True)

    assert "Until then you can come back." in words(page)
    assert not stays()
    assert client.post(KEEP, follow=True).redirect_chain[0][0] == "/login"
    assert not stays()


def test_a_double_click_on_keeping_signs_in_once_more_and_mails_once(left, mailbox):
    client = password()
    cookie = client.cookies["frontdoor_session"].value
    client.post(KEEP)
    again = Client()
    again.cookies["frontdoor_session"] = cookie

    assert again.post(KEEP).url == "/account"

    assert is_in(again)
    assert mailbox.kinds(left.email).count("stays") == 1


def test_a_session_that_only_waited_for_its_code_keeps_nothing(ada):
    phone.pair(ada).leaving.begin()
    client = password()
    cookie = client.cookies["frontdoor_session"].value
    client.post("/login/code", {"code": phone.code()})
    thief = Client()
    thief.cookies["frontdoor_session"] = cookie

    assert thief.post(KEEP).url == "/login"
    assert not stays()


def test_kept_in_another_tab_the_question_only_goes_on(left, mailbox):
    client, other = password(), password()
    other.post(KEEP)

    assert "Your account stays" in words(client.get(KEEP))
    assert client.post(KEEP).url == "/account"
    assert is_in(client)
    assert mailbox.kinds(left.email).count("stays") == 1


def test_nobody_waits_any_more_when_the_account_is_deleted(left):
    client = password()
    left.erase()

    assert client.post(KEEP).url == "/login"
    assert client.get(KEEP).status_code == 302


def test_whoever_is_signed_in_is_led_on(signed_in):
    assert signed_in.get(KEEP).url == "/account"


def test_an_account_that_is_turned_off_meanwhile_is_asked_nothing(left):
    client = password()
    left.turn_off()

    assert client.post(KEEP).url == "/login"
    assert not stays()


def test_the_button_in_the_mail_keeps_the_account_and_signs_nobody_in(left, mailbox):
    token = kept_token(mailbox)
    client = Client()
    for _ in range(3):
        assert "Keep your account?" in words(client.get("/keep", {"token": token}))
    assert not stays()

    page = client.post("/keep", {"token": token}, follow=True)

    assert page.redirect_chain == [("/login", 302)]
    assert "Your account stays. Sign in to carry on." in words(page)
    assert stays()
    assert not is_in(client)
    assert client.post("/keep", {"token": token}).url == "/login"
    assert "ada is not going to be deleted." in words(client.get("/keep", {"token": token}))
    assert mailbox.kinds(left.email) == ["leaving", "stays"]
    assert is_in(password())


def test_a_broken_token_and_that_of_a_deleted_account_are_one_page(left, mailbox):
    token = kept_token(mailbox)
    left.erase()

    pages = [Client().get("/keep", {"token": sent}) for sent in (token, "broken", "")]
    pages += [Client().post("/keep", {"token": sent}) for sent in (token, "broken", "")]

    assert {page.status_code for page in pages} == {404}
    assert "deleted by now" in words(pages[0])


def test_this_was_not_me_brings_an_account_back_that_a_thief_has_left(signed_in, ada, mailbox):
    ada.rename("countess")
    token = mailbox.link(ada.email, "/not-me").partition("token=")[2]
    signed_in.post("/login", {"login": "countess", "password": PASSWORD})
    leave(signed_in)

    Client().post("/not-me", {"token": token})

    assert User.objects.get().leaves_at is None


# Meanwhile


def test_no_notice_and_no_digest_is_mailed_meanwhile(left, mailbox):
    for _ in range(25):
        left.record_and_notify(Event.Kind.GUESSED, count=20)

    assert mailbox.kinds(left.email) == ["leaving"]


def test_a_stranger_sees_no_difference(left, mailbox):
    UserFactory(username="grace", email="grace@example.com")
    answers = []
    for email in ("ada@example.com", "grace@example.com", "nobody@example.com"):
        client = Client()
        page = client.post("/", {"email": email})
        body = client.get("/invite/sent").text.replace(email, "…")
        wrong = Client().post("/login", {"login": email, "password": "wrong password"})
        answers.append((page.status_code, page.url, len(body), wrong.status_code, words(wrong).replace(email, "…")))
        assert len(mailbox.letters(email)) == 1 + (email == "ada@example.com")

    assert len({str(answer) for answer in answers}) == 1


def test_the_session_door_and_forward_auth_know_nobody(left):
    client = password()

    assert client.get("/auth/verify").status_code == 401
    answer = client.get("/api/v1/auth/session")
    assert (answer.status_code, codes(answer), answer.json()["next"]) == (401, ["leaving"], DOOR)


def test_the_export_says_when_the_account_ends(left):
    from accounts.privacy import export  # noqa: PLC0415

    (row,) = export.account(left)
    assert row["leaves_at"] == left.leaves_at


# The end


def test_prune_deletes_when_the_day_has_come_and_not_before(left, mailbox, capsys):
    mailbox.letters()
    with days_on(13):
        call_command("prune")
    assert User.objects.exists()

    with days_on(14):
        call_command("prune", "--dry-run")
        assert "1 accounts" in capsys.readouterr().out
        assert User.objects.exists()
        call_command("prune", "--format", "json")

        assert mailbox.kinds("ada@example.com") == ["leaving", "deleted"]

    assert json.loads(capsys.readouterr().out)["accounts"] == 1
    assert not User.objects.exists()
    assert Event.objects.filter(kind="deleted").count() == 1


def test_prune_spares_whoever_came_back(left):
    left.leaving.come_back()

    with days_on(15):
        call_command("prune")

    assert User.objects.exists()


def test_one_account_that_can_t_be_deleted_keeps_no_other(left, monkeypatch):
    grace = UserFactory(username="grace")
    grace.leaving.begin()
    original = User.erase
    monkeypatch.setattr(
        User,
        "erase",
        lambda user, **by: original(user, **by) if user == grace else (_ for _ in ()).throw(DatabaseError),
    )

    with days_on(15):
        call_command("prune")

    assert User.objects.get() == left


# Other services, and the desk


def test_other_services_hear_of_leaving_and_of_coming_back(signed_in, ada, announced):
    leave(signed_in)
    at = User.objects.get().leaves_at
    password().post(KEEP)

    told = [(name, payload) for name, payload in announced() if name.startswith("user.")]
    assert [name for name, _payload in told] == ["user.leaving", "user.kept"]
    assert told[0][1].keys() == {"user", "leaves_at"}
    assert told[0][1]["leaves_at"].startswith(at.strftime("%Y-%m-%dT%H:%M"))


def test_the_desk_says_when_somebody_leaves_and_a_superuser_keeps_the_account(left, desk, mailbox):
    path = f"/admin/accounts/user/{left.pk}/change/"
    assert "Leaving" in words(desk.get(path))
    assert "Leaving" in words(desk.get("/admin/accounts/user/?show=leaving"))

    page = desk.post(path, {"CHANGE_FORM-action": "keep", "_selected_action": str(left.pk)}, follow=True)

    assert "1 kept." in words(page)
    assert stays()
    assert left.events.get(kind="came_back").detail["staff"] == "olga"
    assert mailbox.kinds(left.email)[-1] == "stays"
    assert "Someone who runs Frontdoor kept ada" in " ".join(mailbox.text(left.email).split())
    assert "Keep the account" not in words(desk.get(path))


def test_staff_who_are_no_superusers_can_keep_nobody(left):
    path = f"/admin/accounts/user/{left.pk}/change/"
    helper = UserFactory(username="helper", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client = Client()
    client.post("/login", {"login": "helper", "password": PASSWORD})

    assert "Keep the account" not in words(client.get(path))
    client.post(path, {"CHANGE_FORM-action": "keep", "_selected_action": str(left.pk)})

    assert not stays()


# JSON


@pytest.fixture
def program(ada):
    program = Program()
    program.sign_in("ada", PASSWORD)
    return program


def test_a_program_leaves_and_comes_back(program, ada):
    answer = program.send("/api/v1/account", "DELETE", when="later", password=PASSWORD)
    assert answer.status_code == 200
    assert "Your account will be deleted on" in answer.json()["message"]
    assert not stays()

    answer = program.sign_in("ada", PASSWORD)
    assert (answer.status_code, codes(answer), answer.json()["next"]) == (401, ["leaving"], DOOR)

    answer = program.send(DOOR)
    assert (answer.status_code, answer.json()["user"]["username"], answer.json()["next"]) == (200, "ada", None)
    assert stays()
    assert program.send(DOOR).status_code == 200


def test_a_program_comes_back_after_the_code(program, ada):
    phone.pair(ada).leaving.begin()
    assert codes(program.sign_in("ada", PASSWORD)) == ["second_factor"]

    assert codes(program.send("/api/v1/auth/login/code", code=phone.code())) == ["leaving"]
    assert program.send(DOOR).status_code == 200


def test_a_program_leaves_it_at_that(program):
    program.send("/api/v1/account", "DELETE", when="later", password=PASSWORD)
    program.sign_in("ada", PASSWORD)

    assert program.send(DOOR, "DELETE").status_code == 200

    assert codes(program.send(DOOR)) == ["signed_out"]
    assert not stays()


def test_a_program_keeps_an_account_with_the_token_of_the_mail(left, mailbox):
    program, token = Program(), kept_token(mailbox)

    for _ in range(2):
        assert program.send(f"{DOOR}/link", token=token).status_code == 200
    answer = program.send(f"{DOOR}/link", token="x")

    assert stays()
    assert (answer.status_code, codes(answer), fields(answer)) == (404, ["broken"], ["token"])


def test_the_door_refuses_an_unknown_choice_and_the_last_superuser(program, admin_user):
    answer = program.send("/api/v1/account", "DELETE", when="never", password=PASSWORD)
    assert (answer.status_code, fields(answer)) == (400, ["when"])

    owner = Program()
    owner.sign_in("olga", PASSWORD)
    answer = owner.send("/api/v1/account", "DELETE", password=PASSWORD)
    assert (answer.status_code, codes(answer)) == (409, ["last_owner"])


# Names


def test_nobody_can_take_the_name_for_thirty_days(signed_in, ada, client, mailbox, desk):
    leave(signed_in, when="now")
    grace = UserFactory(username="grace", email="grace@example.com")
    hers = Client()
    hers.post("/login", {"login": "grace", "password": PASSWORD})

    page = hers.post("/account/username", {"username": "Ada", "password": PASSWORD, "proof-asked": "1"})
    assert "That username is taken. ada2 is free" in words(page)
    page = desk.post("/admin/accounts/user/add/", {"username": "ada", "email": "new@example.com"})
    assert "That username is taken." in words(page)
    client.post("/", {"email": "ada@example.com"})
    token = mailbox.link("ada@example.com", "/signup").partition("token=")[2]
    page = client.post("/signup", {"token": token, "username": "ada", "password": PASSWORD})
    assert "That username is taken. ada2 is free" in words(page)
    assert User.objects.free_name("ada") == "ada2"
    assert set(User.objects.values_list("username", flat=True)) == {"grace", "olga"}

    with days_on(31):
        call_command("prune")
        assert not HeldName.objects.exists()
        grace.rename("ada")


def test_what_is_held_says_nothing_of_the_person(signed_in, ada, settings):
    leave(signed_in, when="now")

    (row,) = HeldName.objects.values()
    assert "ada" not in str(row)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "x" * 60
    assert User.objects.is_taken("ada")


def test_a_link_that_is_pressed_twice_is_used_also_if_its_name_is_taken(client, mailbox):
    client.post("/", {"email": "new@example.com"})
    token = mailbox.link("new@example.com", "/signup").partition("token=")[2]
    typed = {"token": token, "username": "newcomer", "password": PASSWORD}

    assert [client.post("/signup", typed).status_code for _ in range(2)] == [302, 302]
    assert User.objects.get().username == "newcomer"


def test_mail_that_waits_for_somebody_who_leaves_is_not_sent(signed_in, ada, mailbox):
    OutboxMessage.objects.all().delete()
    ada.record_and_notify(Event.Kind.EXPORTED)

    leave(signed_in)

    assert mailbox.kinds(ada.email) == ["leaving"]
