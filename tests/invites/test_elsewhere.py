"""A mailed link that is opened in another browser than the one that asked: the code, and the way on here."""

import os
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.utils import timezone

from accounts.models import User
from invites.models import BY_NOBODY, Invite, MagicLink
from kit import short_code
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
GUESSERS = int(os.environ.get("GUESSERS", "20"))  # browsers, each of which sends ten guesses
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


@pytest.fixture(autouse=True)
def unlimited(settings):
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def laptop():
    """The browser that asks."""
    return Client(headers={"User-Agent": CHROME})


@pytest.fixture
def other():
    """The browser on the other device."""
    return Client()


def ask(browser, email, path="/", **typed):
    assert browser.post(path, {"email": email, **typed}).url == "/invite/sent"


def code_on(page):
    found = re.search(r'class="code-out"[^>]*>([^<]+)<', page.text)
    return found[1] if found else ""


def who_is_in(browser):
    return browser.session.get(SESSION_KEY)


def type_in(browser, code, **more):
    return browser.post("/invite/sent/code", {"code": code}, **more)


# A link that signs in


def test_the_browser_that_asked_signs_in_with_one_press_and_sees_no_code(laptop, mailbox, ada):
    ask(laptop, ada.email)
    link = mailbox.link(ada.email)

    page = laptop.get(link)
    assert "Nothing happens until you press the button." in page.text
    assert not code_on(page)
    assert laptop.post("/confirm", {"token": link.partition("token=")[2]}).url == "/account"


def test_another_browser_shows_a_code_which_signs_in_where_it_was_asked_for(laptop, other, mailbox, ada):
    ask(laptop, ada.email, next="/account/settings")

    page = other.get(mailbox.link(ada.email))
    assert "You asked for this (now) in Chrome on Windows. Type this code there:" in words(page)
    assert re.fullmatch(r"\w{4}-\w{4}", code_on(page))
    assert type_in(laptop, code_on(page).lower().replace("-", " ")).url == "/account/settings"

    assert who_is_in(laptop) == str(ada.pk)
    assert not who_is_in(other)
    assert MagicLink.objects.get().used_by == ada


def test_the_code_stands_in_no_mail(laptop, other, mailbox, ada):
    ask(laptop, ada.email)
    code = code_on(other.get(mailbox.link(ada.email)))

    mail = mailbox.letters()[-1]
    assert code not in mail.as_string()
    assert code.replace("-", "") not in mail.as_string()


def test_to_open_it_a_hundred_times_changes_nothing(laptop, other, mailbox, ada):
    ask(laptop, ada.email)
    link = mailbox.link(ada.email)

    with time_machine.travel(timezone.now(), tick=False):
        codes = {code_on(other.get(link)) for _ in range(20)}
    assert len(codes) == 1
    assert MagicLink.objects.get().used_at is None
    assert type_in(laptop, codes.pop()).url == "/account"


def test_the_way_on_here_needs_a_box_that_no_scanner_ticks(laptop, other, mailbox, ada):
    ask(laptop, ada.email)
    token = mailbox.link(ada.email).partition("token=")[2]

    page = other.post("/confirm", {"token": token})
    assert "Tick the box to sign in on this device" in words(page)
    assert code_on(page)
    assert not who_is_in(other)

    assert other.post("/confirm", {"token": token, "here": "on"}).url == "/account"
    assert who_is_in(other) == str(ada.pk)
    assert not who_is_in(laptop)


def test_a_second_step_is_asked_for_where_the_code_was_typed(laptop, other, mailbox, ada):
    phone.pair(ada)
    ask(laptop, ada.email)

    assert type_in(laptop, code_on(other.get(mailbox.link(ada.email)))).url == "/login/code"
    assert not who_is_in(laptop)
    laptop.post("/login/code", {"code": phone.code()})
    assert who_is_in(laptop) == str(ada.pk)


def test_the_button_pressed_twice_there_signs_in_all_the_same(laptop, other, mailbox, ada):
    laptop.get("/")
    ask(laptop, ada.email)
    laptop.get("/invite/sent")
    code = code_on(other.get(mailbox.link(ada.email)))
    before = laptop.cookies.copy()
    type_in(laptop, code)
    again = Client()
    again.cookies = before

    assert type_in(again, code).url == "/account"
    assert who_is_in(again) == str(ada.pk)


