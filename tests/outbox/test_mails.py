"""Each mail: right words, one link, honest headers; no picture, no foreign host."""

import json
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone, translation

from accounts import notices
from accounts.models import Event, User
from invites import digest, handover, mails
from invites.link.readdressing import Readdressing
from invites.members.invitations import MemberInvites
from invites.models import Entry, Invite, JoinRequest, MagicLink, Plea
from kit import tokens
from outbox.models import OutboxMessage
from sso import access
from sso.models import AccessRequest
from tests.tools import catalogues, phone
from tests.tools.factories import PASSWORD, AppFactory, UserFactory
from tests.tools.questions import Questions

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
FIREFOX = "Firefox/Windows"
AGO = timezone.now() - timedelta(days=5)


def written(mailbox, address):
    """Returns the newest mail to an address, its text and its HTML."""
    letter = mailbox.letters(address)[-1]
    return letter, letter.get_body(("plain",)).get_content(), letter.get_body(("html",)).get_content()


@pytest.fixture(params=["en", "ru"])
def language(request):
    return request.param


FROM = {"ip": "203.0.113.7", "device": FIREFOX}
PLANNED = {"username": "grace", "password": "argon2$", "seal": "x"}


def somebody(language, **fields):
    return UserFactory(username="grace", email=EMAIL, settings={"language": language}, **fields)


def ask(language, **given):
    MagicLink.objects.issue(EMAIL, language=language, device=FIREFOX, **given)


def be_invited(language):
    maria = UserFactory(username="maria", email="maria@lab.example")
    Invite.objects.issue(EMAIL, source="admin", invited_by=maria, note="Hi <b>!", language=language)


def be_invited_by_a_member(language):
    member = UserFactory(username="maria", email="maria@lab.example")
    somebody(language)
    MemberInvites(member).send(EMAIL, note="Hi <b>!")


def be_reminded(language):
    maria = UserFactory(username="maria", email="maria@lab.example")
    Invite.objects.issue(EMAIL, source="admin", invited_by=maria, language=language)
    OutboxMessage.objects.all().delete()
    due = {"remind_at": timezone.now(), "expires_at": timezone.now() + timedelta(hours=47)}
    Invite.objects.update(sent_at=AGO, created_at=AGO, **due)
    assert Invite.objects.remindable().remind().done


def be_on_a_new_device(language):
    person = somebody(language)
    person.record_and_notify(Event.Kind.SIGNED_IN, **FROM)


def lose_an_address(language):
    somebody(language).record_and_notify(Event.Kind.EMAIL_RESTORED, **FROM)


def be_asked_to_readdress(language):
    maria = UserFactory(username="maria", email=EMAIL, settings={"language": language})
    Invite.objects.issue("guest@example.com", source="admin", invited_by=maria)
    Readdressing(Invite.objects.get()).ask("hopper@example.com")


def not_be_readdressed(language):
    inviter = UserFactory(username="maria", email="maria@lab.example")
    Invite.objects.issue("guest@example.com", source="admin", invited_by=inviter, language=language)
    Readdressing(Invite.objects.get()).ask(EMAIL)
    Readdressing(Invite.objects.get()).refuse()


def be_asked_for_a_code(language):
    invite = Invite.objects.issue(EMAIL, source="admin", invited_by=UserFactory(), language=language)
    OutboxMessage.objects.all().delete()
    mails.prove_other(invite, UserFactory(email="hopper@example.com"), "K7WQ-3MTD", timezone.now(), language)


def hear_of_power(language):
    maria = UserFactory(username="maria", email="maria@lab.example")
    changed = {"is_staff": [False, True], "groups": [[], ["helpers"]]}
    event = Event.objects.record(Event.Kind.POWER_USED, maria, **FROM, done="changed")
    notices.mail_power_used([somebody(language)], event, "hopper", changed)


def be_given_rights(language):
    maria = UserFactory(username="maria", email="maria@lab.example")
    notices.rights_changed(somebody(language), {"groups": [[], ["helpers"]]}, maria).save()


def be_invited_into_a_group(language):
    maria = UserFactory(username="maria", email="maria@lab.example")
    somebody(language)
    entry = Entry(EMAIL, note="Hi <b>!", groups=(Group.objects.create(name="Editors <3").pk,))
    Invite.objects.issue_many([entry], source="admin", invited_by=maria)


def lose_google(language):
    person = somebody(language)
    person.google.adopt("1", "grace@gmail.com")
    person.google.disconnect(**FROM)


