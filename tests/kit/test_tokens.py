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
