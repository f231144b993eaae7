"""People at the desk: their ways in, their sessions, and the actions on many of them at once."""

import csv
import re
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import OperationalError, connection
from django.db.models import F
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import desk_offers, people_csv
from accounts.models import Event, User
from accounts.models.event import BY_STAFF, CHANGED, FAILED
from invites.models import MagicLink
from kit.ids import earliest
from outbox.models.event import OutboxEventQuerySet
from tests.tools import phone
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

LIST = "/admin/accounts/user/"
HISTORY = "/admin/accounts/event/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def at(person):
    return f"{LIST}{person.pk}/change/"


def press(desk, action, *people):
    form = {"action": action, "index": "0", "_selected_action": [str(person.pk) for person in people]}
    return desk.post(LIST, form, follow=True)


def found(desk, **query):
    return sorted(person.username for person in desk.get(LIST, query).context["cl"].result_list)


def cells(page, username):
    """Returns what stands in the row of a person, without the box."""
    row = next(row for row in page.text.split("<tr>") if f'/change/">{username}<' in row)
    inner = re.sub(r'<span class="lbl">.*?</span>', "", row)
    return [re.sub("<.*?>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", inner)][1:]


def signed_in_as(person, **headers):
    client = Client(headers=headers)
    client.post("/login", {"login": person.username, "password": PASSWORD})
    return client


@pytest.fixture
def grace(db):
    """A user without a password, who signs in by mailed links and Google."""
    person = UserFactory(username="grace", password=None)
    person.google.adopt("g-1", "grace@gmail.com")
    return person


