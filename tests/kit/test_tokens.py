"""Tokens: what is signed for one purpose opens that alone."""

from uuid import UUID

import pytest

from kit import tokens
from kit.ids import uuid7
from kit.tokens import BadToken, Purpose

KEYS = Purpose("tests.keys", "entry")
DOORS = Purpose("tests.doors", "entry")


def test_it_gives_back_the_id_that_was_signed():
    row = uuid7()

    assert tokens.load(KEYS, tokens.sign(KEYS, row)) == row


def test_another_purpose_does_not_open_it():
    with pytest.raises(BadToken):
        tokens.load(DOORS, tokens.sign(KEYS, uuid7()))


def test_nothing_that_we_have_not_signed_is_a_token(subtests):
    right = tokens.sign(KEYS, uuid7())
    for wrong in ("", "x", right[:-1], f"{right}x", right.upper(), "é", "\x00", "a" * 1000, right * 10):
        with subtests.test(wrong=wrong), pytest.raises(BadToken):
            tokens.load(KEYS, wrong)


AFTER = [
    *".)>,;:!?\"']}*…»”",
    " ",
    "%20",
    "%2520",
    "\u200b",
    "%E2%80%8B",
    "&amp;",
    ">\r\nAda",
    '" target="_blank',
    "请",
    "/",
]


@pytest.mark.parametrize("glued", AFTER)
def test_what_cannot_belong_to_a_token_is_left_out(glued):
    row = uuid7()

    assert tokens.load(KEYS, tokens.sign(KEYS, row) + glued) == row
    assert tokens.find(tokens.sign(KEYS, row) + glued) == tokens.sign(KEYS, row)


@pytest.mark.parametrize(
    "before", ["3D", "<", '"', "%20", "\u200b", "=", "https://door.example/confirm?token=", "token="]
)
def test_what_stands_before_a_token_is_left_out(before):
    row = uuid7()

    assert tokens.load(KEYS, before + tokens.sign(KEYS, row)) == row


@pytest.mark.parametrize("at", [1, 30, 46, 47, 60, 73])
@pytest.mark.parametrize("wrap", ["=\r\n", "=\n", "=", "\r\n ", "%0D%0A", "\u200b", "\u00ad"])
def test_a_token_in_a_wrapped_line_is_put_together(at, wrap):
    row = uuid7()
    token = tokens.sign(KEYS, row)

    assert tokens.load(KEYS, f"3D{token[:at]}{wrap}{token[at:]}") == row


def test_an_old_key_still_opens_and_the_new_one_signs(settings):
    row, old = UUID(int=1), settings.SECRET_KEY
    signed_before = tokens.sign(KEYS, row)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key " * 5, [old]

    assert tokens.load(KEYS, signed_before) == row
    signed_now = tokens.sign(KEYS, row)
    assert signed_now != signed_before

    settings.SECRET_KEY_FALLBACKS = []
    assert tokens.load(KEYS, signed_now) == row
    with pytest.raises(BadToken):
        tokens.load(KEYS, signed_before)


def test_a_link_is_built_from_the_sites_own_address(settings):
    settings.SITE_URL = "https://door.example"

    assert tokens.link(KEYS, UUID(int=1)) == f"https://door.example/?token={tokens.sign(KEYS, UUID(int=1))}"