# A link for somebody new


def test_a_newcomer_goes_on_in_the_browser_that_asked(laptop, other, mailbox):
    ask(laptop, EMAIL)
    link = mailbox.link(EMAIL)

    page = other.get(link)
    assert "Where do you want to carry on?" in words(page)
    form = laptop.get(type_in(laptop, code_on(page)).url, follow=True)
    assert form.redirect_chain[-1][0].startswith("/signup?token=")
    token = form.redirect_chain[-1][0].partition("token=")[2]
    laptop.post("/signup", {"token": token, "username": "grace", "password": PASSWORD})
    assert who_is_in(laptop) == str(User.objects.get(email=EMAIL).pk)


def test_a_newcomer_may_go_on_on_the_other_device(laptop, other, mailbox):
    ask(laptop, EMAIL)
    page = other.get(mailbox.link(EMAIL))

    form = other.get(page.context["here_url"])
    assert "Your email is confirmed" in words(form)
    shown = other.post(page.context["here_url"], {"token": form.context["token"], "show_again": "", "username": "g"})
    assert "Your email is confirmed" in words(shown)
    other.post("/signup", {"token": form.context["token"], "username": "grace", "password": PASSWORD})
    assert who_is_in(other)
    assert not who_is_in(laptop)


def test_a_registration_is_confirmed_by_the_code_as_it_was_planned(laptop, other, mailbox):
    ask(laptop, EMAIL, "/signup", username="grace", password=PASSWORD)

    page = other.get(mailbox.link(EMAIL), follow=True)
    answer = type_in(laptop, code_on(page))

    assert answer.url == "/login"
    assert "Email address confirmed." in words(laptop.get("/login"))
    assert User.objects.get(username="grace").check_password(PASSWORD)


def test_a_planned_name_that_is_taken_is_asked_for_again_after_the_code(laptop, other, mailbox):
    ask(laptop, EMAIL, "/signup", username="grace", password=PASSWORD)
    UserFactory(username="grace", email="g@example.org")

    answer = type_in(laptop, code_on(other.get(mailbox.link(EMAIL), follow=True)))

    page = laptop.get(answer.url)
    assert "can’t be had" in words(page)
    laptop.post(answer.url, {"token": page.context["token"], "username": "hopper"})
    assert User.objects.get(username="hopper").check_password(PASSWORD)


# A link for a new password, and one that proves


def test_a_new_password_is_chosen_where_it_was_asked_for(laptop, other, mailbox, ada):
    ask(laptop, ada.email, "/reset")

    page = other.get(mailbox.link(ada.email))
    answer = type_in(laptop, code_on(page))
    assert answer.url.startswith("/reset/password?token=")
    form = laptop.get(answer.url)
    assert not code_on(form)
    laptop.post(answer.url, {"token": form.context["token"], "password": "another horse battery"})
    ada.refresh_from_db()
    assert ada.check_password("another horse battery")


def test_a_new_password_may_be_chosen_on_the_other_device(laptop, other, mailbox, ada):
    ask(laptop, ada.email, "/reset")
    page = other.get(mailbox.link(ada.email))

    form = other.get(page.context["here_url"])
    assert not code_on(form)
    other.post(page.context["here_url"], {"token": form.context["token"], "password": "another horse battery"})
    ada.refresh_from_db()
    assert ada.check_password("another horse battery")


def test_a_proof_counts_where_it_was_asked_for(signed_in, other, mailbox, ada):
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert signed_in.post("/account/prove", {"next": "/account/delete"}).url == "/invite/sent"
        page = other.get(mailbox.link(ada.email))

        assert type_in(signed_in, code_on(page)).url == "/account/delete"
        assert not who_is_in(other)


# An invitation


def test_an_invitation_that_nobody_asked_for_shows_no_code(other, mailbox):
    Invite.objects.issue(EMAIL, source="staff", invited_by=UserFactory())

    page = other.get(mailbox.link(EMAIL))
    assert not code_on(page)
    assert "invited" in words(page)


