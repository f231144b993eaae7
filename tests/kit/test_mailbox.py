"""The mailbox behind an address, by which mails are counted."""

import pytest

from kit import mailbox

SAME = [
    ("ada+shop@example.com", "ada@example.com"),
    ("ada+shop+more@example.com", "ada@example.com"),
    ("ada+@example.com", "ada@example.com"),
    ("a.d.a+x@gmail.com", "ada@gmail.com"),
    ("ada@googlemail.com", "ada@gmail.com"),
    ("a-d_a.@protonmail.com", "ada@proton.me"),
    ("ada@me.com", "ada@icloud.com"),
    ("ada-l@ya.ru", "ada.l@yandex.ru"),
    ("anything@ada.fastmail.com", "ada@fastmail.com"),
]
DIFFERENT = [
    ("jean-luc@example.com", "jean-paul@example.com"),
    ("a.da@example.com", "ada@example.com"),
    ("ada@mail.example.com", "ada@example.com"),
    ("+ada@example.com", "+eve@example.com"),
    ("...@gmail.com", "+@gmail.com"),
    ("ada.l@yandex.ru", "adal@yandex.ru"),
    ("ada@fastmail.com.example", "ada@fastmail.com"),
]


@pytest.mark.parametrize(("address", "other"), SAME)
def test_spellings_of_one_mailbox_are_one(address, other):
    assert mailbox.of(address) == mailbox.of(other)


@pytest.mark.parametrize(("address", "other"), DIFFERENT)
def test_what_may_be_another_mailbox_is_another(address, other):
    assert mailbox.of(address) != mailbox.of(other)
