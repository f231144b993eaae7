"""Changing the address: a code to the new one, a notice to the old one, and the way back."""

import re
from datetime import timedelta
from itertools import cycle, islice

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import limits
from accounts.email_change import forms
from accounts.models import Address, Event
from accounts.session.notes import EMAIL_CHANGE
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEW = "ada@new.example"
FORM = {"email": NEW, "password": PASSWORD}


def ask(client, **typed):
    return client.post("/account/email", FORM | typed)


def code(mailbox, address=NEW):
    return re.search(r"^ {4}(\d{4} \d{4})$", mailbox.text(address), re.MULTILINE)[1]


def guess(client):
    return client.post("/account/email/code", {"code": "1234 5678"}).status_code


def addresses_of(user):
    return [(row.email, row.verified, row.primary) for row in user.emailaddress_set.all()]


def test_the_code_changes_the_address_and_the_old_one_is_told(mailbox, signed_in, ada):
    assert ask(signed_in).url == "/account/email/code"
    page = words(signed_in.get("/account/email/code"))
    assert "We sent a code to ada@new.example" in page
    assert addresses_of(ada) == [("ada@example.com", True, True)]

    done = signed_in.post("/account/email/code", {"code": code(mailbox)}, follow=True)

    assert done.redirect_chain == [("/account", 302)]
    assert "Your email address is now ada@new.example." in words(done)
    ada.refresh_from_db()
    assert ada.email == NEW
    assert addresses_of(ada) == [(NEW, True, True)]
    assert mailbox.kinds("ada@example.com")[-1] == "email_changed"
    told = mailbox.text("ada@example.com")
    assert "a•••@new.example" in told
    assert "ada@new.example" not in told
    assert Client().post("/login", {"login": NEW, "password": PASSWORD}).status_code == 302
    assert Client().post("/login", {"login": "ada@example.com", "password": PASSWORD}).status_code == 200


def test_codes_are_read_however_they_are_typed(mailbox, signed_in, ada):
    ask(signed_in)
    typed = [*code(mailbox).replace(" ", "")]

    spelled = f" {'-'.join(typed[:3])}{''.join(chr(0x0660 + int(digit)) for digit in typed[3:])} "

    assert signed_in.post("/account/email/code", {"code": spelled}).url == "/account"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"email": ""}, "Enter your email address"),
        ({"email": "nonsense"}, "in the correct format"),
        ({"email": "ADA@example.com"}, "different from your current one"),
        ({"email": "ада@example.com"}, "“а” before the @ is not a plain Latin letter"),
        ({"email": "n@еxample.com"}, "“е” after the @ is from another alphabet"),
        ({"password": "wrong password"}, "Password is not correct"),
        ({"password": ""}, "Enter your password"),
    ],
)
def test_a_refused_form_says_why_and_mails_no_code(signed_in, typed, said):
    before = OutboxMessage.objects.count()

    page = ask(signed_in, **typed)

    assert page.status_code == 200
    assert said in words(page)
    assert PASSWORD not in page.text
    assert OutboxMessage.objects.count() == before


def test_a_likely_typo_is_asked_about_once(signed_in, mailbox):
    page = ask(signed_in, email="new4@gmial.com")
    assert "Did you mean new4@gmail.com? If not, press the button again." in words(page)
    sure = page.context["form"]["sure"].value()
    assert f'name="sure" value="{sure}"' in page.text
    assert not mailbox.letters("new4@gmial.com")

    assert "Did you mean ada@gmail.com?" in words(ask(signed_in, email="ada@gmial.com", sure=sure))
    assert ask(signed_in, email="new4@gmial.com", sure=sure).url == "/account/email/code"
    assert mailbox.kinds("new4@gmial.com") == ["email_code"]


def test_a_taken_address_gets_the_same_answer_and_its_owner_is_told(mailbox, ada, django_assert_num_queries, settings):
    settings.RATELIMIT_ENABLE = False
    UserFactory(username="grace", email="grace@example.com")
    UserFactory(username="idle", email="idle@example.com", is_active=False)
    seen = []
    for email in ("free@example.com", "grace@example.com", "idle@example.com"):
        client = Client()
        client.post("/login", {"login": "ada", "password": PASSWORD})
        answer = ask(client, email=email)
        page = client.get("/account/email/code")
        body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text).replace(email, "ADDRESS")
        seen.append((answer.status_code, answer.url, page.status_code, body, sorted(client.cookies)))

    assert seen[0] == seen[1] == seen[2]
    assert mailbox.kinds("free@example.com") == ["email_code"]
    assert mailbox.kinds("grace@example.com") == mailbox.kinds("idle@example.com") == ["email_taken"]
    assert not re.search(r"^ {4}\S+$", mailbox.text("grace@example.com"), re.MULTILINE)