@pytest.fixture
def helper(db):
    """The browser of a member of staff who may change people."""
    person = UserFactory(username="helper", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    return signed_in_as(person)


def test_the_list_says_how_people_come_in_and_where_they_are_now(desk, signed_in, ada, grace):
    signed_in_as(ada)
    for name in ("Staff", "Editors"):
        ada.groups.add(Group.objects.create(name=name))
    User.objects.filter(username="grace").update(is_active=False)

    page = desk.get(LIST)

    assert cells(page, "ada") == ["ada", "ada@example.com", "Editors, Staff", "password", "2", "now", "Active"]
    assert cells(page, "grace") == ["grace", "grace@example.com", "–", "Google", "0", "–", "Turned off"]


def test_people_are_found_by_how_they_come_in_and_when_they_were_here(desk, signed_in, ada, grace):
    User.objects.filter(pk=ada.pk).update(last_login=timezone.now() - timedelta(days=2))
    UserFactory(username="alan", is_active=False)

    assert found(desk, show="off") == ["alan"]
    assert found(desk, show="staff") == ["olga"]
    assert found(desk, show="signed_in") == ["ada", "olga"]
    assert found(desk, has_password="no") == found(desk, google="yes") == ["grace"]
    assert found(desk, has_password="yes") == found(desk, google="no") == ["ada", "alan", "olga"]
    assert found(desk, seen="1d") == ["olga"]
    assert found(desk, seen="7d") == ["ada", "olga"]
    assert found(desk, seen="never") == ["alan", "grace"]
    assert 'href="?seen=never">never</a>' in desk.get(LIST).text


def test_fifty_people_cost_as_many_statements_as_one(desk):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(LIST).status_code == 200
        # When Redis is too slow, the session is read from PostgreSQL: that statement is not the list's.
        return len([query for query in queries if "session_data" not in query["sql"]])

    desk.get(LIST)  # the first visit also notes that the desk is in use
    one = cost()
    for number in range(49):
        UserFactory(username=f"guest{number}", password=None)

    assert cost() == one


def test_filters_are_answered_by_indexes():
    many = [User(username=f"u{n}", email=f"u{n}@example.com", last_login=timezone.now()) for n in range(2000)]
    User.objects.bulk_create(many)
    Event.objects.bulk_create([Event(kind="signed_in", user=person) for person in many])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_user, accounts_event")
    newest = User.objects.order_by("-id")

    assert "user_off" in newest.filter(is_active=False)[:50].explain()
    assert "user_staff" in newest.filter(is_staff=True)[:50].explain()
    assert "user_no_password" in newest.without_password()[:50].explain()
    assert "user_by_last_login" in newest.filter(last_login=None)[:50].explain()
    assert "user_never_back" in newest.never_back()[:50].explain()
    assert "event_by_kind" in Event.objects.filter(kind="resent").order_by("-id")[:50].explain()
    for index, few in {"event_failed": FAILED, "event_changed": CHANGED, "event_by_staff": BY_STAFF}.items():
        assert index in Event.objects.filter(few).order_by("-id")[:50].explain()


def test_one_press_ends_all_sessions_of_many_people(desk, signed_in, ada, grace, admin_user):
    other = signed_in_as(ada)

    page = press(desk, "end_sessions", ada, grace, admin_user)

    assert "2 sessions ended for 2 people. 1 skipped: 1 yourself" in words(page)
    assert signed_in.get("/account").status_code == other.get("/account").status_code == 302
    assert ada.events.get(kind="signed_out").detail == {"by": "staff", "staff": "olga"}


def test_sessions_that_could_not_be_ended_are_not_recorded_as_ended(desk, signed_in, ada, monkeypatch):
    def cut(*_args, **_kwargs):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(OutboxEventQuerySet, "add_each_to", cut)
    with pytest.raises(OperationalError):
        User.objects.filter(pk=ada.pk).sign_out(by="staff")

    assert not ada.events.filter(kind=Event.Kind.SIGNED_OUT).exists()
    assert signed_in.get("/account").status_code == 200


def test_a_reset_link_is_mailed_only_to_accounts_that_can_use_it(desk, mailbox, ada):
    off = UserFactory(username="off", is_active=False)

    page = press(desk, "mail_reset", ada, off)

    assert "1 queued. 1 skipped: 1 turned off or leaving." in words(page)
    assert mailbox.kinds("ada@example.com") == ["reset"]
    assert "requested from Frontdoor" in " ".join(mailbox.text("ada@example.com").split())
    assert Client().get(mailbox.link("ada@example.com", "/reset")).status_code == 200
    assert not mailbox.letters(off.email)
    assert "olga mailed ada a link for a new password" in words(desk.get(at(ada)))


def test_a_reset_link_that_was_mailed_just_now_is_not_mailed_again(desk, mailbox, ada):
    press(desk, "mail_reset", ada)
    for _ in range(11):
        page = press(desk, "mail_reset", ada)

    assert "0 queued. 1 skipped: 1 sent less than a minute ago." in words(page)
    assert mailbox.kinds("ada@example.com") == ["reset"]
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        press(desk, "mail_reset", ada)
        assert mailbox.kinds("ada@example.com") == ["reset", "reset"]


def test_a_link_that_somebody_asked_for_to_sign_in_keeps_no_reset_link_back(desk, mailbox, ada):
    MagicLink.objects.issue(ada.email)
    press(desk, "mail_reset", ada)

    assert sorted(mailbox.kinds("ada@example.com")) == ["link_known", "reset"]


@pytest.mark.parametrize("way", ["one", "several"])
def test_somebody_who_is_signed_out_everywhere_just_now_is_deleted_all_the_same(desk, ada, monkeypatch, way):
    erase = User.erase

    def outrun(self, **trace):
        monkeypatch.setattr(User, "erase", erase)
        User.objects.filter(pk=self.pk).update(session_epoch=F("session_epoch") + 1)
        return erase(self, **trace)

    monkeypatch.setattr(User, "erase", outrun)
    several = {"action": "delete_selected", "_selected_action": [str(ada.pk)], "post": "yes"}
    path, form = (f"{LIST}{ada.pk}/delete/", {"post": "yes"}) if way == "one" else (LIST, several)

    assert desk.post(path, form).status_code == 302
    assert not User.objects.filter(pk=ada.pk).exists()


def test_nobody_deletes_themselves_among_others(desk, ada, admin_user):
    form = {"action": "delete_selected", "_selected_action": [str(ada.pk), str(admin_user.pk)], "post": "yes"}

    assert desk.post(LIST, form).status_code == 403
    assert User.objects.count() == 2
    request = RequestFactory().post(LIST)
    request.user = admin_user
    admin.site._registry[User].delete_queryset(request, User.objects.filter(pk=admin_user.pk))
    assert User.objects.filter(pk=admin_user.pk).exists()


def test_beside_the_address_stands_what_it_does_not_put_right(desk, ada):
    assert "also mail a reset link" in words(desk.get(f"{LIST}{ada.pk}/edit/"))


def test_deactivating_signs_out_and_mails_others_but_never_oneself(desk, signed_in, mailbox, ada, admin_user):
    off = UserFactory(username="off", is_active=False)

    page = press(desk, "turn_off", ada, off, admin_user)

    assert "1 turned off. 2 skipped: " in words(page)
    assert "1 yourself" in words(page)
    assert "1 turned off already" in words(page)
    assert not User.objects.get(pk=ada.pk).is_active
    assert User.objects.get(pk=admin_user.pk).is_active
    assert signed_in.get("/account").status_code == 302
    assert mailbox.kinds("ada@example.com")[-1] == "changed_by_staff"


def test_invitations_of_a_person_are_paused_and_allowed_again(desk, ada):
    assert "1 may not invite now." in words(press(desk, "pause", ada))
    assert User.objects.get(pk=ada.pk).invites_paused_at
    assert "0 may not invite now. 1 skipped: 1 paused already." in words(press(desk, "pause", ada))

    assert "1 may invite again." in words(press(desk, "allow", ada))
    assert not User.objects.get(pk=ada.pk).invites_paused_at


def test_actions_are_offered_in_a_fixed_order(desk):
    offered = [name for name, _label in desk.get(LIST).context["action_form"].fields["action"].choices]

    assert offered == ["", "export", "end_sessions", "mail_reset", "turn_off", "pause", "allow", "delete_selected"]


def test_an_action_cannot_be_placed_after_an_unknown_one():
    with pytest.raises(ValueError, match="nothing"):
        desk_offers.add_action(desk_offers.add_panel, after="nothing")
    assert desk_offers.add_panel not in desk_offers.ACTIONS


def test_staff_cannot_act_on_people_above_them(helper, mailbox, admin_user):
    above = signed_in_as(admin_user)
    mailbox.letters()

    for action in ("end_sessions", "mail_reset", "turn_off", "pause"):
        assert "1 skipped: 1 above you." in words(press(helper, action, admin_user))
    page = helper.get(at(admin_user))
    handle = admin_user.sessions.get().handle
    refused = helper.post(f"{LIST}{admin_user.pk}/sessions/end", {"session": handle})

    assert refused.status_code == 403
    assert handle not in page.text
    assert above.get("/account").status_code == 200
    assert "reset" not in mailbox.kinds(admin_user.email)
    assert not User.objects.filter(invites_paused_at__isnull=False).exists()


def test_staff_who_may_only_look_have_no_buttons(db, ada):
    person = UserFactory(username="viewer", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="view_user"))
    viewer = signed_in_as(person)
    session = signed_in_as(ada)

    assert "End sessions" not in viewer.get(LIST).text
    assert "End session" not in viewer.get(at(ada)).text
    assert "Invitations to this address" not in viewer.get(at(ada)).text
    press(viewer, "turn_off", ada)

    assert session.get("/account").status_code == 200


