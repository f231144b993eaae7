"""The button "This was not me" in a mail: it takes the account back, whether or not anybody is signed in."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from accounts.models import Event, NotMe, Session, User
from accounts.models.ways_in import WaysIn
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def token_of(link):
    return link.partition("token=")[2]


def press(link, client=None):
    return (client or Client()).post("/not-me", {"token": token_of(link)})


@pytest.fixture
def thief(ada):
    """The browser of a thief, who knows the password and is signed in."""
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    return client


@pytest.fixture
def link(mailbox, ada, thief):
    return mailbox.link(ada.email, "/not-me")


def test_looking_changes_nothing_and_says_what_a_press_would_change(ada, thief, link):
    for _ in range(5):
        page = Client().get(link)
        assert page.status_code == Client().head(link).status_code == 200

    said = words(page)
    assert "ada" in said
    assert "Signed in" in said
    assert "127.0.0.1" in said
    assert "everyone is signed out of your account" in said
    assert thief.get("/account").status_code == 200
    assert User.objects.get().check_password(PASSWORD)


def test_the_page_says_that_google_is_disconnected_where_it_is_connected(ada, link):
    assert "Google is disconnected" not in words(Client().get(link))

    ada.google.connect("2001", "mallory@gmail.com")

    assert "Google is disconnected from it" in words(Client().get(link))
    press(link)
    assert ada.google.account is None


def test_pressing_takes_the_account_back(mailbox, ada, thief, link):
    page = press(link)

    assert page.status_code == 200
    assert "ada@example.com" in words(page)
    assert thief.get("/account").status_code == 302
    assert not Session.objects.exists()
    assert thief.post("/login", {"login": "ada", "password": PASSWORD}).status_code == 200
    assert list(Event.objects.order_by("id").values_list("kind", flat=True))[2:] == ["disowned", "failed"]
    new = mailbox.link(ada.email, "/reset/password")
    assert Client().post("/reset/password", {"token": token_of(new), "password": NEW}).url == "/login"
    assert Client().post("/login", {"login": "ada", "password": NEW}).status_code == 302


def test_links_mailed_before_are_dead_as_well(mailbox, ada, link):
    Client().post("/", {"email": ada.email})
    old = mailbox.link(ada.email, "/confirm")

    press(link)

    assert Client().get(old).status_code == 410


def test_the_history_says_from_where_it_was_reported(link):
    press(link, Client(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="203.0.113.7"))

    said = Event.objects.get(kind="disowned")
    assert (said.ip, said.device_name) == ("203.0.113.7", "Firefox on Windows")


def test_devices_known_before_are_strangers(ada, thief, link):
    press(link)
    ada.refresh_from_db()
    ada.ways_in.change_password(NEW)
    thief.post("/login", {"login": "ada", "password": NEW})

    # reported as new again: the cookie of the device no longer counts
    assert ada.events.filter(kind="signed_in").count() == 2
    from outbox.models import OutboxMessage  # noqa: PLC0415

    assert OutboxMessage.objects.filter(kind="new_device").count() == 2


def test_pressing_twice_or_later_again_is_explained(mailbox, ada, link):
    press(link)
    mails = len(mailbox.letters(ada.email))

    page = press(link)

    assert page.status_code == 410
    assert "You have reported this already" in words(page)
    assert len(mailbox.letters(ada.email)) == mails


def test_the_button_works_for_72_hours(link):
    with time_machine.travel(timezone.now() + timedelta(hours=71, minutes=59)):
        assert press(link).status_code == 200


def test_after_72_hours_the_page_offers_a_new_password_instead(ada, thief, link):
    with time_machine.travel(timezone.now() + timedelta(hours=72, minutes=1)):
        for page in (Client().get(link), press(link)):
            assert page.status_code == 410
            assert "Reset your password" in words(page)
    assert User.objects.get().check_password(PASSWORD)


def test_every_notice_has_the_button(mailbox, ada):
    ada.ways_in.change_password(NEW)
    ada.rename("ada.lovelace")
    for kind in ("password_changed", "username_changed"):
        letter = next(m for m in mailbox.letters(ada.email) if kind in m["Message-ID"])
        assert "/not-me?token=" in letter.get_body(("plain",)).get_content()


def test_an_address_that_was_changed_comes_back(mailbox, ada, thief, link):
    ada.address.change("thief@example.com")
    undo = mailbox.link("ada@example.com", "/not-me")
    assert undo != link
    assert "your account goes back to the address ada@example.com" in words(Client().get(undo))

    press(undo)

    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
    assert [(a.email, a.verified, a.primary) for a in ada.emailaddress_set.all()] == [("ada@example.com", True, True)]
    assert thief.get("/account").status_code == 302
    assert mailbox.kinds("ada@example.com")[-1] == "disowned"
    assert "disowned" not in mailbox.kinds("thief@example.com")
    assert Event.objects.filter(kind="email_restored").exists()


def test_the_older_mail_about_the_thiefs_sign_in_brings_it_back_too(mailbox, ada, link):
    ada.address.change("thief@example.com")

    press(link)

    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_two_changes_in_a_row_come_back_to_the_first_address(mailbox, ada):
    ada.address.change("first@example.com")
    undo = mailbox.link("ada@example.com", "/not-me")
    ada.address.change("second@example.com")

    press(undo)

    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_the_thief_cannot_use_the_owners_undo_up_nor_undo_it(mailbox, ada):
    """A mail's button counts only if its address is the account's, or was until a recent change."""
    ada.address.change("thief@example.com")
    owners = mailbox.link("ada@example.com", "/not-me")
    ada.rename("renamed")
    thiefs = mailbox.link("thief@example.com", "/not-me")

    press(thiefs)
    ada.refresh_from_db()
    assert ada.email == "thief@example.com"
    assert press(owners).status_code == 200
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_a_mail_to_an_address_that_was_taken_back_has_no_say_any_more(mailbox, ada):
    ada.address.change("thief@example.com")
    owners = mailbox.link("ada@example.com", "/not-me")
    ada.rename("renamed")
    thiefs = mailbox.link("thief@example.com", "/not-me")
    press(owners)
    ada.refresh_from_db()
    ada.ways_in.change_password(NEW)

    assert press(thiefs).status_code == 410

    assert User.objects.get().check_password(NEW)


def test_an_address_change_older_than_72_hours_stays(mailbox, ada):
    then = timezone.now() - timedelta(hours=73)
    with time_machine.travel(then):
        ada.address.change("ada@new.example")
    undo = mailbox.link("ada@example.com", "/not-me")

    assert press(undo).status_code == 410
    ada.refresh_from_db()
    assert ada.email == "ada@new.example"


def test_an_address_that_somebody_else_has_by_now_is_left_to_staff(mailbox, ada):
    ada.address.change("thief@example.com")
    undo = mailbox.link("ada@example.com", "/not-me")
    UserFactory(username="grace", email="ada@example.com")

    page = press(undo)

    assert page.status_code == 409
    assert "help@testserver" in words(page)
    ada.refresh_from_db()
    assert ada.email == "thief@example.com"
    assert not ada.is_active
    assert not ada.has_usable_password()
    assert "disowned" not in mailbox.kinds("thief@example.com")


def test_a_pending_address_change_dies_with_the_session(mailbox, ada, thief, link):
    thief.post("/account/email", {"email": "thief@example.com", "password": PASSWORD})

    press(link)

    assert thief.get("/account/email/code").status_code == 302
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_the_button_of_a_deleted_account_opens_a_page(ada, link):
    ada.erase()

    for page in (Client().get(link), press(link)):
        assert page.status_code == 410


def test_an_account_that_is_deleted_while_the_button_is_pressed_opens_the_same_page(ada, link, monkeypatch):
    before_it_counts(monkeypatch, lambda: User.objects.get(pk=ada.pk).erase())

    page = press(link)

    assert page.status_code == 410
    assert "This link no longer works" in words(page)
    assert not User.objects.exists()


def test_a_token_for_another_purpose_or_no_token_is_broken(client, link):
    assert client.get("/confirm", {"token": token_of(link)}).status_code == 404
    assert client.get("/not-me").status_code == 404


def test_made_up_tokens_are_counted_when_pressed_and_not_when_looked_at(client):
    for n in range(31):
        assert client.get("/not-me", {"token": f"made.up.{n}"}).status_code == 404

    statuses = [client.post("/not-me", {"token": f"made.up.{n}"}).status_code for n in range(31)]
    assert statuses == [404] * 30 + [429]


def two_steps_away(mailbox, ada):
    """Has a thief change the address twice. Returns the owner's link and the thief's links."""
    ada.address.change("one@thief.example")
    owners = mailbox.link("ada@example.com", "/not-me")
    ada.rename("renamed")
    ada.address.change("two@thief.example")
    thiefs = [
        f"/not-me?token={link}"
        for letter in mailbox.letters("one@thief.example")
        for link in re.findall(r"/not-me\?token=(\S+)", letter.get_body(("plain",)).get_content())
    ]
    assert len(thiefs) == 2
    return owners, thiefs


def test_once_the_owner_has_undone_the_first_step_no_later_address_has_a_say(mailbox, ada):
    owners, thiefs = two_steps_away(mailbox, ada)

    assert press(owners).status_code == 200
    assert [press(link).status_code for link in thiefs] == [410, 410]

    ada.refresh_from_db()
    assert (ada.email, ada.is_active) == ("ada@example.com", True)
    assert "disowned" not in mailbox.kinds("one@thief.example")


def test_an_account_at_a_later_address_cannot_turn_the_owners_account_off(mailbox, ada):
    owners, thiefs = two_steps_away(mailbox, ada)
    UserFactory(email="one@thief.example")

    press(owners)
    assert [press(link).status_code for link in thiefs] == [410, 410]

    ada.refresh_from_db()
    assert ada.is_active


def test_a_thief_who_presses_first_takes_nothing_from_the_owners_link(mailbox, ada):
    owners, thiefs = two_steps_away(mailbox, ada)

    for link in thiefs:
        press(link)
    assert press(owners).status_code == 200

    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_a_later_change_can_be_undone_like_the_first(mailbox, ada):
    ada.address.change("one@thief.example")
    press(mailbox.link("ada@example.com", "/not-me"))
    ada.refresh_from_db()
    ada.address.change("work@example.com")

    assert press(mailbox.link("ada@example.com", "/not-me")).status_code == 200
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_the_address_that_loses_the_account_is_told_without_a_button(mailbox, ada):
    ada.address.change("new@example.com")
    press(mailbox.link("ada@example.com", "/not-me"))

    assert mailbox.kinds("new@example.com") == ["email_restored"]
    assert "token=" not in mailbox.text("new@example.com")


def test_a_change_under_way_when_the_owner_presses_comes_too_late(mailbox, ada, thief, link, monkeypatch):
    def late(ways_in, *args, **kwargs):
        monkeypatch.undo()
        press(link)
        return ways_in.change_password(*args, **kwargs)

    monkeypatch.setattr(WaysIn, "change_password", late)
    page = thief.post("/account/password", {"password": PASSWORD, "chosen": NEW}, follow=True)

    assert "Your session had ended, so nothing was changed" in words(page)
    assert not User.objects.get().has_usable_password()
    assert "password_changed" not in mailbox.kinds(ada.email)


@pytest.fixture
def two_links(mailbox, ada):
    """The owner's link, and that of a thief who has changed the address."""
    ada.address.change("thief@example.com")
    owners = mailbox.link("ada@example.com", "/not-me")
    ada.rename("renamed")
    return owners, mailbox.link("thief@example.com", "/not-me")