def hear_what_became_of_invitations(language):
    maria = UserFactory(username="maria", email=EMAIL, settings={"language": language})
    accepted, declined, lost = [
        Invite.objects.issue(f"guest{n}@example.com", source="admin", invited_by=maria) for n in range(3)
    ]
    accepted.accept(UserFactory())
    declined.decline(reason="No <b>time</b>")
    OutboxMessage.objects.get(about=lost.pk).give_up("550 5.1.1 No such user")
    Invite.objects.filter(pk=lost.pk).update(has_news=True)
    assert digest.tell(maria.pk)


def hear_who_asks_for_access(language):
    somebody(language, is_superuser=True)
    app = AppFactory(everybody=False)
    access.ask(app, UserFactory(username="maria", email="maria@lab.example"), "Hi!")


def be_refused_access(language):
    asked = AccessRequest.objects.create(app=AppFactory(everybody=False), person=somebody(language))
    assert access.decline(asked)


def come_back(language):
    person = somebody(language)
    person.leaving.begin()
    OutboxMessage.objects.all().delete()
    person.leaving.come_back(**FROM)


def take_over_invitations(language):
    maria = UserFactory(username="maria", email="maria@lab.example")
    Invite.objects.issue("guest@example.com", source="admin", invited_by=maria)
    handover.settle(maria, somebody(language))


def confirm_a_request(language):
    ask(language, purpose="request", details=Plea("Grace").pack(), seal="x")


def hear_who_asks_to_join(language):
    somebody(language, is_staff=True, is_superuser=True)
    for number in range(2):
        link = MagicLink.objects.issue(f"kay{number}@parc.example", purpose="request")
        JoinRequest.objects.prove(link, "")


def be_granted_a_request(language):
    maria = UserFactory(username="maria", email="maria@lab.example")
    JoinRequest.objects.create(email=EMAIL, name="Grace", language=language, asked_at=AGO)
    JoinRequest.objects.waiting().invite(maria)


def be_declined_a_request(language):
    maria = UserFactory(username="maria", email="maria@lab.example")
    JoinRequest.objects.create(email=EMAIL, language=language, asked_at=AGO)
    JoinRequest.objects.waiting().decline(maria, "Hi <b>!")


