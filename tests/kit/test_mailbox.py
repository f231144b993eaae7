"""The mailbox behind an address, by which mails are counted."""

import pytest

from kit import mailbox

YANDEX = "yandex.com.tr yandex.uz yandex.ee yandex.fr narod.ru yandex.az yandex.kg yandex.lv"
SAME = [
    ("ada+shop@example.com", "ada@example.com"),
    ("ada+shop+more@example.com", "ada@example.com"),
    ("ada+@example.com", "ada@example.com"),
    ("a.d.a+x@gmail.com", "ada@gmail.com"),
    ("ada@googlemail.com", "ada@gmail.com"),
    ("a-d_a.@protonmail.com", "ada@proton.me"),
    ("ada@me.com", "ada@icloud.com"),
    ("ada-l@ya.ru", "ada.l@yandex.ru"),
    *((f"ada.l@{domain}", "ada-l@yandex.ru") for domain in YANDEX.split()),
    ("anything@ada.fastmail.com", "ada@fastmail.com"),
]
DIFFERENT = [
    ("jean-luc@example.com", "jean-paul@example.com"),
    ("a.da@example.com", "ada@example.com"),
    ("ada@mail.example.com", "ada@example.com"),
    ("+ada@example.com", "+eve@example.com"),
    ("...@gmail.com", "+@gmail.com"),
    ("ada.l@yandex.ru", "adal@yandex.ru"),
    ("ada@yandex.example", "ada@yandex.ru"),
    ("ada-list1@yahoo.com", "ada-list2@yahoo.com"),
    ("ada@fastmail.com.example", "ada@fastmail.com"),
]


@pytest.mark.parametrize(("address", "other"), SAME)
def test_spellings_of_one_mailbox_are_one(address, other):
    assert mailbox.of(address) == mailbox.of(other)


@pytest.mark.parametrize(("address", "other"), DIFFERENT)
def test_what_may_be_another_mailbox_is_another(address, other):
    assert mailbox.of(address) != mailbox.of(other)