def test_an_invitation_that_was_asked_for_again_shows_one(laptop, other, mailbox):
    Invite.objects.issue(EMAIL, source="staff", invited_by=UserFactory())
    ask(laptop, EMAIL)

    page = other.get(mailbox.link(EMAIL))
    form = laptop.get(type_in(laptop, code_on(page)).url, follow=True)
    assert form.redirect_chain[-1][0].startswith("/signup?token=")


# Guesses


@pytest.fixture
def limited(settings, unlimited):
    settings.RATELIMIT_ENABLE = True


def test_five_codes_can_be_tried_and_then_the_link_still_works(limited, laptop, other, mailbox, ada):
    ask(laptop, ada.email)
    link = mailbox.link(ada.email)
    code = code_on(other.get(link))

    left = [words(type_in(laptop, "K7WQ-3MTD")) for _ in range(5)]
    assert ["you can try 4 more times" in left[0], "you can try 1 more time" in left[3]] == [True, True]
    assert "Too many wrong codes. Use the link in the email, or ask for a new one" in left[4]
    assert "Too many wrong codes" in words(type_in(laptop, code))
    assert not who_is_in(laptop)

    assert laptop.post("/confirm", {"token": link.partition("token=")[2]}).url == "/account"


def test_guesses_elsewhere_take_nothing_from_the_browser_that_has_the_code(limited, laptop, other, mailbox, ada):
    ask(laptop, ada.email)
    code = code_on(other.get(mailbox.link(ada.email)))
    for _ in range(8):
        thief = Client()
        thief.post("/", {"email": ada.email})  # is told to wait, as this address was mailed just now
        for _ in range(6):
            assert not who_is_in(thief) if type_in(thief, code).status_code == 200 else pytest.fail("let in")

    assert type_in(laptop, code).url == "/account"


def test_thousands_of_guesses_from_many_browsers_find_no_code(limited, laptop, other, mailbox, ada):
    """`make test-long` sends ten thousand from a thousand browsers."""
    ask(laptop, ada.email)
    code = code_on(other.get(mailbox.link(ada.email)))
    answers = set()
    for number in range(GUESSERS):
        thief = Client(REMOTE_ADDR=f"198.51.{number // 250}.{number % 250 + 1}")
        thief.post("/", {"email": ada.email})
        for guess in range(10):
            typed = code if guess == 9 else short_code.show("guess", f"{number} {guess}", timezone.now())
            answers.add(type_in(thief, typed).status_code)
        assert not who_is_in(thief)

    assert answers == {200}
    assert type_in(laptop, code).url == "/account"


def test_to_be_refused_another_mail_gives_no_more_tries(limited, laptop, other, mailbox, ada):
    ask(laptop, ada.email)
    for _ in range(5):
        type_in(laptop, "K7WQ-3MTD")
    kept = laptop.cookies["frontdoor_seal"].value

    laptop.cookies.pop("frontdoor_asked")
    assert laptop.post("/", {"email": ada.email}).status_code == 429
    laptop.cookies["frontdoor_seal"] = kept
    assert "Too many wrong codes" in words(type_in(laptop, "K7WQ-3MTD"))


@pytest.mark.parametrize("names", [("asked",), ()])
def test_without_the_cookie_of_the_browser_that_asked_no_code_is_right(laptop, other, mailbox, ada, names):
    ask(laptop, ada.email)
    code = code_on(other.get(mailbox.link(ada.email)))
    thief = Client()
    thief.post("/", {"email": ada.email})
    for name in names:
        thief.cookies[f"frontdoor_{name}"] = laptop.cookies[f"frontdoor_{name}"].value

    assert type_in(thief, code).status_code == 200
    assert not who_is_in(thief)


@pytest.mark.parametrize(
    ("minutes", "works"),
    [(13, True), (15, False)],
)
def test_a_code_is_good_for_fifteen_minutes(laptop, other, mailbox, ada, minutes, works):
    ask(laptop, ada.email)
    code = code_on(other.get(mailbox.link(ada.email)))

    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        assert (type_in(laptop, code).status_code == 302) is works