KINDS = {
    "access_asked": hear_who_asks_for_access,
    "access_declined": be_refused_access,
    "link_new": ask,
    "link_known": lambda language: (somebody(language), ask(language)),
    "link_proof": lambda language: (somebody(language), ask(language, purpose="proof")),
    "invite": be_invited,
    "invite_reminder": be_reminded,
    "invite_known": be_invited_by_a_member,
    "closed": ask,
    "register": lambda language: ask(language, purpose="register", **PLANNED),
    "request_confirm": confirm_a_request,
    "request_in": hear_who_asks_to_join,
    "request_no": be_declined_a_request,
    "request_yes": be_granted_a_request,
    "reset": lambda language: (somebody(language), ask(language, purpose="reset")),
    "reset_unknown": lambda language: ask(language, purpose="reset"),
    "new_device": be_on_a_new_device,
    "password_changed": lambda language: somebody(language).ways_in.change_password(PASSWORD, **FROM),
    "username_changed": lambda language: somebody(language).rename("hopper", **FROM),
    "notices_off": lambda language: somebody(language).record_and_notify(Event.Kind.NOTICES_OFF, **FROM),
    "second_factor_on": lambda language: somebody(language).second_factor.turn_on(phone.SECRET, "000000", **FROM),
    "second_factor_off": lambda language: somebody(language).record_and_notify(Event.Kind.SECOND_FACTOR_OFF, **FROM),
    "recovery_codes": lambda language: somebody(language).record_and_notify(Event.Kind.RECOVERY_CODES, **FROM),
    "recovery_code_used": lambda language: somebody(language).record_and_notify(
        Event.Kind.RECOVERY_CODE_USED, left=9, **FROM
    ),
    "code_failed": lambda language: somebody(language).record_and_notify(Event.Kind.CODE_FAILED, **FROM),
    "guessed": lambda language: somebody(language).record_and_notify(Event.Kind.GUESSED, count=20, **FROM),
    "exported": lambda language: somebody(language).record_and_notify(Event.Kind.EXPORTED, **FROM),
    "email_restored": lose_an_address,
    "changed_by_staff": lambda language: notices.mail_staff_changes(
        somebody(language), {"username": "ada", "is_active": False}, {"username": "grace", "is_active": True}
    ),
    "power_used": hear_of_power,
    "rights_changed": be_given_rights,
    "invite_group": be_invited_into_a_group,
    "disowned": lambda language: (somebody(language), ask(language, purpose="disowned")),
    "google_connected": lambda language: somebody(language).google.connect("1", "grace@gmail.com", **FROM),
    "google_disconnected": lose_google,
    "readdress": be_asked_to_readdress,
    "not_readdressed": not_be_readdressed,
    "prove_other": be_asked_for_a_code,
    "inviter_digest": hear_what_became_of_invitations,
    "email_changed": lambda language: somebody(language).address.change("hopper@example.com", **FROM),
    "email_code": lambda language: notices.code(somebody(language), EMAIL, "ABC-DEF", FIREFOX),
    "email_taken": lambda language: notices.mail_address_owner(somebody(language), FIREFOX),
    "leaving": lambda language: somebody(language).leaving.begin(**FROM),
    "stays": come_back,
    "taken_over": take_over_invitations,
    "deleted": lambda language: somebody(language).erase(**FROM),
    "test_mail": lambda language: notices.test_mail(somebody(language)),
}
LINKS = dict.fromkeys(KINDS, 1) | {
    "closed": 2,
    "request_in": 2,
    "request_no": 0,
    "request_yes": 2,
    "inviter_digest": 2,
    "invite": 2,
    "invite_reminder": 2,
    "invite_group": 2,
    "link_known": 2,
    "link_proof": 2,
    "email_code": 0,
    "prove_other": 0,
    "deleted": 0,
    "email_restored": 0,
    "changed_by_staff": 0,
    "access_declined": 0,
    "power_used": 0,
    "not_readdressed": 0,
    "test_mail": 0,
}
WAYS_OUT = (
    "didn’t (ask|expect|report)|wasn’t you|Not expecting|You don’t know that address|stays with its address|"
    "не просили|были не вы|ничего не сообщали|[Нн]е ждали|Не знаете этот адрес|остаётся на прежнем адресе|"
    "Don’t want it|Не нужно|Don’t email me about this|If you don’t want emails|Если такие письма|"
    "That looks wrong|Что-то не так|It isn’t you|Это не вы|you can ask again|можно попросить снова|Others may ask|"
    "Просить могут|Questions go to|Вопросы можно|The link is for|Ссылка для"
)
WITHOUT_TOKEN = (
    *("closed", "invite_known", "reset_unknown", "email_taken", "inviter_digest", "rights_changed", "access_asked"),
    *("taken_over", "request_in"),
)
INVITING = ("invite", "invite_reminder", "invite_known", "invite_group", "request_yes")
WITHOUT_END = (
    *("access_asked", "access_declined", "taken_over", "request_in", "request_no"),
    *("closed", "reset_unknown", "email_code", "email_taken", "email_restored", "changed_by_staff", "deleted"),
    *("readdress", "not_readdressed", "invite_known", "inviter_digest", "power_used", "rights_changed", "test_mail"),
)
WITHOUT_DEVICE = (
    *("access_asked", "access_declined", "taken_over", "request_in", "request_no"),
    *INVITING,
    "prove_other",
    *("changed_by_staff", "rights_changed", "readdress", "not_readdressed", "inviter_digest", "test_mail"),
)
NOTICES = set(notices.MAILS.values()) - notices.FINAL
MORE_ROOM = ("inviter_digest", "changed_by_staff", "rights_changed", "not_readdressed", "power_used")


@pytest.fixture(params=KINDS)
def sent(request, mailbox, settings, language):
    """The kind, language, mail, text and HTML of each kind of mail, in each language."""
    settings.SIGNUP = "invited" if request.param in {"closed", "request_confirm", "request_in"} else "open"
    with catalogues.looked_up() as strings:
        KINDS[request.param](language)
        letter, text, html = written(mailbox, EMAIL)
    assert not strings & catalogues.of_the_desk()
    return request.param, language, letter, text, html


OTHERS = [code for code, _name in settings.LANGUAGES if code not in {"en", "ru"}]


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_mail_is_whole_in_every_other_language(kind, code, mailbox, settings):
    settings.SIGNUP = "invited" if kind == "closed" else "open"
    with catalogues.looked_up() as strings:
        KINDS[kind](code)
        letter, text, html = written(mailbox, EMAIL)

    assert not strings.missing
    assert letter["Content-Language"] == code
    assert len(letter["Subject"]) <= 60
    assert f'<html lang="{code}" dir="{"rtl" if code == "ar" else "ltr"}">' in html
    assert ('align="right"' in html) == (code == "ar")
    assert "%(" not in text + html
    assert len(html) < 8000


question = Questions()


def test_each_mail_answers_all_questions(sent, subtests):
    question.ask(subtests, *sent)