def test_the_page_of_a_person_shows_sessions_google_history_and_invitations(desk, ada):
    signed_in_as(ada, **{"User-Agent": FIREFOX})
    ada.google.adopt("g-1", "ada@gmail.com")
    InviteFactory(email="ada@example.com", source="csv")
    InviteFactory(email="guest@example.com", invited_by=ada)

    page = desk.get(at(ada))

    for shown in (
        "Firefox on Windows, 127.0.0.1",
        "ada@gmail.com",
        "ada signed in with a password",
        "guest@example.com",
    ):
        assert shown in words(page)
    session = ada.sessions.get()
    assert session.session_key not in page.text
    assert "token" not in page.text.replace("csrfmiddlewaretoken", "")
    assert "argon2" not in page.text
    assert 'type="password"' not in page.text
    assert f"{HISTORY}?q=ada" in page.text
    assert [row.user for row in desk.get(HISTORY, {"q": "ada"}).context["cl"].result_list] == [ada] * ada.events.count()


def test_the_question_whether_to_delete_somebody_shows_no_session_key(desk, helper, ada, admin_user):
    signed_in_as(ada)
    session = ada.sessions.get()

    for page in (desk.get(f"{LIST}{ada.pk}/delete/"), press(desk, "delete_selected", ada)):
        assert "ada@example.com" in words(page)
        assert session.session_key not in page.text
    User.objects.get(username="helper").user_permissions.add(Permission.objects.get(codename="delete_user"))
    press(helper, "delete_selected", admin_user)
    form = {"action": "delete_selected", "_selected_action": [str(admin_user.pk)], "post": "yes"}
    assert helper.post(LIST, form).status_code == 403


