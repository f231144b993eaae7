"""What is typed into a search becomes words; nothing that is typed is a pattern or a mistake."""

import pytest
from django.db import connection

from accounts.models import User
from invites.models import Invite, queryset
from kit import word_search
from tests.tools.factories import InviteFactory, UserFactory


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("hop", "'hop':*"),
        ("Gr  hop", "'Gr':* & 'hop':*"),
        ("grace.hop", "'grace':* & 'hop':*"),
        ("O'Brien", "'O':* & 'Brien':*"),
        ("@ln.example", "'@ln.example':*"),
        ("grace@ln", "'grace':* & '@ln':*"),
        ("@MÜNCHEN.de", "'@xn--mnchen-3ya.de':*"),
        ("a\\b", "'a\\\\b':*"),
        ("O’Brien", "'O':* & 'Brien':*"),
        ("Anna–Marie", "'Anna':* & 'Marie':*"),
        ("«Zoë»", "'Zoe':*"),
        ("", ""),
        (" . - @ ", ""),
        ("\0", ""),
    ],
)
def test_what_is_typed_becomes_the_beginnings_of_words(typed, query):
    assert word_search.query(typed) == query


@pytest.fixture
def several(db):
    for email, name in [
        ("grace.hopper@ln.example", "Grace Hopper"),
        ("hop@example.org", ""),
        ("pat@example.org", "Pat O’Hop-Lee"),
        ("shop@example.org", "Bishop"),
        ("olga@example.org", "Ольга Ёлкина"),
        ("zoe@xn--mnchen-3ya.de", "Zoë D'Arc"),
        ("sean@irish.example", "Sean O’Brien"),
        ("dash1@dash.example", "Anna–Marie"),
        ("dash2@dash.example", "Eva‐Marie"),
        ("dash3@dash.example", "Lea\u2011Marie"),
        ("jo@dash.example", "«Jo» „Flo“ Müller"),
        ("o'neil@irish.example", ""),
    ]:
        InviteFactory(email=email, name=name)


def found(typed):
    return sorted(invite.email.partition("@")[0] for invite in Invite.objects.found_by(typed))


@pytest.mark.parametrize(
    ("typed", "who"),
    [
        ("hop", ["grace.hopper", "hop", "pat"]),
        ("HOP", ["grace.hopper", "hop", "pat"]),
        ("hop grace", ["grace.hopper"]),
        ("grace.hop", ["grace.hopper"]),
        ("ольг", ["olga"]),
        ("ЁЛК", ["olga"]),
        ("е\u0308лк", ["olga"]),  # the letter in two parts
        ("zoë arc", ["zoe"]),
        ("ＺＯＥ", ["zoe"]),  # full width
        ("zoe", ["zoe"]),
        ("mull", ["jo"]),
        ("елк", ["olga"]),
        ("O'Brien", ["sean"]),
        ("o’brien", ["sean"]),
        ("brien", ["sean"]),
        ("marie", ["dash1", "dash2", "dash3"]),
        ("Anna-Marie", ["dash1"]),
        ("lea–m", ["dash3"]),
        ("jo", ["jo"]),
        ("flo", ["jo"]),
        ("o’neil", ["o'neil"]),
        ("o’neil@irish", ["o'neil"]),
        ("@ln", ["grace.hopper"]),
        ("@example.org", ["hop", "olga", "pat", "shop"]),
        ("@münchen.de", ["zoe"]),
        ("p@example", ["pat"]),
        ("pat@example.org", ["pat"]),
        ("grace.hopper@ln.example", ["grace.hopper"]),
        ("ln.example", []),
        ("opper", []),
        ("%", []),
        ("_", []),
        ("h%", []),
        ("*", []),
        ("hop:*", ["grace.hopper", "hop", "pat"]),
        ("' | 'q", []),
        ("!hop", []),
        ("\ud800", []),
        ("\u202e\u200b", []),
        ("\ufffd", []),
        ("x" * 320, []),
        ("ж" * 320, []),
        ("👩‍💻", []),
    ],
)
def test_people_are_found_by_the_beginnings_of_their_names_and_addresses(several, typed, who):
    assert found(typed) == who


def test_a_whole_address_finds_itself_alone(db):
    for email in ("ada@example.co", "ada@example.com"):
        InviteFactory(email=email)
        UserFactory(username=f"ada{len(email)}", email=email)

    assert [invite.email for invite in Invite.objects.found_by(" Ada@Example.co ")] == ["ada@example.co"]
    assert [user.email for user in User.objects.found_by("ADA@example.CO")] == ["ada@example.co"]
    assert Invite.objects.found_by("ada@example.c").count() == User.objects.found_by("ada@example.c").count() == 2


def test_users_are_found_by_name_address_and_domain(db):
    UserFactory(username="grace_m.hopper", email="gm@navy.example")

    for typed in ("gra", "hop", "m hop", "gm", "@navy", "gm@navy.example", "GRACE_M"):
        assert [user.username for user in User.objects.found_by(typed)] == ["grace_m.hopper"], typed
    assert not User.objects.found_by("navy").exists()


def test_a_search_stays_within_the_rows_it_is_asked_of(several):
    assert Invite.objects.filter(email="hop@example.org").found_by("hop").count() == 1
    assert Invite.objects.filter(email="hop@example.org").found_by("grace.hopper@ln.example").count() == 0


def test_no_more_is_found_than_can_be_shown(several, monkeypatch):
    monkeypatch.setattr(word_search, "FOUND", 2)

    assert Invite.objects.found_by("@example.org").count() == 2


def test_rows_of_few_are_all_found_however_many_others_fit(several, monkeypatch):
    monkeypatch.setattr(word_search, "FOUND", 3)

    for email in ("hop@example.org", "olga@example.org", "pat@example.org", "shop@example.org"):
        assert Invite.objects.filter(email=email).found_by("@example.org").count() == 1
    assert Invite.objects.filter(email="zoe@xn--mnchen-3ya.de").found_by("@example.org").count() == 0
    assert word_search.find(Invite.objects.all(), queryset.WORDS, "@example.org")[1] is False
    assert word_search.find(Invite.objects.all(), queryset.WORDS, "@ln")[1] is True


@pytest.mark.parametrize("model", [Invite, User])
def test_a_search_is_answered_by_its_index(db, model):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    with connection.execute_wrapper(plans := Plans()):
        list(model.objects.found_by("hop gra"))
        list(model.objects.found_by("@ln.example"))

    assert sum("_by_words" in plan for plan in plans) == 2


class Plans(list):
    """Collects the plan of each statement."""

    def __call__(self, execute, sql, params, many, context):
        with connection.connection.cursor() as cursor:
            self.append(str(cursor.execute(f"EXPLAIN {sql}", params).fetchall()))
        return execute(sql, params, many, context)