@question
def text_and_html_carry_the_same_links_and_the_deadline(kind, language, letter, text, html):
    links = set(re.findall(r"http://testserver[^\s\"<]*", text))

    assert len(links) == LINKS[kind]
    assert links == {link.replace("&amp;", "&") for link in re.findall(r"http://testserver[^\s\"<]*", html)}
    assert all(("token=" in link) == (kind not in WITHOUT_TOKEN) for link in links)
    assert letter["Subject"]
    assert len(letter["Subject"]) <= 60
    assert kind in WITHOUT_END or re.search(r"(until|by|до) .{10,40}\(UTC\)", text.replace("\n", " "))
    assert len(html) < 8000


@question
def it_names_the_device_and_says_what_to_do_if_it_was_not_you(kind, language, letter, text, html):
    device = {"en": "Firefox on Windows", "ru": "Firefox, Windows"}[language]
    for part in (" ".join(text.split()), html):
        assert kind in WITHOUT_DEVICE or device in part
    said = " ".join(text.split())
    if kind in NOTICES:
        assert {"en": "This was not me", "ru": "Это был не я"}[language] in said
    else:
        assert re.search(WAYS_OUT, said)


@question
def one_empty_line_is_between_paragraphs_of_the_text(kind, language, letter, text, html):
    assert kind in MORE_ROOM or "\n\n\n" not in text


@question
def no_picture_script_or_foreign_host(kind, language, letter, text, html):
    assert not re.search(r"<(img|script|link|iframe|object|form)\b", html, re.IGNORECASE)
    assert set(re.findall(r"https?://([^/\s\"<:]+)", text + html)) <= {"testserver"}


@question
def the_headers_say_what_it_is(kind, language, letter, text, html):
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Content-Language"] == language
    assert re.fullmatch(rf"<{kind}\.[0-9a-f]+@testserver>", letter["Message-ID"])
    assert letter["Reply-To"] == ("maria@lab.example" if kind in INVITING else "help@testserver")
    assert bool(letter["List-Unsubscribe"]) == bool(letter["List-Unsubscribe-Post"]) == (kind in INVITING)


@question
def the_language_is_the_accounts_else_the_pages(kind, language, letter, text, html):
    assert bool(re.search("[а-яё]{4}", text)) == (language == "ru")
    assert f'lang="{language}"' in html
    if language == "ru":
        assert not re.search(r"\b(the|you|press|link|until)\b", text, re.IGNORECASE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stored_mail_holds_no_token_so_it_opens_nothing(kind, mailbox, settings):
    settings.SIGNUP = "invited" if kind == "closed" else "open"
    KINDS[kind]("en")

    for row in OutboxMessage.objects.all():
        assert not re.search(tokens.TOKEN, json.dumps(row.parts)), row.kind


def test_a_note_from_outside_is_text_and_nothing_more(mailbox, ada):
    Invite.objects.issue("grace@example.com", source="admin", invited_by=ada, note="<a href=x>\r\nBcc: eve@example.com")

    letter, text, html = written(mailbox, "grace@example.com")

    assert "<a href=x>" in text
    assert "&lt;a href=x&gt;" in html
    assert letter["Bcc"] is None


def test_what_asked_is_named_when_it_is_known(mailbox):
    MagicLink.objects.issue("grace@example.com", device=FIREFOX)
    MagicLink.objects.issue("alan@example.com")

    assert "Firefox on Windows" in written(mailbox, "grace@example.com")[1]
    assert "requested from an unknown device" in " ".join(written(mailbox, "alan@example.com")[1].split())


def test_an_account_reads_its_own_language_whoever_asks(mailbox, client):
    UserFactory(email="ivan@example.com", settings={"language": "ru"})
    with translation.override("en"):
        client.post("/", {"email": "ivan@example.com"}, headers={"Accept-Language": "en"})

    assert mailbox.letters("ivan@example.com")[0]["Content-Language"] == "ru"


def test_another_app_is_not_announced_as_turning_it_on(mailbox):
    phone.pair(somebody("en"))
    again = User.objects.get()
    again.second_factor.turn_on("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "000000", replaces=True, **FROM)

    letter, text, html = written(mailbox, EMAIL)

    assert letter["Subject"] == "A new app for your Frontdoor codes"
    for part in (" ".join(text.split()), html):
        assert "A new authenticator app was set up" in part
        assert "Firefox on Windows" in part
        assert "turned on" not in part


def test_what_staff_turned_off_is_answered_with_other_words(mailbox):
    somebody("en").record_and_notify(Event.Kind.SECOND_FACTOR_OFF, by="staff")

    _letter, text, html = written(mailbox, EMAIL)

    for part in (text, html):
        assert "I didn’t ask for this" in part
        assert "This was not me" not in part