def test_one_session_ends_by_its_button_and_the_others_go_on(desk, signed_in, ada):
    other = signed_in_as(ada, **{"User-Agent": FIREFOX})
    page = desk.get(at(ada))
    handle = re.search(r'name="session" value="(\w+)" aria-label="End session: Firefox on Windows', page.text)[1]

    for said in ("Session ended: Firefox on Windows.", "That session had already ended."):
        assert said in words(desk.post(f"{LIST}{ada.pk}/sessions/end", {"session": handle}, follow=True))

    assert other.get("/account").status_code == 302
    assert signed_in.get("/account").status_code == 200
    ended = ada.events.get(kind="session_ended").detail
    assert (ended["by"], ended["staff"]) == ("staff", "olga")
    assert desk.get(f"{LIST}{ada.pk}/sessions/end").status_code == 405


def test_the_history_is_found_by_kind_without_reading_all_of_it(desk, ada, monkeypatch):
    monkeypatch.setattr("kit.paging.SHOWN", 2)
    monkeypatch.setattr("accounts.desk.HistoryAdmin.list_per_page", 1)
    for _ in range(4):
        Event.objects.record(Event.Kind.FAILED, ada)

    with CaptureQueriesContext(connection) as queries:
        page = desk.get(HISTORY, {"kind": "failed"})

    assert page.context["cl"].result_count == 2
    assert "Wrong password entered</a>" in page.text
    ours = [query["sql"] for query in queries if 'FROM "accounts_event"' in query["sql"]]
    assert [sql for sql in ours if sql.count('FROM "accounts_event"') > sql.count("LIMIT")] == []


def offered(page):
    return re.findall(r'name="CHANGE_FORM-action" value="(\w+)"', page.text)


def push(desk, action, person):
    form = {"CHANGE_FORM-action": action, "_selected_action": str(person.pk)}
    return desk.post(at(person), form, follow=True)


def test_the_page_offers_what_can_be_done_now_and_never_to_oneself_what_shuts_out(desk, ada, admin_user):
    assert offered(desk.get(at(ada))) == ["end_sessions", "mail_reset", "pause", "turn_off"]
    User.objects.filter(pk=ada.pk).update(is_active=False, invites_paused_at=timezone.now())
    assert offered(desk.get(at(ada))) == ["allow", "turn_on"]

    mine = desk.get(at(admin_user))
    assert offered(mine) == ["mail_reset", "pause"]
    assert "Close the account" not in mine.text


def test_buttons_act_on_the_person_and_lead_back_to_the_page(desk, signed_in, mailbox, ada):
    page = push(desk, "turn_off", ada)
    assert page.redirect_chain == [(at(ada), 302)]
    assert "1 turned off." in words(page)
    assert ">Turned off</span>" in page.text
    assert signed_in.get("/account").status_code == 302

    page = push(desk, "turn_on", ada)
    assert "1 turned on." in words(page)
    assert ">Active</span>" in page.text
    assert signed_in_as(ada).get("/account").status_code == 200
    assert [event.kind for event in ada.events.order_by("id")][1:4] == ["signed_in", "turned_off", "turned_on"]
    assert mailbox.kinds("ada@example.com").count("changed_by_staff") == 2


def test_nobody_below_turns_a_superuser_on_or_off(helper, admin_user):
    for active in (True, False):
        User.objects.filter(pk=admin_user.pk).update(is_active=active)
        push(helper, "turn_off" if active else "turn_on", admin_user)
        assert User.objects.get(pk=admin_user.pk).is_active == active
        assert offered(helper.get(at(admin_user))) == []


