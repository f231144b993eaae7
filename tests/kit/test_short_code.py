"""Codes that are read on one screen and typed on another."""

from datetime import UTC, datetime, timedelta

import pytest

from kit import short_code

NOW = datetime(2026, 3, 1, 12, 0, 59, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_code_is_shown_in_two_halves_without_look_alikes():
    codes = {short_code.show("a", str(number), NOW) for number in range(500)}
    assert len(codes) == 500
    for code in codes:
        assert len(code) == 9
        assert code[4] == "-"
        assert not set(code.replace("-", "")) & set("01OILSZAEU")


def test_to_show_it_again_shows_the_same():
    assert short_code.show("a", "x", NOW) == short_code.show("a", "x", NOW.replace(second=0))


@pytest.mark.parametrize(
    "written",
    [
        "{0}-{1}",
        "{0}{1}",
        " {0} {1}\t",
        "{0}–{1}",
        "{0}‑{1}",
        "{0}—{1}.",
        "-{0}--{1}-",
    ],
)
@pytest.mark.parametrize("case", [str.upper, str.lower, str.title])
def test_it_may_be_typed_in_any_way(written, case):
    halves = short_code.show("a", "x", NOW).split("-")
    assert short_code.fits(case(written.format(*halves)), "a", "x", NOW)


def test_letters_of_a_russian_keyboard_and_wide_ones_are_understood():
    latin, russian = "BKMHPCTXY", "вкмнрстху"
    assert short_code.clean(russian) == latin
    assert short_code.clean("Ｋ７") == "K7"


@pytest.mark.parametrize(("later", "fits"), [(0, True), (14, True), (15, False), (60, False), (-1, False)])
def test_it_is_good_for_fifteen_minutes(later, fits):
    code = short_code.show("a", "x", NOW)
    assert short_code.fits(code, "a", "x", NOW + later * MINUTE) is fits


@pytest.mark.parametrize(("salt", "subject"), [("b", "x"), ("a", "y")])
def test_it_fits_nothing_else(salt, subject):
    assert not short_code.fits(short_code.show("a", "x", NOW), salt, subject, NOW)


@pytest.mark.parametrize("typed", ["", "-", "K7WQ-3MT", "K7WQ-3MTD9", "😀" * 8, "\x00", "٣" * 8, "K" * 10_000])
def test_what_is_no_code_fits_nothing(typed):
    assert not short_code.fits(typed, "a", "x", NOW)