def test_an_address_that_another_account_left_has_no_say_over_this_one(ada, two_links):
    owners, thiefs = two_links
    press(owners)

    UserFactory(username="eve", email="thief@example.com").address.change("eve@example.com")

    assert press(thiefs).status_code == 410
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_moving_on_later_gives_no_say_to_an_address_taken_back_before(ada, two_links):
    owners, thiefs = two_links
    press(owners)
    ada.refresh_from_db()
    ada.address.change("ada@new.example")

    assert press(thiefs).status_code == 410
    ada.refresh_from_db()
    assert ada.email == "ada@new.example"


def test_no_mail_undoes_an_address_that_was_put_right_at_the_desk(admin_client, ada, two_links):
    _owners, thiefs = two_links
    form = {"username": "renamed", "email": "ada@example.com", "is_active": "on"}
    admin_client.post(f"/admin/accounts/user/{ada.pk}/change/", form)

    assert press(thiefs).status_code == 410
    ada.refresh_from_db()
    assert (ada.email, ada.is_active) == ("ada@example.com", True)


def before_it_counts(monkeypatch, do):
    """Has `do` called just after the next press was found to be in time."""
    original = NotMe.can_be_said

    def meanwhile(self):
        answer = original(self)
        monkeypatch.undo()
        do()
        return answer

    monkeypatch.setattr(NotMe, "can_be_said", meanwhile)


