"""The desk's one search over people and invitations."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from operations.desk import search
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

SEARCH = "/admin/search/"


def find(client, typed):
    return client.get(SEARCH, {"q": typed})


def staff(*codenames):
    person = UserFactory(username="helper", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.post("/login", {"login": "helper", "password": PASSWORD})
    return client


@pytest.fixture
def hopper():
    """A person and two invitations that "hop" finds."""
    person = UserFactory(username="grace.hopper", email="grace@ln.example")
    maria = UserFactory(username="maria")
    InviteFactory(email="hop@work.example", invited_by=maria, name="Hope")
    InviteFactory(email="b@work.example", name="Bo Hopkins")
    return person


def test_people_and_invitations_stand_side_by_side_and_lead_to_their_pages(desk, hopper):
    page = find(desk, "hop")

    said = words(page)
    for part in ("Found for “hop”", "1 person", "grace.hopper", "grace@ln.example", "Active", "2 invitations"):
        assert part in said
    assert re.search(r"hop@work.example\s?Hope, from maria, ends .*?Not opened yet", said)
    for link in re.findall(r'<div class="grow"><a href="([^"]+)"', page.text):
        assert desk.get(link).status_code == 200
    assert "See all" not in said


def test_a_company_is_found_by_its_domain(desk, hopper):
    said = words(find(desk, "@work.example"))

    assert "2 invitations" in said
    assert "person" not in said.partition("Found for")[2].partition("Times are")[0].replace("Find a person", "")


def test_whoever_is_called_just_so_comes_first(desk):
    for name in ("ada", "ada-m", "adam"):
        UserFactory(username=name)

    assert [row.name for row in find(desk, "Ada").context["columns"][0].rows] == ["ada", "adam", "ada-m"]


def test_more_than_a_column_holds_are_one_link_away(desk, monkeypatch):
    monkeypatch.setattr(search, "SHOWN", 2)
    for n in range(3):
        InviteFactory(email=f"guest{n}@example.com")
        UserFactory(username=f"guest{n}")

    page = find(desk, "gue")

    assert "2+ people" in words(page)
    assert "2+ invitations" in words(page)
    links = re.findall(r'<a href="([^"]+)">See all', page.text)
    assert [len(desk.get(link).context["cl"].result_list) for link in links] == [3, 3]


def test_where_nobody_is_found_an_address_can_be_invited(desk):
    nobody = find(desk, "zed")
    assert "Nobody found for “zed”" in words(nobody)
    assert "Try fewer letters" in words(nobody)
    assert "Invite it" not in words(nobody)

    page = find(desk, " Zed@Example.com")
    form = desk.get(re.search(r'<a class="btn tight" href="([^"]+)">Invite it', page.text)[1].replace("&amp;", "&"))
    assert "zed@example.com</textarea>" in form.text
    assert "Invite it" not in words(find(staff("view_invite"), "zed@example.com"))


@pytest.mark.parametrize("typed", ["", " ", "%", "_", "'", "\\", "(", ":*", "&|!", "a@b'c\\", "Ж" * 400, "\ud83d"])
def test_nothing_that_is_typed_breaks_the_page(desk, hopper, typed):
    page = desk.get(SEARCH, {"q": typed.encode("utf-8", "replace")})

    assert page.status_code == 200
    assert "grace.hopper" not in words(page)


def test_what_is_typed_is_shown_as_it_is(desk):
    page = find(desk, '<b>"x')

    assert "<b>" not in page.text.partition("<main")[2].replace("<b>1", "")
    assert 'Found for “<b>"x”' in words(page) or "&lt;b&gt;" in page.text


@pytest.mark.parametrize(("codename", "sees"), [("view_user", "grace.hopper"), ("view_invite", "hop@work.example")])
def test_each_column_is_for_whoever_may_see_its_list(hopper, codename, sees):
    said = words(find(staff(codename), "hop"))

    assert sees in said
    assert ("grace.hopper" in said) + ("hop@work.example" in said) == 1


def test_whoever_may_see_neither_list_may_not_search(hopper, client):
    assert find(staff("view_event"), "hop").status_code == 403
    assert find(client, "hop").status_code == 302
    assert find(client, "hop").url.startswith("/admin/login/")


def test_the_search_changes_nothing_and_takes_few_statements(desk, hopper, django_assert_max_num_queries):
    assert desk.post(SEARCH, {"q": "hop"}).status_code == 405
    find(desk, "hop")
    with django_assert_max_num_queries(10):
        find(desk, "hop")