def test_the_page_says_who_it_is_and_how_they_came_in(desk, ada, grace):
    grace.groups.add(Group.objects.create(name="Editors"))
    InviteFactory(email=grace.email, invited_by=ada, accepted_at=timezone.now(), accepted_by=grace)

    page = desk.get(at(grace))

    assert "<h1>grace</h1>" in page.text
    for label, value in {
        "Username": "grace",
        "Address": "grace@example.com",
        "Groups": "Editors",
        "Signs in with": "Google",
        "Rights at the desk": "none",
        "Last seen": "never",
    }.items():
        assert f"<dt>{label}</dt><dd>{value}</dd>" in page.text
    assert "an invitation of ada" in page.text.partition("<dt>Came in by</dt>")[2][:300]
    assert "?email=grace%40example.com" in page.text


def test_the_form_has_boxes_for_groups_and_none_of_djangos_words(desk, ada):
    Group.objects.create(name="Editors")
    Group.objects.create(name="Admins").permissions.add(Permission.objects.get(codename="change_user"))

    page = desk.get(f"{LIST}{ada.pk}/edit/")

    assert re.findall(r"(\w+ \(gives rights at the desk\)|Editors)</label>", page.text) == [
        "Admins (gives rights at the desk)",
        "Editors",
    ]
    for words_of_django in ("Hold down", "Designates", ":</label>", "Add another", "/history/", "<script", 'style="'):
        assert words_of_django not in page.text
    assert f'action="{at(ada)}"' in page.text


def test_a_saved_form_leads_to_the_page_and_a_refused_one_keeps_what_was_typed(desk, ada):
    form = {"username": "hopper", "email": "ada@example.com", "is_active": "on"}

    refused = desk.post(at(ada), form | {"email": "nonsense"})
    assert 'value="nonsense"' in refused.text
    assert "in the correct format" in words(refused)
    saved = desk.post(at(ada), form, follow=True)

    assert saved.redirect_chain == [(at(ada), 302)]
    assert "Saved. hopper is mailed what changed." in words(saved)
    assert "olga changed the username of hopper from ada" in words(saved)


def test_only_staff_who_may_change_a_person_get_the_form(desk, helper, ada, admin_user):
    assert helper.get(f"{LIST}{ada.pk}/edit/").status_code == 200
    assert 'name="is_staff"' not in helper.get(f"{LIST}{ada.pk}/edit/").text
    assert helper.get(f"{LIST}{admin_user.pk}/edit/").status_code == 403
    assert "/edit/" not in helper.get(at(admin_user)).text
    assert desk.get(f"{LIST}00000000-0000-7000-8000-000000000000/edit/").status_code == 404
    assert desk.post(f"{LIST}{ada.pk}/edit/", {}).status_code == 405


def test_whoever_is_added_has_a_page_at_once(desk):
    form = {"username": "hopper", "email": "hopper@example.com", "is_active": "on"}

    page = desk.post(f"{LIST}add/", form, follow=True)

    assert page.redirect_chain == [(at(User.objects.get(username="hopper")), 302)]
    assert "The account of hopper is made." in words(page)


def test_the_way_back_from_a_deletion_is_a_real_link(desk, ada):
    Group.objects.create(name="Editors")
    for page, back in (
        (desk.get(f"{LIST}{ada.pk}/delete/"), at(ada)),
        (press(desk, "delete_selected", ada), LIST),
    ):
        assert 'href="#"' not in page.text
        assert f'href="{back}">No, take me back</a>' in page.text
        assert "<script" not in page.text
        assert "Its owner is told by mail." in words(page)
        assert "ada (ada@example.com)" in words(page)
        assert "Are you sure" not in page.text


def test_a_page_of_one_costs_as_many_statements_for_many_events_as_for_one(desk, ada):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(at(ada)).status_code == 200
        return len([query for query in queries if "session_data" not in query["sql"]])

    desk.get(at(ada))
    Event.objects.record("rights_changed", ada, by="staff", staff="olga", changed={"is_staff": [False, True]})
    InviteFactory(email=ada.email, invited_by=ada)
    one = cost()
    for number in range(9):
        Event.objects.record("failed", ada)
        InviteFactory(email=f"guest{number}@example.com", invited_by=ada)
        signed_in_as(ada)

    assert cost() == one