def test_of_two_presses_at_once_one_counts_and_the_other_is_explained(mailbox, ada, link, monkeypatch):
    before_it_counts(monkeypatch, lambda: press(link))

    page = press(link)

    assert page.status_code == 410
    assert "You have reported this already" in words(page)
    assert Event.objects.filter(kind="disowned").count() == 1
    assert mailbox.kinds(ada.email).count("disowned") == 1


def test_a_thief_who_presses_just_after_the_owner_has_no_say(mailbox, ada, two_links, monkeypatch):
    owners, thiefs = two_links
    before_it_counts(monkeypatch, lambda: press(owners))

    assert press(thiefs).status_code == 410

    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
    assert "disowned" not in mailbox.kinds("thief@example.com")


def test_if_the_mail_cannot_be_written_the_report_changes_nothing(thief, link, monkeypatch):
    def fail(*_args, **_kwargs):
        raise DatabaseError("on purpose")

    with monkeypatch.context() as broken:
        broken.setattr("invites.models.link_queryset.mails.letter", fail)
        assert press(link, Client(raise_request_exception=False)).status_code == 500

    assert thief.get("/account").status_code == 200
    assert press(link).status_code == 200


def test_the_mail_that_follows_does_not_say_to_ignore_it(mailbox, ada, link):
    press(link)

    text = " ".join(mailbox.text(ada.email).split())
    assert "the old password no longer works" in text
    assert "Ignore this email" not in text


