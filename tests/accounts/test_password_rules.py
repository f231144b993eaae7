"""Rules for new passwords: what is too easy to guess, at each door, and what is not."""

import json
import random
import string

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from accounts.password import strength
from accounts.password.rules import GuessableValidator
from invites import purposes
from invites.models import Invite, MagicLink
from kit import tokens
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.program import Program, codes
from tests.tools.reading import words

ADA = User(username="ada.king", email="lovelace@analytical.example")


def reason(password, user=ADA):
    """Returns the code and the words of the one rule that a password breaks, or None."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        (broken,) = error.error_list
        return broken.code, broken.messages[0]
    return None


EASY = {
    "on a list, and a tail": "password12345678 Password1234567 iloveyou12345678 starwars12345678 superman123456789",
    "words with digits": "administrator123 letmeinplease123 welcome123welcome football123456789 Summer2026!Summer",
    "repeats": "letmeinletmein12 11111111111111a aaaaaaaaaaaaaaab abcabcabcabcabc1 aabbccddeeffgghh trustno1trustno",
    "rows of keys": "qwertyuiop12345 1234567890qwerty zxcvbnmasdfghjkl qazwsxedcrfvtgb 1qaz2wsx3edc4rfv",
    "rows of keys, backwards": "poiuytrewqlkjhgf",
    "rows with Shift": "!QAZ2wsx#EDC4rfv 1qaz!QAZ2wsx@WSX QWERTYUIOP!@#$%",
    "rows in turn": "1q2w3e4r5t6y7u8i qwe123asd456zxc789 1z2x3c4v5b6n7m8k a1b2c3d4e5f6g7h8",
    "sequences": "abcdefghijklmno1 0123456789abcdef 9876543210987654 abc123def456ghi789",
    "years and dates": "31121999-31121999 January2026January 01.01.1990-1990",
    "leet": "P@ssw0rd12345678 p4ssw0rdp4ssw0rd L3tM31nPl34s3!! W3lc0m32026!!!!",
    "separated": "pass-word-1234-56 pass.word.pass.word 1234-5678-9012-34",
    "phrases": "correcthorsebatterystaple thequickbrownfox maytheforcebewithyou tobeornottobe12 ilovemymom12345",
    "the site": "frontdoorfrontdoor Frontdoor2026!! MyFrontdoor2026 fr0ntd00r123456 frontdoor-login1 roodtnorf2026!!",
    "the user": "ada.king2026!!! adakingadaking1 lovelace1234567 Analytical2026! analytical.example1",
    "Russian": "парольпароль123 привет123привет люблютебя123456 солнышко1234567 йцукенгшщзхъфыва Максим-2026-2026",
    "Russian on Latin keys": "ghbdtnghbdtn1234 gfhjkm12345678! cjkysirj12345678 qwertyйцукен123",
}


@pytest.mark.parametrize("password", [one for some in EASY.values() for one in some.split()])
def test_what_is_long_and_easy_to_guess_is_refused_with_how_to_choose_better(password):
    code, said = reason(password)

    assert code in {"password_too_weak", "password_too_common", "password_too_similar"}
    if code == "password_too_weak":
        assert said.endswith("Use four random words, or let your browser or password manager make one up")


SAYINGS = [
    "correct horse battery staple",
    "correct-horse-battery-staple",
    "Correct.Horse.Battery.Staple",
    "CorrectHorseBatteryStaple2026",
    "to be or not to be",
    "the quick brown fox jumps over the lazy dog",
    "It was the best of times, it was the worst of times",
    "you'll never walk alone",
    "youllneverwalkalone",
    "ilovemymotherinlaw",
    "I love you so much, baby!",
    "iloveyousomuchbaby",
    "iamyourfatherluke",
    "ieatpizzaeveryday",
    "one two three four five",
    "один два три четыре пять",
    "Один-Два-Три-Четыре",
    "мамамыларумамамусмыла",
    "Мама мыла раму 123",
    "я тебя очень сильно люблю мама",
    "в лесу родилась ёлочка",
]


@pytest.mark.parametrize("password", SAYINGS)
def test_sayings_and_simple_sentences_are_refused_however_they_are_separated(password):
    assert reason(password)[0] == "password_too_weak"


@pytest.mark.parametrize("typed", ["Tr0ub4dor&3Tr0ub4dor&3", "x9$Kq!v2@x9$Kq!v2@", "Wapqix7 hud-Wapqix7 hud"])
def test_what_is_too_short_once_is_refused_twice(typed):
    code, said = reason(typed)

    assert code == "password_too_weak"
    assert said.startswith("Repeated words")


GOOD = [
    "another horse battery staple",
    "another four random words",
    "a rather different phrase",
    "four random words here",
    "plumage visor ocelot thimble",
    "velvetostrichpancaketundra",
    "Cobalt-Lantern-Mosaic-Drift-7",
    "лампа печка сугроб енот",
    "ябедакувшинтракторландыш",
    "frontdoor ada quietly paints blue whales",
    "hudnyt-Kezfo2-wapqix",
    "x9$Kq!v2@Lm#8Zt",
    "字字珠玑语重心长山高水远一二三",
]


@pytest.mark.parametrize("password", GOOD)
def test_what_is_hard_to_guess_passes(password):
    assert reason(password) is None


def test_nearly_every_random_password_passes():
    chance = random.Random(2026)  # noqa: S311
    letters = ["".join(chance.choices(string.ascii_lowercase, k=15)) for _ in range(200)]
    mixed = ["".join(chance.choices(string.ascii_letters + string.digits + "!#$%&*+-?@_", k=16)) for _ in range(200)]

    assert [one for one in letters + mixed if reason(one)] == []


WORDS = """
abacus bramble cactus dagger ember fiddle gravel hamlet igloo jigsaw kernel lantern magnet napkin oyster pebble quarry
ribbon saddle timber urchin velvet walnut yodel zipper anchor bucket copper dragon engine falcon goblet harvest insect
juggle kitten ladder meadow nectar orchid puzzle quiver rocket shovel turnip unicorn vessel wizard garden winter morning
"""


@pytest.mark.parametrize("between", [" ", "", "-"])
def test_four_random_words_pass(between):
    chance = random.Random(2026)  # noqa: S311
    phrases = [between.join(chance.sample(WORDS.split(), 4)) for _ in range(300)]

    assert [one for one in phrases if reason(one)] == []


def test_twelve_random_letters_are_enough_where_the_site_says_so(settings):
    settings.PASSWORD_MIN_LENGTH = 12

    GuessableValidator().validate("kemubcrdlsbq")
    with pytest.raises(ValidationError, match="attackers try first"):
        GuessableValidator().validate("password1234")


def test_a_long_password_is_judged_by_its_start_and_its_end():
    assert reason("password" * 40)[0] == "password_too_common"
    assert reason("ab" * 200 + "ba" * 100)[0] == "password_too_weak"
    assert reason("a" * 100 + " plumage visor ocelot thimble") is None
    assert reason("plumage visor ocelot thimble gravy " + "a" * 3_000) is None


LEET = "4@8({[<369&#!1/|0$5+7%2/"


@pytest.mark.parametrize("typed", [LEET * 200, "@|$" + "4836912570" * 400, "a" * 4_000, "1" * 20 + "p4$5w0rd" * 500])
def test_the_estimator_sees_little_of_what_would_take_it_long(typed, monkeypatch):
    seen = []
    original = strength.zxcvbn
    monkeypatch.setattr(strength, "zxcvbn", lambda text, words: (seen.append(text), original(text, words))[1])

    strength.estimate(typed, [])

    assert 0 < len(seen) <= 14
    assert all(len(text) <= strength.LOOKED_AT for text in seen)
    # One more, as "{" is read as "[", its key.
    assert all(len(set(text) & set("@({[<!|$+%")) <= strength.SYMBOL_KINDS + 1 for text in seen)


@pytest.mark.parametrize(
    "typed", ["\ud800", "", "\0" * 20, "İ" * 20, "👨‍👩‍👧" * 9, "e\u0301" * 15, "-" * 20, "   .   .   .   _ "]
)
def test_no_text_is_too_odd_to_be_judged(typed):
    assert strength.estimate(typed, ["", "é"]).guesses >= 0


# The doors

EASY_ONE = "Frontdoor2026!!"
ADVICE = "Use four random words"


@pytest.mark.django_db
def test_the_page_of_sign_up_refuses_it_and_knows_who_has_invited():
    inviter = UserFactory(username="vrzkowniak")
    invite = Invite.objects.issue("grace@example.com", source="admin", invited_by=inviter)
    path = tokens.path(purposes.SIGNUP, MagicLink.objects.get(invite=invite).pk)
    form = {"token": path.partition("token=")[2], "username": "grace"}

    for password in (EASY_ONE, "vrzkowniak2026!", "Vrzkowniak-2026"):
        assert ADVICE in words(Client().post("/signup", form | {"password": password}))
    assert not User.objects.filter(username="grace").exists()
    assert reason("vrzkowniak2026!") is None  # where nobody of that name has invited


@pytest.mark.django_db
def test_a_planned_account_is_refused_it():
    page = Client().post("/signup", {"email": "grace@example.com", "username": "grace", "password": EASY_ONE})

    assert ADVICE in words(page)


@pytest.mark.django_db
def test_a_reset_is_refused_it(mailbox, ada):
    MagicLink.objects.issue(ada.email, purpose="reset")
    token = mailbox.link(ada.email, "/reset/password").partition("token=")[2]

    assert ADVICE in words(Client().post("/reset/password", {"token": token, "password": EASY_ONE}))
    assert User.objects.get().check_password(PASSWORD)


def test_a_change_is_refused_it(signed_in, ada):
    page = signed_in.post("/account/password", {"password": PASSWORD, "chosen": EASY_ONE})

    assert ADVICE in words(page)


@pytest.mark.django_db
def test_programs_are_refused_it(ada):
    program = Program()
    program.sign_in("ada", PASSWORD)
    changed = program.send("/api/v1/account/password", "PUT", password=PASSWORD, new_password=EASY_ONE)
    created = Program().send("/api/v1/auth/create", email="grace@example.com", username="grace", password=EASY_ONE)

    assert codes(changed) == codes(created) == ["password_too_weak"]
    assert json.loads(created.text)["errors"][0]["field"] == "password"


@pytest.mark.django_db
def test_a_superuser_is_refused_it_too(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", EASY_ONE)

    with pytest.raises(CommandError, match=ADVICE):
        call_command("createsuperuser", "--no-input", username="root.user", email="root@example.com", verbosity=0)
    assert not User.objects.exists()
