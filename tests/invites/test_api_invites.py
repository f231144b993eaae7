"""The JSON doors to a mailed link and a new account: they keep the promises of the pages."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Event, Session, User
from accounts.password.hashers import Argon2
from invites import purposes
from invites.models import Invite, MagicLink, Unavailable
from kit import tokens
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.program import Program, codes, fields

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(days=30)


def token_of(link):
    return tokens.sign(purposes.SIGNUP, link.pk)


def create(program, link, username="grace", password=PASSWORD):
    return program.send("/api/v1/auth/create", token=token_of(link), username=username, password=password)


# Asking for a link


def seen_by_a_stranger(kind, monkeypatch):
    hashes = []
    monkeypatch.setattr(Argon2, "encode", lambda *a, **k: hashes.append(1) or "x")
    before, program = OutboxMessage.objects.count(), Program()
    answer = program.send("/api/v1/invite", email=f"{kind}@example.com")
    return {
        "status": answer.status_code,
        "headers": sorted(answer.headers),
        "body": answer.text.replace(f"{kind}@example.com", "ADDRESS"),
        "cookies": sorted((name, morsel["max-age"], morsel["httponly"]) for name, morsel in program.cookies.items()),
        "mails": OutboxMessage.objects.count() - before,
        "hashes": len(hashes),
    }


@pytest.mark.parametrize("signup", ["open", "invited"])
def test_a_stranger_gets_the_same_answer_for_every_address(settings, monkeypatch, signup):
    settings.SIGNUP = signup
    UserFactory(username="known", email="known@example.com")
    UserFactory(username="idle", email="deactivated@example.com", is_active=False)
    UserFactory(username="google", email="google-only@example.com", password=None)
    InviteFactory(email="invited@example.com")
    Suppression.objects.suppress("suppressed@example.com", "550 5.1.1 No such user")
    kinds = ["unknown", "known", "deactivated", "google-only", "invited", "suppressed"]

    answers = [seen_by_a_stranger(kind, monkeypatch) for kind in kinds]

    assert answers[0]["status"] == 202
    assert (answers[0]["mails"], answers[0]["hashes"]) == (1, 0)
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("kind", ["unknown", "known"])
def test_asking_takes_the_same_statements_for_every_address(kind, django_assert_num_queries):
    UserFactory(username="known", email="known@example.com")
    program = Program()
    program.look()
    with django_assert_num_queries(2):
        program.send("/api/v1/invite", email=f"{kind}@example.com")


def test_the_mailed_link_works_and_next_stays_on_this_site(mailbox):
    Program().send("/api/v1/invite", email="Grace@Example.com", next="/account/settings")
    Program().send("/api/v1/invite", email="ada@example.com", next="https://evil.example/")

    assert mailbox.link("grace@example.com").startswith("/signup?token=")
    assert list(MagicLink.objects.order_by("-email").values_list("next", flat=True)) == ["/account/settings", ""]


def test_a_likely_typo_is_pointed_out_and_the_mail_sent():
    answer = Program().send("/api/v1/invite", email="ada@gmial.com")

    assert answer.json()["did_you_mean"] == "ada@gmail.com"
    assert OutboxMessage.objects.get().recipient == "ada@gmial.com"


def test_the_mail_speaks_the_language_of_the_program(mailbox):
    answer = Program().send("/api/v1/invite", language="ru", email="grace@example.com")

    assert "Мы отправили" in answer.json()["message"]
    assert MagicLink.objects.get().language == "ru"
    assert mailbox.letters("grace@example.com")[0]["Content-Language"] == "ru"


@pytest.mark.parametrize("email", [None, "", "ada@example", "a" * 255 + "@example.com", "a@b@c", "a b@example.com"])
def test_an_invalid_address_is_explained(email):
    answer = Program().send("/api/v1/invite", email=email)

    assert (answer.status_code, fields(answer)) == (400, ["email"])
    assert not OutboxMessage.objects.exists()


def test_mails_are_counted_at_the_page_and_here_together():
    Client().post("/", {"email": "ada@example.com"})

    answer = Program().send("/api/v1/invite", email="ADA@example.com")

    assert (answer.status_code, codes(answer)) == (429, ["limited"])
    assert 0 < int(answer["Retry-After"]) <= 60
    assert OutboxMessage.objects.count() == 1


def test_one_network_may_ask_for_sixty_mails_in_ten_minutes():
    program = Program()
    for n in range(30):
        assert program.send("/api/v1/invite", email=f"a{n}@example.com").status_code == 202
        assert Client().post("/", {"email": f"b{n}@example.com"}).status_code == 302

    assert program.send("/api/v1/invite", email="one.more@example.com").status_code == 429


def test_a_signed_in_user_cannot_ask_for_a_link(ada):
    program = Program()
    program.sign_in("ada", PASSWORD)

    answer = program.send("/api/v1/invite", email="grace@example.com")

    assert (answer.status_code, codes(answer)) == (409, ["signed_in"])
    assert not OutboxMessage.objects.filter(recipient="grace@example.com").exists()


def test_asking_takes_the_csrf_token():
    answer = Client(enforce_csrf_checks=True).post("/api/v1/invite", {"email": "a@example.com"}, "application/json")

    assert (answer.status_code, codes(answer)) == (403, ["csrf"])
    assert not OutboxMessage.objects.exists()


# Making an account


def test_token_name_and_password_make_a_signed_in_account(mailbox, hashes):
    program = Program()
    program.send("/api/v1/invite", email="grace@example.com", next="/account/settings")
    token = mailbox.link("grace@example.com").partition("token=")[2]

    answer = program.send("/api/v1/auth/create", token=token, username="Grace", password=PASSWORD)

    assert answer.status_code == 201
    assert answer.json()["user"]["username"] == "grace"
    assert answer.json()["next"] == "/account/settings"
    assert program.look().status_code == 200
    assert len(hashes) == 1
    grace = User.objects.get()
    assert grace.emailaddress_set.get().verified
    assert MagicLink.objects.get().used_by == grace
    assert Event.objects.get(kind=Event.Kind.SIGNED_IN).detail["way"] == "signup"


def test_a_name_that_is_taken_uses_nothing_up(ada):
    program, link = Program(), LinkFactory()

    answer = create(program, link, "ADA")

    assert (answer.status_code, fields(answer), codes(answer)) == (409, ["username"], ["taken"])
    assert "is free" in answer.json()["errors"][0]["message"]
    assert create(program, link).status_code == 201


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [
        ("", PASSWORD, "username"),
        ("admin", PASSWORD, "username"),
        ("grace", "short", "password"),
        ("grace", "", "password"),
    ],
)
def test_an_invalid_name_or_password_is_refused_and_the_link_stays_unused(username, password, field):
    link = LinkFactory()

    answer = create(Program(), link, username, password)

    assert (answer.status_code, fields(answer)) == (400, [field])
    link.refresh_from_db()
    assert link.state == MagicLink.State.PENDING
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("make", "over", "code"),
    [
        (LinkFactory, "expires_at", "expired"),
        (LinkFactory, "revoked_at", "revoked"),
        (LinkFactory, "used_at", "used"),
        (InviteFactory, "expires_at", "expired"),
        (InviteFactory, "declined_at", "declined"),
        (InviteFactory, "revoked_at", "revoked"),
        (InviteFactory, "accepted_at", "used"),
    ],
)
def test_a_dead_link_says_what_became_of_it(make, over, code):
    answer = create(Program(), make(**{over: LONG_AGO}))

    assert (answer.status_code, fields(answer), codes(answer)) == (410, ["token"], [code])
    assert not User.objects.exists()


@pytest.mark.parametrize("purpose", [purposes.RESET, purposes.DECLINE, purposes.OWNER])
def test_the_token_of_another_link_makes_no_account(purpose):
    token = tokens.sign(purpose, LinkFactory().pk)

    answer = Program().send("/api/v1/auth/create", token=token, username="grace", password=PASSWORD)

    assert (answer.status_code, codes(answer)) == (404, ["broken"])


def test_bad_tokens_are_counted_at_the_page_and_here_together():
    program = Program()
    for _ in range(15):
        assert program.send("/api/v1/auth/create", token="x").status_code == 404
        Client().post("/signup", {"token": "x"})

    assert program.send("/api/v1/auth/create", token="x").status_code == 429
    assert create(program, LinkFactory()).status_code == 201  # a valid token is not refused with them


def test_sending_twice_is_fine():
    program, link = Program(), LinkFactory()
    program.look()
    cookies = {name: cookie.value for name, cookie in program.cookies.items()}
    again = Program()
    again.cookies.load(cookies)
    again.token = program.token

    assert create(program, link).status_code == 201
    assert create(again, link).status_code == 201  # from the same browser, before the first answer came
    assert create(program, link).status_code == 201

    assert User.objects.count() == 1
    assert create(Program(), link).status_code == 410


def test_another_name_with_a_used_link_makes_no_other_account_and_says_so():
    program, link = Program(), LinkFactory()
    assert create(program, link).status_code == 201

    answer = create(program, link, username="another")

    assert (answer.status_code, codes(answer)) == (410, ["used"])
    assert User.objects.count() == 1


def test_a_user_signed_in_with_another_address_is_told(ada):
    program, link = Program(), LinkFactory()
    program.sign_in("ada", PASSWORD)

    answer = create(program, link)

    assert (answer.status_code, codes(answer)) == (409, ["wrong_account"])
    link.refresh_from_db()
    assert link.state == MagicLink.State.PENDING


def test_an_address_that_has_an_account_by_now_is_told(ada):
    answer = create(Program(), LinkFactory(email="ada@example.com"))

    assert (answer.status_code, codes(answer)) == (409, ["has_account"])
    assert User.objects.count() == 1


def test_the_token_of_a_link_that_confirms_is_proof_too(ada):
    def create(link):
        sent = {"token": tokens.sign(purposes.CONFIRM, link.pk), "username": "grace", "password": PASSWORD}
        return Program().send("/api/v1/auth/create", **sent)

    assert codes(create(LinkFactory(email="ada@example.com"))) == ["has_account"]
    assert create(LinkFactory(username="grace", password="x")).status_code == 201
    assert User.objects.get(username="grace").check_password(PASSWORD)


def test_a_link_that_works_again_after_a_lost_claim_causes_no_500(monkeypatch):
    def late(*_args, **_fields):
        raise Unavailable

    monkeypatch.setattr(MagicLink, "sign_up", late)
    link = LinkFactory()

    assert codes(create(Program(), link)) == ["changed"]
    form = {"token": token_of(link), "username": "grace", "password": PASSWORD}
    assert Client().post("/signup", form).url.startswith("/signup?token=")


def test_by_invitation_only_a_proven_address_alone_makes_no_account(settings):
    settings.SIGNUP = "invited"

    refused = create(Program(), LinkFactory(), UserFactory().username, "short")

    assert (refused.status_code, codes(refused)) == (403, ["closed"])
    invite = InviteFactory()
    assert create(Program(), invite).status_code == 201
    invite.refresh_from_db()
    assert invite.accepted_by == User.objects.get(email=invite.email)


def test_a_plan_without_proof_makes_no_account():
    Program().send("/api/v1/invite", email="grace@example.com")

    assert not User.objects.exists()
    assert not Session.objects.exclude(user=None).exists()


# Asking again, in place of a link that has expired


def test_a_fresh_link_comes_in_place_of_an_expired_invitation_and_lasts_as_long(mailbox):
    invite = InviteFactory(email="grace@example.com", sent_at=LONG_AGO, expires_at=LONG_AGO + timedelta(days=7))

    answer = Program().send("/api/v1/invite", token=token_of(invite))

    assert answer.status_code == 202
    fresh = MagicLink.objects.exclude(pk=invite.pk).get()
    assert mailbox.kinds("grace@example.com") == ["invite"]
    for row in (fresh, Invite.objects.get()):
        assert row.expires_at > timezone.now() + timedelta(days=6)


def test_a_fresh_link_for_a_password_is_no_link_to_sign_in(mailbox, ada):
    link = LinkFactory(email=ada.email, purpose="reset", epoch=0, expires_at=LONG_AGO)

    assert Program().send("/api/v1/invite", token=tokens.sign(purposes.RESET, link.pk)).status_code == 202

    assert mailbox.kinds(ada.email) == ["reset"]


@pytest.mark.parametrize("over", ["used_at", "revoked_at"])
def test_no_other_link_is_replaced(over):
    link = LinkFactory(**{over: LONG_AGO})

    for token in ("noise", token_of(link)):
        answer = Program().send("/api/v1/invite", token=token)
        assert (answer.status_code, codes(answer)) == (404, ["broken"])
    assert not OutboxMessage.objects.exists()