def test_a_free_and_a_taken_address_cost_the_same_statements(signed_in, django_assert_num_queries, settings):
    settings.RATELIMIT_ENABLE = False
    UserFactory(username="grace", email="grace@example.com")
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    counts = []
    for email in ("free@example.com", "grace@example.com"):
        with CaptureQueriesContext(connection) as queries:
            ask(signed_in, email=email)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_too_many_wrong_codes_end_the_attempt(mailbox, signed_in, ada):
    ask(signed_in)
    right = code(mailbox)

    for typed in islice(cycle(("1234 5678", "0", "nonsense", right[1:])), limits.EMAIL_CODE.most - 1):
        page = signed_in.post("/account/email/code", {"code": typed})
        assert "not the code from the newest email" in words(page)
    page = signed_in.post("/account/email/code", {"code": "1234 5678"}, follow=True)

    assert "one wrong code too many" in words(page)
    assert signed_in.post("/account/email/code", {"code": right}).url == "/account/email"
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_the_last_try_may_still_be_the_right_code(mailbox, signed_in, ada):
    ask(signed_in)
    for _ in range(limits.EMAIL_CODE.most - 1):
        signed_in.post("/account/email/code", {"code": "1234 5678"})

    assert signed_in.post("/account/email/code", {"code": code(mailbox)}).url == "/account"


def test_the_code_works_for_fifteen_minutes(mailbox, signed_in, ada):
    ask(signed_in)
    right = code(mailbox)

    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert signed_in.post("/account/email/code", {"code": right}).url == "/account/email"
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_another_code_replaces_the_first(mailbox, signed_in, ada):
    ask(signed_in)
    first = code(mailbox)
    signed_in.post("/account/email/code", {"action": "resend"})
    second = code(mailbox)

    assert first != second
    signed_in.post("/account/email/code", {"code": first})
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
    signed_in.post("/account/email/code", {"code": second})
    ada.refresh_from_db()
    assert ada.email == NEW


def test_a_code_works_in_the_session_that_asked_and_in_no_other(mailbox, signed_in, ada):
    ask(signed_in)
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})

    assert other.post("/account/email/code", {"code": code(mailbox)}).url == "/account/email"


def test_a_new_password_ends_a_change_of_address_that_is_under_way(mailbox, signed_in, ada):
    ask(signed_in)
    typed = {"code": code(mailbox)}

    signed_in.post("/account/password", {"password": PASSWORD, "chosen": "another four random words"})

    assert NEW not in signed_in.get("/account").text
    assert signed_in.get("/account/email/code").status_code == 302
    signed_in.post("/account/email/code", typed)
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_an_address_taken_before_the_code_is_typed_stays_its_new_owners(mailbox, signed_in, ada):
    ask(signed_in)
    UserFactory(username="grace", email=NEW)

    page = signed_in.post("/account/email/code", {"code": code(mailbox)})

    assert "can’t be used any more" in words(page)
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_an_address_taken_just_before_the_change_is_refused(mailbox, signed_in, ada, monkeypatch):
    original = Address.change

    def late(self, email, **trace):
        UserFactory(username="grace", email=email)
        original(self, email, **trace)

    ask(signed_in)
    monkeypatch.setattr(Address, "change", late)
    page = signed_in.post("/account/email/code", {"code": code(mailbox)}, follow=True)

    assert "can’t be used any more" in words(page)
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_a_mailbox_cannot_be_flooded_with_codes(signed_in):
    statuses = [ask(signed_in).status_code for _ in range(6)]

    assert statuses == [302] * 5 + [429]


@pytest.mark.parametrize("path", ["/account/email", "/account/email/code"])
def test_strangers_are_sent_to_sign_in(client, path):
    assert client.get(path).url == f"/login?next={path}"
    assert client.post(path, FORM).url == f"/login?next={path}"


def test_a_mailbox_cannot_be_flooded_with_resent_codes_either(mailbox, signed_in):
    ask(signed_in)
    statuses = [signed_in.post("/account/email/code", {"action": "resend"}).status_code for _ in range(5)]

    assert statuses == [302] * 4 + [429]
    assert mailbox.kinds(NEW).count("email_code") == 5