def test_people_who_never_came_back_and_those_without_two_step_are_found(desk, ada):
    phone.pair(ada)
    now = timezone.now()
    for username, joined, seen in [("back", 2, 1), ("day", 3, 2.9), ("none", 4, None), ("new", 0.9, 0.9)]:
        since = now - timedelta(days=joined)
        person = UserFactory(username=username, id=earliest(since), joined_at=since)
        User.objects.filter(pk=person.pk).update(last_login=seen and now - timedelta(days=seen))
    User.objects.filter(username__in=["ada", "olga"]).update(joined_at=now - timedelta(days=9), last_login=now)

    assert found(desk, show="never_back") == ["day", "none"]
    assert found(desk, show="one_step") == ["back", "day", "new", "none", "olga"]
    text = desk.get(LIST).text
    for chip, number in {"All": 6, "Never came back": 2, "No two‑step": 5, "Staff": 1, "Turned off": 0}.items():
        assert f">{chip} <b>{number}</b></a>" in text
    chosen = desk.get(LIST, {"show": "staff"}).text
    assert '<a href="?show=staff" aria-current="true">Staff <b>1</b></a>' in chosen
    assert '<a href="?">All <b>6</b></a>' in chosen


def test_people_are_found_by_their_group(desk, ada):
    group = Group.objects.create(name="Editors")
    ada.groups.add(group)

    assert found(desk, group=group.pk) == ["ada"]
    assert f'href="?group={group.pk}">Editors</a>' in desk.get(LIST).text
    assert desk.get(LIST, {"group": group.pk + 1}).url.endswith("?e=1")


def test_people_are_sorted_by_name_address_and_when_they_were_last_seen(desk):
    now = timezone.now()
    for username, letter, days in [("bob", "z", 3), ("cleo", "y", 1), ("abe", "x", 0)]:
        person = UserFactory(username=username, email=f"{letter}@example.com")
        User.objects.filter(pk=person.pk).update(last_login=now - timedelta(days=days) if days else None)
    User.objects.filter(username="olga").update(last_login=now)

    def order(column, **query):
        return [person.username for person in desk.get(LIST, query | {"o": column}).context["cl"].result_list]

    for query in ({}, {"q": "@example.com"}):  # by an index, and among what is found
        assert order("person", **query) == ["abe", "bob", "cleo", "olga"]
        assert order("-person", **query) == ["olga", "cleo", "bob", "abe"]
        assert order("address", **query) == ["olga", "abe", "cleo", "bob"]
        assert order("seen", **query) == ["olga", "cleo", "bob", "abe"]
    assert order("-seen") == ["abe", "bob", "cleo", "olga"]


def test_people_are_exported_without_what_opens_an_account_or_runs_in_a_spreadsheet(desk, ada, grace):
    ada.groups.add(Group.objects.create(name="=1+1"), Group.objects.create(name="Editors"))

    page = press(desk, "export", ada, grace)

    text = b"".join(page.streaming_content).decode("utf-8-sig")
    rows = {row["username"]: row for row in csv.DictReader(StringIO(text))}
    assert tuple(rows["ada"]) == people_csv.COLUMNS
    assert rows["ada"] | {"joined": "", "seen": ""} == {
        "username": "ada",
        "name": "",
        "email": "ada@example.com",
        "state": "active",
        "staff": "",
        "superuser": "",
        "groups": "'=1+1; Editors",
        "signs_in_with": "password",
        "sessions": "0",
        "joined": "",
        "seen": "",
        "terms": "",
    }
    assert rows["grace"]["signs_in_with"] == "google"
    assert "argon2" not in text
    assert 'filename="people-2' in page["Content-Disposition"]


def test_a_longer_file_of_people_takes_a_few_statements_for_each_chunk(desk, monkeypatch):
    monkeypatch.setattr(people_csv, "CHUNK", 3)
    for n in range(6):
        UserFactory(username=f"guest{n}")
    form = {"action": "export", "index": "0", "select_across": "on"}
    page = desk.post(LIST, form)

    with CaptureQueriesContext(connection) as queries:
        text = b"".join(page.streaming_content).decode()

    assert text.count("\r\n") == 1 + 7
    assert len(queries) == 3 * 6


def test_the_export_of_people_asks_staff_again_who_they_are(desk, ada):
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        page = press(desk, "export", ada)

    assert "text/csv" not in page["Content-Type"]
    assert "Change at the desk: people" in words(page)
