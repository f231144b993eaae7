"""The setting of a site's own fields, and what may stand in each kind."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from kit.own_fields import OwnField, parse

WRONG = [
    ("Job", "'Job' is no name"),
    ("9lives", "'9lives' is no name"),
    ("x" * 31, "is no name"),
    ("job:maybe", "'maybe' of 'job' is none of optional, required, text, tel, url, date, number"),
    ("job:optional:required", "more than one thing"),
    ("job:tel:url", "more than one thing"),
    ("job,phone,job", "'job' is there twice"),
    ("token", "'token' has a meaning of its own"),
    (",".join(f"f{n}" for n in range(11)), "it has 11 fields. At most 10"),
]


def test_a_setting_is_read(subtests):
    assert parse("") == []
    assert parse(" name, job:optional ,phone:optional:tel,born:date:required,") == [
        OwnField("name"),
        OwnField("job", required=False),
        OwnField("phone", required=False, kind="tel"),
        OwnField("born", kind="date"),
    ]


@pytest.mark.parametrize(("setting", "said"), WRONG, ids=lambda value: value[:20])
def test_a_wrong_setting_is_refused_in_one_sentence(setting, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        parse(setting, reserved={"token"})


GOOD = [
    ("text", "  Head of \t Countess\u2019 office ", "Head of Countess\u2019 office"),
    ("text", "x" * 200, "x" * 200),
    ("text", "", ""),
    ("tel", "+44 (20) 7946-0000 ext. 12", "+44 (20) 7946-0000 ext. 12"),
    ("tel", "\uff10\uff11\uff12\uff13", "0123"),
    ("url", "example.com/me", "https://example.com/me"),
    ("url", "http://example.com", "http://example.com"),
    ("date", "20261130", "2026-11-30"),
    ("date", "2026-11-30", "2026-11-30"),
    ("number", "-3,50", "-3.50"),
    ("number", "7", "7"),
]
BAD = [
    ("text", "x" * 201, "max_length"),
    ("text", "a\u202eb", "control"),
    ("text", "a\x00b", "control"),
    ("tel", "call me", "invalid"),
    ("tel", "()-()", "invalid"),
    ("tel", "1" * 60, "invalid"),
    ("url", "javascript:alert(1)", "invalid"),
    ("url", "ftp://example.com", "invalid"),
    ("url", "javascript://example.com/%0aalert(1)", "invalid"),
    ("date", "30.11.2026", "invalid"),
    ("date", "2026-02-30", "invalid"),
    ("number", "1e9", "invalid"),
    ("number", "one", "invalid"),
    ("number", "1" * 16, "max_digits"),
    ("number", "1.1234567890", "max_digits"),
]


def test_a_good_value_has_one_spelling(subtests):
    for kind, typed, value in GOOD:
        with subtests.test(kind=kind, typed=typed):
            assert OwnField("job", kind=kind).clean(typed) == value


def test_a_bad_value_is_refused(subtests):
    for kind, typed, code in BAD:
        with subtests.test(kind=kind, typed=typed):
            with pytest.raises(ValidationError) as refused:
                OwnField("job", kind=kind).clean(typed)
            assert refused.value.code == code


def test_a_number_of_too_many_digits_is_told_how_many_are_possible():
    with pytest.raises(ValidationError, match="at most 15 digits before the point and 9 after it"):
        OwnField("size", kind="number").clean("1" * 16)

    assert OwnField("size", kind="number").clean(f"{'1' * 15},{'1' * 9}") == f"{'1' * 15}.{'1' * 9}"


def test_people_read_a_date_in_their_language_and_what_is_none_as_it_is():
    born = OwnField("born", kind="date")

    assert born.shown("1991-01-31") == "31 January 1991"
    with translation.override("ru"):
        assert born.shown("1991-01-31") == "31 января 1991"
    assert [born.shown(value) for value in ("", "last winter")] == ["", "last winter"]
    assert OwnField("job").shown("1991-01-31") == "1991-01-31"


def test_people_read_a_label():
    assert OwnField("company_name").label == "Company name"