def test_wrong_codes_are_not_counted_in_the_session(mailbox, signed_in, ada):
    """Many requests sent at once would all read the session as it was before the first wrong code."""
    ask(signed_in)
    right, before = code(mailbox), dict(signed_in.session)
    for _ in range(limits.EMAIL_CODE.most):
        signed_in.post("/account/email/code", {"code": "1234 5678"})
        session = signed_in.session
        session.clear()
        session.update(before)
        session.save()

    page = signed_in.post("/account/email/code", {"code": right}, follow=True)

    assert "one wrong code too many" in words(page)
    assert "email_change" not in signed_in.session
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_a_code_page_that_is_open_when_the_time_ends_leads_back(mailbox, signed_in, monkeypatch):
    """The note of the change expires between the first and the last time that the request reads it."""
    ask(signed_in)
    right, is_right = code(mailbox), forms.is_right

    def late(request, change, typed):
        EMAIL_CHANGE.drop(request)
        return is_right(request, change, typed)

    monkeypatch.setattr(forms, "is_right", late)

    assert signed_in.post("/account/email/code", {"code": right}).url == "/account"


def test_an_account_has_twenty_tries_an_hour_however_often_it_asks(signed_in, settings):
    statuses = []
    for number in range(10):
        ask(signed_in, email=f"ada{number}@new.example")
        statuses += [guess(signed_in) for _ in range(2)]
    statuses.append(guess(signed_in))

    assert statuses == [200] * 20 + [429]


def test_the_session_holds_no_readable_code(mailbox, signed_in):
    ask(signed_in)

    kept = str(dict(signed_in.session))

    assert NEW in kept
    assert code(mailbox).replace(" ", "") not in kept


def test_the_page_says_that_another_code_was_sent(signed_in):
    ask(signed_in)

    page = signed_in.post("/account/email/code", {"action": "resend"}, follow=True)

    assert "We sent another code. Only the newest one works." in words(page)


def test_mails_about_a_taken_address_do_not_use_up_the_limit_of_its_owner(client, mailbox, signed_in):
    UserFactory(username="grace", email="grace@example.com")
    for _ in range(6):
        ask(signed_in, email="grace@example.com")

    assert client.post("/", {"email": "grace@example.com"}).status_code == 302
    assert mailbox.kinds("grace@example.com") == ["email_taken"] * 5 + ["link_known"]


def test_the_same_code_twice_is_one_change(mailbox, signed_in, ada):
    ask(signed_in)
    before, typed = dict(signed_in.session), {"code": code(mailbox)}
    signed_in.post("/account/email/code", typed)
    session = signed_in.session  # as the second of two presses finds it that were sent at once
    session.update(before)
    session.save()

    assert signed_in.post("/account/email/code", typed).url == "/account"

    assert mailbox.kinds("ada@example.com").count("email_changed") == 1


def test_the_account_page_leads_back_to_the_code_while_it_works(mailbox, signed_in):
    ask(signed_in)
    assert "Waiting for you to confirm ada@new.example" in words(signed_in.get("/account"))

    signed_in.post("/account/email/code", {"code": code(mailbox)})

    assert "Waiting for you" not in words(signed_in.get("/account"))


def test_the_code_page_leads_nowhere_but_to_the_account(mailbox, signed_in):
    ask(signed_in)

    answer = signed_in.post("/account/email/code?next=http://testserver/evil", {"code": code(mailbox)})

    assert answer.url == "/account"


@pytest.fixture
def firefox(ada):
    """Ada's signed-in browser, with a User-Agent and an address to look for in mails."""
    client = Client(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="203.0.113.7")
    client.post("/login", {"login": "ada", "password": PASSWORD})
    return client


def test_the_history_and_the_mail_say_from_where_the_address_was_changed(mailbox, firefox):
    ask(firefox)
    firefox.post("/account/email/code", {"code": code(mailbox)})

    event = Event.objects.get(kind="email_changed")
    assert (event.ip, event.device_name) == ("203.0.113.7", "Firefox on Windows")
    assert "Firefox on Windows" in " ".join(mailbox.text("ada@example.com").split())


def test_both_mails_name_the_device_that_asked(mailbox, firefox):
    UserFactory(username="grace", email="grace@example.com")
    for email in ("free@example.com", "grace@example.com"):
        ask(firefox, email=email)

        assert "Firefox on Windows" in " ".join(mailbox.text(email).split())


def test_a_code_is_in_the_askers_language_and_a_warning_in_its_readers(mailbox, signed_in, ada):
    UserFactory(username="grace", email="grace@example.com")
    ada.save_preferences(language="ru")
    for email, language in [(NEW, "ru"), ("grace@example.com", "en")]:
        ask(signed_in, email=email)

        assert mailbox.letters(email)[0]["Content-Language"] == language
