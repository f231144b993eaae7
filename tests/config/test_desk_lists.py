"""What all lists of the desk have in common. A list that is added to the desk is asked as well."""

import re
from html import unescape

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Event
from invites.models import Batch, MagicLink
from kit.list_filter import ChoiceFilter
from kit.long_list import LongList
from outbox.models import Suppression, Webhook
from tests.tools.factories import InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

# Django's own list of a few rows, and two pages that list nothing.
OTHERS = {"group", "funnel", "inviter"}
REGISTERED = {listed.opts.model_name: listed for listed in admin.site._registry.values()}
LONG = [pytest.param(listed, id=name) for name, listed in REGISTERED.items() if isinstance(listed, LongList)]
ACTING = [one for one in LONG if one.values[0].actions]

# Each of a filter that takes no such value, and of what Django's own lists take.
NONSENSE = ["nonsense", "", "0", "1999-01", "9" * 30, "-id", "é\u202e", "a,b", "[]"]
ASKED = ["status=nonsense", "nonsense=", "id=1", "pk__gt=0", "id__in=a", "created_at__year=x", "user__password=x"]
ASKED += ["p=nonsense", "p=", "p=0", "p=-1", "p=99", "p=" + "9" * 5000, "o=1", "o=-1.2"]
ASKED += ["_popup=1", "_to_field=id", "_to_field=nonsense", "_facets=True", "_source_model=x"]


@pytest.fixture
def one_of_each(desk, ada):
    """Two or more rows in every list; `desk` and `ada` are people with a history."""
    MagicLink.objects.issue("grace@example.com")
    Event.objects.record(Event.Kind.FAILED, ada)
    for n in range(2):
        MagicLink.objects.issue(UserFactory().email)
        InviteFactory()
        Batch.objects.create()
        Suppression.objects.suppress(f"dead{n}@example.com", "550 5.1.1 No such user")
        Webhook(url=f"https://{n}.example/").store_new()


def url(listed):
    return reverse(f"admin:{listed.opts.app_label}_{listed.opts.model_name}_changelist")


def filters(listed):
    return [one.parameter_name for one in listed.list_filter]


def test_every_list_of_the_desk_is_a_long_list_with_filters_that_know_their_choices():
    assert {name for name, listed in REGISTERED.items() if not isinstance(listed, LongList)} == OTHERS
    assert len(LONG) >= 8
    for listed in REGISTERED.values():
        assert all(issubclass(one, ChoiceFilter) for one in listed.list_filter)


@pytest.mark.parametrize("name", sorted(REGISTERED.keys() - {"funnel", "inviter"}))
def test_a_status_that_no_list_has_leads_back_to_the_list(desk, name):
    assert desk.get(f"{url(REGISTERED[name])}?status=nonsense").url.endswith("?e=1")


@pytest.mark.parametrize("listed", LONG)
@pytest.mark.parametrize("rows", ["nothing", "one_of_each"])
def test_what_a_list_does_not_offer_leads_back_to_it_and_does_nothing(desk, listed, rows, request, subtests):
    if rows != "nothing":
        request.getfixturevalue(rows)
    before = list(listed.model.objects.order_by("pk").values_list("pk", flat=True))
    asked = ASKED + [f"{name}={value}" for name in filters(listed) for value in NONSENSE]
    asked += [] if listed.search_fields else ["q=nonsense"]

    for query in asked:
        with subtests.test(query[:40]):
            assert desk.get(f"{url(listed)}?{query}").url == f"{url(listed)}?e=1"
            form = {"action": (listed.actions or [""])[0], "select_across": "on"}
            assert desk.post(f"{url(listed)}?{query}", form).url == f"{url(listed)}?e=1"

    assert list(listed.model.objects.order_by("pk").values_list("pk", flat=True)) == before


@pytest.mark.parametrize("listed", LONG)
def test_what_a_list_offers_is_answered_newest_first(desk, one_of_each, listed, monkeypatch, subtests):
    monkeypatch.setattr(LongList, "list_per_page", 1)
    page = desk.get(url(listed))
    links = {unescape(link) for link in re.findall(r'href="(\?[^"]*)"', page.text)}
    assert {"?p=2", "?all="} <= links
    assert len(links) >= 2 + len(filters(listed))

    for query in [*links, "?p=1", "?e=1", *(["?q=nobody@example.com", "?q=+"] if listed.search_fields else [])]:
        with subtests.test(query):
            assert desk.get(url(listed) + query).status_code == 200
    rows = [row.pk for row in desk.get(f"{url(listed)}?all=").context["cl"].result_list]
    assert len(rows) > 1
    assert rows == sorted(rows, reverse=True)


@pytest.mark.parametrize("listed", ACTING)
@pytest.mark.parametrize("ticked", ["abc", "", "9" * 30])
def test_a_tick_that_names_no_row_is_told_and_does_nothing(desk, one_of_each, listed, ticked):
    before = listed.model.objects.count()
    page = desk.post(url(listed), {"action": listed.actions[0], "_selected_action": ticked, "index": 0}, follow=True)

    assert "Nothing was done" in words(page)
    assert listed.model.objects.count() == before


@pytest.mark.parametrize("listed", ACTING)
def test_an_action_takes_all_that_is_found_up_to_a_bound(desk, one_of_each, listed, monkeypatch):
    monkeypatch.setattr("kit.long_list.AT_ONCE", 1)
    before = listed.model.objects.count()
    page = desk.post(url(listed), {"action": listed.actions[0], "select_across": "on", "index": 0}, follow=True)

    assert "More than 1 were found. Nothing was done." in words(page)
    assert listed.model.objects.count() == before