def test_after_a_report_the_other_mails_about_the_same_break_in_kill_no_new_password(mailbox, ada, thief, link):
    thief.post("/account/username", {"username": "renamed"})
    other = mailbox.link(ada.email, "/not-me")
    press(link)
    new = mailbox.link(ada.email, "/reset/password")
    Client().post("/reset/password", {"token": token_of(new), "password": NEW})

    page = press(other)

    assert page.status_code == 410
    assert "You have reported this already" in words(page)
    assert User.objects.get().check_password(NEW)


def test_a_later_break_in_can_be_reported_again(mailbox, ada, link):
    press(link)
    ada.refresh_from_db()
    ada.ways_in.change_password(NEW)

    assert press(mailbox.link(ada.email, "/not-me")).status_code == 200
    assert not User.objects.get().has_usable_password()


def test_a_link_to_an_address_that_has_no_say_is_not_called_expired(mailbox, ada):
    ada.address.change("thief@example.com")
    owners = mailbox.link("ada@example.com", "/not-me")
    ada.rename("renamed")
    thiefs = mailbox.link("thief@example.com", "/not-me")
    press(owners)

    page = words(Client().get(thiefs))
    assert "This link no longer works" in page
    assert "no longer belongs to that account" in page


def test_the_page_about_a_disputed_address_stays_the_same_with_the_same_code(mailbox, ada):
    ada.address.change("thief@example.com")
    undo = mailbox.link("ada@example.com", "/not-me")
    UserFactory(username="grace", email="ada@example.com")
    before = words(Client().get(undo))
    assert "turned off until a person has looked at it" in before
    assert "goes back to the address" not in before

    first, second = press(undo), press(undo)

    assert first.status_code == second.status_code == 409
    assert words(first) == words(second)
    assert ada.events.filter(kind="turned_off").exists()


