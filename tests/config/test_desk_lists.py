"""What all lists of the desk have in common. A list that is added to the desk is asked as well."""

import re
from html import unescape

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Event
from invites.models import Batch, MagicLink
from kit.list_filter import ChoiceFilter
from kit.long_list import LongList
from outbox.models import Suppression, Webhook
from sso.models import App
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

# Two pages that list nothing.
OTHERS = {"funnel", "inviter"}
REGISTERED = {listed.opts.model_name: listed for listed in admin.site._registry.values()}
QUEUE = "joinrequest"  # is answered from its top, and offers no other order
LISTS = {name: listed for name, listed in REGISTERED.items() if isinstance(listed, LongList) and name != QUEUE}
LONG = [pytest.param(listed, id=name) for name, listed in LISTS.items()]
ACTING = [one for one in LONG if one.values[0].actions]

# Each of a filter that takes no such value, and of what Django's own lists take.
NONSENSE = ["nonsense", "", "0", "1999-01", "9" * 30, "-id", "é\u202e", "a,b", "[]"]
ASKED = ["status=nonsense", "nonsense=", "id=1", "pk__gt=0", "id__in=a", "created_at__year=x", "user__password=x"]
ASKED += [
    "p=nonsense",
    "p=",
    "p=0",
    "p=-1",
    "p=1.0",
    "p=١",
    "p=" + "9" * 5000,
    "o=1",
    "o=-1.2",
    "o=id",
    "o=email",
    "o=--address",
    "o=address.name",
]
ASKED += ["_popup=1", "_to_field=id", "_to_field=nonsense", "_facets=True", "_source_model=x"]
ASKED += ["e=1&nonsense=", "e=1&p=0", "e=1&id=1", "nonsense=1&status=sent&nonsense="]


@pytest.fixture
def one_of_each(desk, ada):
    """Two or more rows in every list; `desk` and `ada` are people with a history."""
    MagicLink.objects.issue("grace@example.com")
    Event.objects.record(Event.Kind.FAILED, ada)
    for n in range(2):
        MagicLink.objects.issue(UserFactory().email)
        InviteFactory()
        Batch.objects.create(begun_at=timezone.now())
        Batch.objects.create()  # a draft, which its list shows by a link
        Suppression.objects.suppress(f"dead{n}@example.com", "550 5.1.1 No such user")
        Webhook(url=f"https://{n}.example/").store_new()
        Group.objects.create(name=f"Group {n}")
        App(start_url="https://wiki.example/").store_new(f"App {n}", ["https://wiki.example/callback"])


def url(listed):
    return reverse(f"admin:{listed.opts.app_label}_{listed.opts.model_name}_changelist")


def filters(listed):
    return [one.parameter_name for one in listed.list_filter]


def test_every_list_of_the_desk_is_a_long_list_with_filters_that_know_their_choices():
    assert {name for name, listed in REGISTERED.items() if not isinstance(listed, LongList)} == OTHERS
    assert len(LONG) >= 8
    for listed in REGISTERED.values():
        assert all(issubclass(one, ChoiceFilter) for one in listed.list_filter)


@pytest.mark.parametrize("name", sorted(REGISTERED))
def test_a_status_that_no_list_has_leads_back_to_the_list(desk, name):
    assert desk.get(f"{url(REGISTERED[name])}?status=nonsense").url.endswith("?e=1")


@pytest.mark.parametrize("listed", LONG)
def test_what_a_list_does_not_offer_leads_back_to_it_and_does_nothing(desk, one_of_each, listed, subtests):
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
    monkeypatch.setattr(type(listed), "list_per_page", 1)
    page = desk.get(url(listed))
    links = {unescape(link) for link in re.findall(r'href="(\?[^"]*)"', page.text)}
    assert {"?p=2", "?all="} <= links
    assert len(links) >= 2 + len(filters(listed))

    for query in [*links, "?p=1", "?e=1", *(["?q=nobody@example.com", "?q=+"] if listed.search_fields else [])]:
        with subtests.test(query):
            assert desk.get(url(listed) + query).status_code == 200
    # The ids of apps are random, all others grow.
    rows = [getattr(row, "made_at", row.pk) for row in desk.get(f"{url(listed)}?all=").context["cl"].result_list]
    assert len(rows) > 1
    assert rows == sorted(rows, reverse=True)


@pytest.mark.parametrize("listed", ACTING)
@pytest.mark.parametrize("ticked", ["abc", "", "9" * 30])
def test_a_tick_that_names_no_row_is_told_and_does_nothing(desk, one_of_each, listed, ticked):
    before = listed.model.objects.count()
    page = desk.post(url(listed), {"action": listed.actions[0], "_selected_action": ticked, "index": 0}, follow=True)

    assert "Nothing was done" in words(page)
    assert listed.model.objects.count() == before


def test_the_zone_of_all_times_is_named_once(desk):
    assert "Times are in UTC. Change" in words(desk.get("/admin/"))


@pytest.mark.parametrize("listed", [one for one in ACTING if "user" not in str(one.id)])
def test_an_empty_list_offers_no_action(desk, listed):
    listed.model.objects.all().delete()

    page = desk.get(url(listed))

    assert "Nothing here yet." in words(page)
    assert 'name="action"' not in page.text
    assert "0 found" not in words(page)


