"""People: one spelling of a name and of an address, and one verified address each."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import identify_hasher
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError

from accounts import names
from accounts.models import Event, User
from kit import addresses
from outbox.models import Suppression
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def addresses_of(user):
    return [(row.email, row.verified, row.primary) for row in user.emailaddress_set.all()]


def test_every_way_of_making_a_user_leaves_one_verified_primary_address(monkeypatch, admin_client):
    made = UserFactory()
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--no-input", username="root.user", email="Root@Example.com", verbosity=0)
    admin_client.post("/admin/accounts/user/add/", {"username": "Alan", "email": "ALAN@example.com", "is_active": "on"})

    for user in (made, User.objects.get(username="root.user"), User.objects.get(username="alan")):
        assert addresses_of(user) == [(user.email, True, True)]
        assert user.email == user.email.lower()


def test_an_address_changed_at_the_desk_is_the_one_address(admin_client, ada):
    form = {"username": "ada", "email": "ada@new.example", "is_active": "on"}
    assert admin_client.post(f"/admin/accounts/user/{ada.pk}/change/", form).status_code == 302

    ada.refresh_from_db()
    assert addresses_of(ada) == [("ada@new.example", True, True)]


@pytest.mark.parametrize("form", [{"username": "lovelace"}, {"is_active": ""}, {}], ids=["name", "off", "nothing"])
def test_a_change_at_the_desk_that_is_none_of_the_address_verifies_no_address(admin_client, ada, form):
    ada.emailaddress_set.update(verified=False)
    Suppression.objects.opt_out(ada.email)

    typed = {"username": "ada", "email": ada.email, "is_active": "on"} | form
    assert admin_client.post(f"/admin/accounts/user/{ada.pk}/change/", typed).status_code == 302

    assert addresses_of(ada) == [(ada.email, False, True)]
    assert Suppression.objects.has_opted_out(ada.email)


GOOD_NAMES = [("ada", "ada"), (" Ada.Lovelace ", "ada.lovelace"), ("a_b-c.1", "a_b-c.1"), ("x" * 30, "x" * 30)]


def test_a_good_name_is_kept_in_lower_case(subtests):
    for typed, name in GOOD_NAMES:
        with subtests.test(typed=typed):
            assert names.normalize(typed) == name


BAD_NAMES = [
    ("", "required"),
    ("ab", "length"),
    ("x" * 31, "length"),
    ("a b c", "invalid"),
    ("ada@home", "invalid"),
    ("bo\u017fs", "invalid"),  # case folding makes it "boss"
    ("\u212aelvin", "invalid"),  # the Kelvin sign lower-cases to "k"
    ("ада", "invalid"),
    ("adа", "invalid"),  # its last letter is Cyrillic
    ("a\x00da", "invalid"),
    ("Admin", "reserved"),
    (".ad-min_", "reserved"),
    ("...", "reserved"),
    ("root", "reserved"),
    ("support", "reserved"),
]


def test_a_bad_name_is_refused_with_its_reason(subtests):
    for typed, code in BAD_NAMES:
        with subtests.test(typed=typed):
            with pytest.raises(ValidationError) as refused:
                names.normalize(typed)
            assert refused.value.code == code


SPELLINGS = [
    ("Ada@Example.com", "ada@example.com"),
    (" ada@example.com ", "ada@example.com"),
    ("a+tag@b.example", "a+tag@b.example"),
    ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
    ("ada@ｅxample.com", "ada@example.com"),  # IDNA maps a full-width letter to the plain one
    ("ada@\u212aelvin.example", "ada@kelvin.example"),
    ("ａda@example.com", "ada@example.com"),
]


def test_spellings_of_one_address_become_the_same_address(subtests):
    for typed, address in SPELLINGS:
        with subtests.test(typed=typed):
            assert addresses.normalize(typed) == address


NO_ADDRESSES = [
    "",
    "ada",
    "ada@",
    "@example.com",
    "ada@example",
    "a b@example.com",
    '"a b"@example.com',
    "ада@example.com",
    "\u212aelvin@example.com",
    "ada@example.com\r\nBcc: x@example.com",
    "ada@exa\x00mple.com",
    "ada@example.com,eve@example.com",
    "a" * 65 + "@example.com",
    "ada@" + "a" * 64 + ".example",
    "ada@" + ".".join(["a" * 60] * 5) + ".example",
    "ada@-example.com",
    "ada@example..com",
    "ada@[127.0.0.1]",
    "=?utf-8?q?x=40evil.com?=@example.com",
    "a" * 64 + "@" + ".".join(["漢" * 20] * 8) + ".jp",
    "ada@[127.0.0.1",
    "\ud800@example.com",
    "ada@\ud800.example",
    "a" * 10_000 + "@example.com",
]


def test_an_invalid_address_is_refused_with_a_sentence(subtests):
    for typed in NO_ADDRESSES:
        with subtests.test(typed=typed):
            with pytest.raises(ValidationError) as refused:
                addresses.normalize(typed)
            assert refused.value.messages[0]


def test_two_people_cannot_have_one_name_or_one_address():
    UserFactory(username="ada", email="ada@example.com")

    with pytest.raises(IntegrityError):
        UserFactory(username="ADA", email="other@example.com")


@pytest.mark.django_db(transaction=True)
def test_an_account_is_made_whole_or_not_at_all(ada):
    # The address is verified for another account, which is found out only after the user is stored.
    EmailAddress.objects.create(user=ada, email="grace@example.com", verified=True)
    events = Event.objects.count()

    with pytest.raises(IntegrityError):
        UserFactory(username="grace", email="grace@example.com")
    assert list(User.objects.all()) == [ada]
    assert Event.objects.count() == events


def test_the_database_itself_refuses_upper_case(ada):
    with pytest.raises(IntegrityError):
        User.objects.filter(pk=ada.pk).update(email="Ada@example.com")


def test_passwords_are_argon2id_at_owasps_cost(in_earnest, ada):
    assert ada.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert not identify_hasher(ada.password).must_update(ada.password)


TYPOS = [
    ("ada@gmial.com", "ada@gmail.com"),
    ("ada@gmail.con", "ada@gmail.com"),
    ("ada@homtail.com", "ada@hotmail.com"),
    ("ada@yandex.ry", "ada@yandex.ru"),
    ("ada@gmail.com", ""),
    ("ada@mail.ru", ""),
    ("ada@example.com", ""),
    ("ada@gmx.net", ""),
    ("ada@mail.com", ""),
    ("ada@ymail.com", ""),
    ("ada@company.example", ""),
]


def test_a_likely_typo_is_recognised(subtests):
    for typed, meant in TYPOS:
        with subtests.test(typed=typed):
            assert addresses.suggestion(typed) == meant


WISHES = ["admin@example.com", "ad.min@example.com", "root", "...@example.com", "я@example.com"]


def test_every_suggested_name_would_be_accepted(subtests):
    for wish in WISHES:
        with subtests.test(wish=wish):
            for name in names.candidates(wish):
                assert names.normalize(name) == name