def test_a_code_of_another_asking_of_the_same_browser_fits_its_own_address_alone(laptop, other, mailbox, ada):
    mallory = UserFactory(email="mallory@example.com")
    ask(laptop, mallory.email)
    code = code_on(other.get(mailbox.link(mallory.email)))
    ask(laptop, ada.email)

    assert type_in(laptop, code).status_code == 200
    assert not who_is_in(laptop)


def test_a_code_of_an_earlier_mail_works_too(laptop, other, mailbox, ada):
    ask(laptop, ada.email)
    code = code_on(other.get(mailbox.link(ada.email)))
    laptop.post("/invite/sent")

    assert type_in(laptop, code).url == "/account"


def test_a_used_code_says_so(laptop, other, mailbox, ada):
    ask(laptop, ada.email)
    link = mailbox.link(ada.email)
    code = code_on(other.get(link))
    other.post("/confirm", {"token": link.partition("token=")[2], "here": "on"})

    assert "That code was used already. Ask for a new email" in words(type_in(laptop, code))
    assert not who_is_in(laptop)


@pytest.mark.parametrize("typed", ["", " ", "\x00", "\ud800", "K7WQ-3MTD" * 20, "<b>", "😀", "ЖЖЖЖ-ЖЖЖЖ", "%00"])
def test_whatever_is_typed_is_answered_beside_the_field(laptop, ada, typed):
    ask(laptop, ada.email)

    page = type_in(laptop, typed.encode("utf-8", "surrogatepass"))
    assert page.status_code in {200, 400}
    assert 'aria-invalid="true"' in page.text or page.status_code == 400


def test_what_was_typed_is_kept_when_the_form_was_out_of_date(ada):
    asked, laptop = Client(), Client(enforce_csrf_checks=True)
    ask(asked, ada.email)
    laptop.cookies = asked.cookies
    page = laptop.post("/invite/sent/code", {"code": "K7WQ", "csrfmiddlewaretoken": "x" * 64})

    assert page.status_code == 403
    assert 'value="K7WQ"' in page.text


def test_a_get_leads_to_the_page_with_the_field(client):
    assert client.get("/invite/sent/code").url == "/invite/sent"


# "I didn't ask for this"


def test_whoever_has_not_asked_makes_the_code_worthless_and_keeps_the_link(laptop, other, mailbox, ada):
    ask(laptop, ada.email)
    link = mailbox.link(ada.email)
    code, token = code_on(other.get(link)), link.partition("token=")[2]

    assert "Forget that request" in words(other.get(f"/invite/not-asked?token={token}"))
    assert MagicLink.objects.get().asked_in != BY_NOBODY
    assert "No code lets that browser in any more" in words(other.post("/invite/not-asked", {"token": token}))

    assert type_in(laptop, code).status_code == 200
    assert not who_is_in(laptop)
    for browser in (laptop, other):  # even one that asked has to tick the box now
        page = browser.get(link)
        assert not code_on(page)
        assert browser.post("/confirm", {"token": token}).status_code == 200
        assert not who_is_in(browser)
    assert other.post("/confirm", {"token": token, "here": "on"}).url == "/account"


def test_a_plan_of_whoever_asked_in_vain_is_forgotten(laptop, other, mailbox):
    ask(laptop, EMAIL, "/signup", username="mallory", password=PASSWORD)
    token = mailbox.link(EMAIL).partition("token=")[2]

    other.post("/invite/not-asked", {"token": token})

    laptop.post("/confirm", {"token": token})
    assert not User.objects.exists()
    link = MagicLink.objects.get()
    assert (link.username, link.password, link.seal, link.details) == ("", "", "", "")


def test_nobody_can_take_the_code_of_a_used_link_back(laptop, mailbox, ada):
    ask(laptop, ada.email)
    token = mailbox.link(ada.email).partition("token=")[2]
    laptop.post("/confirm", {"token": token})

    page = Client().post("/invite/not-asked", {"token": token})
    assert page.status_code == 410
    assert MagicLink.objects.get().asked_in != BY_NOBODY


def test_a_broken_token_gets_a_page(client):
    assert client.get("/invite/not-asked?token=x").status_code == 404
    assert client.post("/invite/not-asked", {"token": "x"}).status_code == 404