@pytest.mark.parametrize("listed", ACTING)
def test_an_action_takes_all_that_is_found_up_to_a_bound(desk, one_of_each, listed, monkeypatch):
    monkeypatch.setattr("kit.long_list.AT_ONCE", 1)
    before = listed.model.objects.count()
    page = desk.post(url(listed), {"action": listed.actions[0], "select_across": "on", "index": 0}, follow=True)

    assert "More than 1 were found. Nothing was done." in words(page)
    assert listed.model.objects.count() == before


@pytest.fixture
def viewer():
    """The browser of somebody on staff who may see everything at the desk, and change nothing but add invitations."""
    person = UserFactory(username="viewer", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__regex="^(view_|add_invite$)"))
    client = Client()
    client.post("/login", {"login": "viewer", "password": PASSWORD})
    return client


def paths(model, depth=2):
    """Yields the look-ups by every field of a model, and by those of the models that it relates to."""
    for field in model._meta.get_fields():
        name = field.name
        yield name
        if field.is_relation and depth and field.related_model:
            yield from (f"{name}__{further}" for further in paths(field.related_model, depth - 1))


@pytest.mark.parametrize("listed", [pytest.param(one, id=name) for name, one in REGISTERED.items()])
def test_no_list_answers_whether_a_field_has_a_value(viewer, one_of_each, listed):
    offered = {"source", "app", "e", "q"} if listed.opts.model_name == "funnel" else {"e", "q", *filters(listed)}
    suffixes = ("", "__startswith", "__isnull")
    own = list(paths(listed.model, 0))
    asked = [f"{path}{suffix}" for path in own for suffix in suffixes]
    asked += [f"{path}{suffixes[n % 3]}" for n, path in enumerate(paths(listed.model, 1)) if path not in own]
    asked += [f"{path}__regex" for path in set(paths(listed.model)) if path.count("__") > 1][::7]
    asked += ["secret", "token_hash", "session_key", "user__password__startswith", "invited_by__password__gt"]
    assert viewer.get(url(listed)).status_code == 200

    answers = {name: viewer.get(url(listed), {name: "a"}) for name in asked if name not in offered}

    assert {answer.headers.get("Location") for answer in answers.values()} == {f"{url(listed)}?e=1"}
    for beside in ("_popup=1", "o=1", "_facets=True", "created_at__year=2026", "p=1", "q=a", "e=1", "_to_field=id"):
        answer = viewer.get(f"{url(listed)}?{beside}&user__password__startswith=a")
        assert answer.headers.get("Location") == f"{url(listed)}?e=1"


def test_nothing_completes_what_is_typed(viewer, desk):
    source = {"app_label": "invites", "model_name": "invite", "field_name": "invited_by", "term": "a"}
    for client in (viewer, desk):
        assert client.get("/admin/autocomplete/", source).status_code == 404


def test_a_list_that_was_asked_too_much_says_so(desk):
    page = desk.get(f"{url(LONG[0].values[0])}?nonsense=", follow=True)
    assert "this list doesn’t offer. Here is the whole list." in words(page)


SEARCHED = [one for one in LONG if one.values[0].search_fields]


@pytest.mark.parametrize("listed", SEARCHED)
def test_a_search_looks_for_a_bounded_number_of_words_and_says_so(desk, one_of_each, listed):
    addresses = " ".join(f"word{n}x@example.com" for n in range(300))

    for typed, most in [(addresses, 10), ("\t".join(addresses.split()), 10), ("a" * 100_000, 1), ("a " * 300, 10)]:
        with CaptureQueriesContext(connection) as asked:
            page = desk.get(url(listed), {"q": typed})

        assert page.status_code == 200
        assert "Only the first 10 words were looked for" in words(page)
        assert sum(len(query["sql"]) for query in asked) < 60_000
        assert not any(f"word{most}x@" in query["sql"] for query in asked)
    assert "Only the first" not in words(desk.get(url(listed), {"q": "a b c d e f g h i j"}))


def test_the_page_that_finds_an_inviter_takes_a_long_text(desk):
    for typed in ("a@example.com " * 300, "a" * 100_000):
        assert "There is nobody called" in words(desk.get("/admin/invites/inviter/", {"q": typed}))


@pytest.mark.parametrize("listed", LONG)
def test_a_page_behind_the_last_is_the_last(desk, one_of_each, listed, monkeypatch):
    monkeypatch.setattr(type(listed), "list_per_page", 1)
    whole = [row.pk for row in desk.get(f"{url(listed)}?all=").context["cl"].result_list]

    for number in (len(whole) + 1, 999_999_999):
        page = desk.get(f"{url(listed)}?p={number}")
        assert page.status_code == 200
        assert [row.pk for row in page.context["cl"].result_list] == whole[-1:]


def test_deleting_all_of_the_last_page_leads_to_the_one_before(desk, monkeypatch):
    monkeypatch.setattr(LongList, "list_per_page", 1)
    for n in range(3):
        Group.objects.create(name=f"Group {n}")
        App(start_url="https://wiki.example/").store_new(f"App {n}", ["https://wiki.example/callback"])
    last = Group.objects.get(name="Group 0")
    form = {"action": "delete_selected", "_selected_action": last.pk, "index": 0, "post": "yes"}

    page = desk.post("/admin/auth/group/?p=3", form, follow=True)

    assert not Group.objects.filter(pk=last.pk).exists()
    assert page.status_code == 200
    assert [row.name for row in page.context["cl"].result_list] == ["Group 1"]