THIEFS = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"


def test_the_mail_about_a_thiefs_app_still_works_after_a_later_one_was_reported(mailbox, ada):
    ada.second_factor.turn_on(THIEFS, "000000")
    about_the_app = mailbox.link(ada.email, "/not-me")
    ada.refresh_from_db()
    ada.rename("thief")
    page = press(mailbox.link(ada.email, "/not-me"))
    assert "If it wasn’t you who set it up, press the button in the email about that too." in words(page)
    assert ada.second_factor.is_on  # it was set up before the event that was reported

    assert press(about_the_app).status_code == 200

    assert not ada.second_factor.is_on
    assert press(about_the_app).status_code == 410


def test_the_mail_about_a_thiefs_recovery_codes_still_works_after_a_later_one(mailbox, ada):
    phone.pair(ada)
    ada.refresh_from_db()
    ada.second_factor.renew_codes()
    about_the_codes = mailbox.link(ada.email, "/not-me")
    ada.rename("thief")
    press(mailbox.link(ada.email, "/not-me"))

    assert press(about_the_codes).status_code == 200

    assert ada.second_factor.is_on
    assert ada.second_factor.recovery_codes == []


def test_an_older_mail_takes_away_nothing_that_the_owner_set_up_after_reporting(mailbox, ada):
    ada.rename("thief")
    older = mailbox.link(ada.email, "/not-me")
    ada.rename("thief2")
    press(mailbox.link(ada.email, "/not-me"))
    ada.refresh_from_db()
    phone.pair(ada)

    assert press(older).status_code == 410
    assert ada.second_factor.is_on


def test_a_recovery_code_that_somebody_else_used_makes_all_of_them_worthless(mailbox, ada):
    phone.pair(ada)
    ada.refresh_from_db()
    ada.second_factor.check(ada.second_factor.recovery_codes[0])

    press(mailbox.link(ada.email, "/not-me"))

    assert ada.second_factor.is_on
    assert ada.second_factor.recovery_codes == []


GOES = "the authenticator app and recovery codes that were set up since are removed"
OFF = "Two‑step verification is off now: turn it on again once you’re in."


def test_the_page_says_that_an_app_set_up_since_is_removed(ada, link):
    assert GOES not in words(Client().get(link))

    phone.pair(User.objects.get())

    assert GOES in words(Client().get(link))


def test_the_page_says_that_recovery_codes_made_since_are_removed(mailbox, ada):
    phone.pair(ada)
    ada.record_and_notify(Event.Kind.SIGNED_IN)
    link = mailbox.link(ada.email, "/not-me")
    assert GOES not in words(Client().get(link))

    User.objects.get().second_factor.renew_codes()

    assert GOES in words(Client().get(link))


@pytest.mark.parametrize(
    "last",
    [lambda ada: None, lambda ada: ada.second_factor.turn_off()],
    ids=["turned on", "turned off"],
)
def test_an_owner_whose_second_factor_was_changed_is_told_to_turn_it_on(mailbox, ada, last):
    phone.pair(ada)
    last(User.objects.get())

    assert OFF in words(press(mailbox.link(ada.email, "/not-me")))


def test_an_owner_whose_second_factor_was_set_up_since_is_told_to_turn_it_on(ada, link):
    phone.pair(User.objects.get())

    assert OFF in words(press(link))


def test_an_owner_whose_second_factor_is_unchanged_is_not_told_to_turn_it_on(mailbox, ada, link):
    assert OFF not in words(press(link))

    phone.pair(User.objects.get())
    User.objects.get().record_and_notify(Event.Kind.SIGNED_IN)
    assert OFF not in words(press(mailbox.link(ada.email, "/not-me")))
    assert ada.second_factor.is_on


def test_a_change_by_staff_is_not_shown_as_from_an_unknown_device(mailbox, ada):
    phone.pair(ada)
    User.objects.get().second_factor.turn_off(by="staff")

    said = words(Client().get(mailbox.link(ada.email, "/not-me")))

    assert "someone who runs Frontdoor" in said
    assert "Unknown device" not in said
