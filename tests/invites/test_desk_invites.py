"""The list of invitations at the desk: filters, and the actions send again, extend, withdraw and export."""

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event, User
from invites.batch import exports
from invites.models import Batch, Invite
from kit import list_filter, times, word_search
from kit import long_list as long_lists
from outbox.models import OutboxMessage, Suppression
from tests.tools.desk import check
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

LIST = "/admin/invites/invite/"
NOW = timezone.now()
AGO = NOW - timedelta(hours=1)


def invited(who, **fields):
    return InviteFactory(email=f"{who}@example.com", sent_at=AGO, **fields)


def press(desk, action, invites=(), query="", **more):
    form = {"action": action, "index": "0", "_selected_action": [str(invite.pk) for invite in invites]}
    return desk.post(LIST + query, form | more, follow=True)


def found(desk, **query):
    return sorted(row.email.partition("@")[0] for row in desk.get(LIST, query).context["cl"].result_list)


def written(page):
    """Returns the rows of a downloaded CSV file."""
    return list(csv.DictReader(StringIO(b"".join(page.streaming_content).decode("utf-8-sig"))))


@pytest.mark.parametrize(("email", "letter"), [("аda@example.com", "а"), ("n@еxample.com", "е")])
def test_a_letter_that_only_looks_like_another_is_named(desk, email, letter):
    assert f"“{letter}” " in words(check(desk, email))
    assert not Invite.objects.exists()


def test_fifty_invitations_cost_as_many_statements_as_one(desk):
    def cost():
        with CaptureQueriesContext(connection) as statements:
            assert desk.get(LIST).status_code == 200
        return len([query for query in statements if 'FROM "accounts_session"' not in query["sql"]])

    Invite.objects.issue("guest@example.com", source="admin")
    desk.get(LIST)
    one = cost()
    for n in range(49):
        Invite.objects.issue(f"guest{n}@example.com", source="admin")

    assert cost() == one
    assert len(found(desk)) == 50


@pytest.fixture
def one_of_each(ada):
    invited("pending")
    invited("accepted", accepted_at=NOW, accepted_by=ada)
    invited("declined", declined_at=NOW)
    invited("revoked", revoked_at=NOW)
    invited("expired", expires_at=NOW - timedelta(days=1), replaced_at=NOW)


@pytest.fixture
def helper(db):
    """The browser of a member of staff who may see invitations but change none."""
    UserFactory(username="helper", is_staff=True).user_permissions.set(
        Permission.objects.filter(codename="view_invite")
    )
    client = Client()
    client.post("/login", {"login": "helper", "password": PASSWORD})
    return client


def test_invitations_are_found_by_their_state(desk, one_of_each):
    for state in Invite.State:
        assert found(desk, state=state) == [state.value]
    tags = re.findall(r'<span class="tag[^"]*">([^<]+)</span>', desk.get(LIST).text)
    assert sorted(tags) == ["Accepted", "Declined", "Expired", "Not opened yet", "Withdrawn"]


@pytest.fixture
def many(desk, monkeypatch):
    """More people called Anna than one search finds, and two of them have accepted."""
    monkeypatch.setattr(word_search, "FOUND", 5)
    for n in range(12):
        invited(f"anna{n}", name="Anna")
    for n in range(2):
        invited(f"ann_in{n}", name="Anna", accepted_at=NOW)


def test_a_filter_finds_all_its_rows_however_many_others_fit_the_search(desk, many):
    assert found(desk, q="anna", state="accepted") == ["ann_in0", "ann_in1"]
    assert "Very many fit" not in words(desk.get(LIST, {"q": "anna", "state": "accepted"}))


def test_a_search_that_leaves_rows_out_says_so_and_no_action_is_for_all(desk, many, mailbox):
    query = "?q=anna&state=pending"

    page = desk.get(LIST + query)
    assert "Very many fit. Only 5 of them were looked at, so some are missing here." in words(page)

    for more in ({}, {"confirmed": "5"}):
        page = press(desk, "revoke", query=query, select_across="on", **more)
        assert "More than 5 fit the search, so not all were found. Nothing was done." in words(page)
    assert Invite.objects.pending().count() == 12

    page = press(desk, "extend", Invite.objects.pending(), query=query)
    assert "12 invitations extended" in words(page)


def test_invitations_are_found_by_end_time_source_language_inviter_and_batch(desk, ada):
    invited("soon", language="ru", batch="b_1", expires_at=NOW + timedelta(hours=47))
    invited("passed", invited_by=ada, source="csv", expires_at=AGO)
    invited("later", source="command", language="en")

    assert found(desk, state="ending") == ["soon"]
    assert found(desk, state="expired") == ["passed"]
    assert found(desk, created="1d") == found(desk, created=f"{timezone.localtime():%Y-%m}") == found(desk)
    assert found(desk, source="csv") == found(desk, invited_by=str(ada.pk)) == ["passed"]
    assert found(desk, language="ru") == found(desk, batch="b_1") == ["soon"]
    batch = Batch.objects.create(name="Autumn cohort")
    assert found(desk, batch=batch.pk) == []
    assert "Autumn cohort" in words(desk.get(LIST, {"batch": batch.pk}))
    assert "a list" in words(desk.get(LIST, {"batch": "b_1"})), "which is pruned"
    assert found(desk, q=" Later@Example.com") == ["later"]
    assert f'<a href="{LIST}?invited_by={ada.pk}">ada</a>' in desk.get(LIST).text


def test_a_month_lists_only_invitations_made_in_it(desk):
    last_month = (timezone.localtime().replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    invited("new")

    assert found(desk, created=last_month) == []


def test_counts_are_capped_and_no_statement_reads_more_than_it_shows(desk, monkeypatch):
    monkeypatch.setattr(list_filter, "COUNTED", 2)
    monkeypatch.setattr("kit.paging.SHOWN", 3)
    monkeypatch.setattr("invites.desk.InviteAdmin.list_per_page", 1)
    for name in "abcd":
        invited(name)

    with CaptureQueriesContext(connection) as queries:
        page = desk.get(LIST)

    assert "Waiting <b>2+</b>" in page.text
    assert page.context["cl"].result_count == 3
    ours = [query["sql"] for query in queries if 'FROM "invites_invite"' in query["sql"]]
    assert ours
    of_the_page = '"invites_invite"."id" IN ('  # reads rows by ids that another statement has limited
    unlimited = [sql for sql in ours if sql.count('FROM "invites_invite"') > sql.count("LIMIT")]
    assert [sql for sql in unlimited if of_the_page not in sql] == []


def test_an_unknown_filter_selects_nothing_and_leads_back_to_the_list(desk):
    invite, nobody = invited("grace"), "00000000-0000-7000-8000-000000000000"

    for query in ("state=x", "created=1999-01", "invited_by=x", f"invited_by={nobody}", "batch=", "batch=b_2"):
        assert desk.get(f"{LIST}?{query}").url.endswith("?e=1")
        press(desk, "revoke", [invite], f"?{query}", confirmed="1")

    assert Invite.objects.pending().exists()


@pytest.mark.parametrize("common", [{"accepted_at": NOW}, {"declined_at": NOW}])
def test_every_rare_state_is_found_by_an_index(common):
    rare = {
        "pending": {},
        "accepted": {"accepted_at": NOW},
        "declined": {"declined_at": NOW},
        "revoked": {"revoked_at": NOW},
        "expired": {"expires_at": AGO},
    }
    given = [common] * 2500 + list(rare.values())
    later = {"expires_at": NOW + timedelta(days=1)}
    Invite.objects.bulk_create(
        [
            Invite(email=f"guest{number}@example.com", source="admin", **later | terms)
            for number, terms in enumerate(given)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("REINDEX TABLE invites_invite")  # other tests may have left long indexes, which would seem dear
        cursor.execute("ANALYZE invites_invite")

    for state in [state for state, terms in rare.items() if terms != common]:
        plan = Invite.objects.in_state(state).order_by("-id")[:50].explain()
        assert "Seq Scan" not in plan
        assert "invites_invite_pkey" not in plan, state  # that one would be read from end to end


def test_send_again_reports_the_sent_and_the_skipped_with_reasons(desk, mailbox, ada, one_of_each):
    invited("just")
    Invite.objects.filter(email="just@example.com").update(sent_at=timezone.now())
    Suppression.objects.suppress("gone@example.com", "550 5.1.1")
    invited("gone")

    page = press(desk, "resend", Invite.objects.all(), confirmed="1")

    again = times.clock(
        (Invite.objects.get(email="just@example.com").sent_at + timedelta(minutes=1) + timedelta(minutes=1)).replace(
            second=0
        )
    )
    assert "2 invitations are on their way. 5 skipped: " in words(page)
    for reason in (
        "1 accepted already",
        "1 withdrawn",
        "1 replaced by a newer one",
        "1 no mail goes to the address",
        f"1 sent less than a minute ago: try again at {again}",
    ):
        assert reason in words(page)
    assert mailbox.link("pending@example.com")
    assert mailbox.link("declined@example.com")


def test_two_admins_press_send_again_and_one_mail_goes(desk, mailbox):
    invite = invited("grace")
    other = Client()
    UserFactory(username="otto", is_staff=True, is_superuser=True)
    other.post("/login", {"login": "otto", "password": PASSWORD})

    assert "1 invitation is on its way." in words(press(desk, "resend", [invite], confirmed="1"))
    late = words(press(other, "resend", [invite], confirmed="1"))
    assert "Nothing was sent. 1 skipped: 1 sent less than a minute ago: try again at" in late

    assert len(mailbox.letters(invite.email)) == 1
    assert Event.objects.filter(kind="resent", about=invite.pk).count() == 1


def test_links_asked_for_and_owner_links_cannot_be_sent_again(desk, mailbox):
    own, owner = LinkFactory(), LinkFactory(purpose="owner")
    assert found(desk) == []

    page = press(desk, "resend", [own, owner], confirmed="1")

    assert "Nothing was sent." in words(page)
    assert not mailbox.letters(own.email) + mailbox.letters(owner.email)


def test_filters_are_in_words_of_the_reader(desk):
    with time_machine.travel(datetime(2026, 11, 30, 12, tzinfo=UTC), tick=False):
        desk.post("/login", {"login": "olga", "password": PASSWORD})
        page = words(desk.get(LIST))

    assert "November 2026" in page
    assert "2026-11" not in page
    assert "Came by Any at the desk from a list by a command by a member" in page


@pytest.fixture
def promised(db):
    """Two invitations: one into a group that grants a permission, and one into a group that grants none."""
    admins, readers = (Group.objects.create(name=name) for name in ("Admins", "Readers"))
    admins.permissions.add(Permission.objects.get(codename="add_invite"))
    return invited("grace", groups=[admins, readers]), invited("alan", groups=[readers])


def on_the_page(desk, action, invite, **more):
    return desk.post(f"{LIST}{invite.pk}/change/", {"action": action, **more}, follow=True)


WAYS = {
    "ticked": press,
    "all found": lambda desk, action, _some: press(desk, action, select_across="on"),
    "on the page": lambda desk, action, some: on_the_page(desk, action, some[0]),
}


@pytest.mark.parametrize("action", ["resend", "extend"])
@pytest.mark.parametrize("way", WAYS)
def test_renewing_the_promise_of_a_group_that_grants_permissions_asks_for_proof(desk, promised, action, way):
    power, _plain = promised
    with time_machine.travel(timezone.now() + timedelta(minutes=50)):
        assert "Is it still you?" in WAYS[way](desk, action, promised).text
    assert Invite.objects.get(pk=power.pk).expires_at == power.expires_at


@pytest.mark.parametrize("action", ["resend", "extend", "revoke"])
def test_anything_else_asks_for_none(desk, promised, action):
    power, plain = promised
    with time_machine.travel(timezone.now() + timedelta(minutes=50)):
        assert "Is it still you?" not in press(desk, action, [plain]).text
        assert "Is it still you?" not in press(desk, "revoke", [power, plain]).text


def test_extend_gives_seven_more_days_and_no_mail(desk, mailbox, admin_user):
    invite = invited("grace")

    page = press(desk, "extend", [invite])

    assert "1 invitation extended by as long as it was to last." in words(page)
    assert Invite.objects.get().expires_at == invite.expires_at + timedelta(days=7)
    assert not mailbox.letters(invite.email)
    assert Event.objects.get(about=invite.pk).user == admin_user


def test_withdraw_lists_the_addresses_first_and_then_their_links_are_dead(desk, client, mailbox):
    Invite.objects.issue("grace@example.com", source="admin")
    path = mailbox.link("grace@example.com")
    other = invited("other")

    asked = press(desk, "revoke", Invite.objects.all())
    assert "Withdraw 2 invitations? Their links stop working straight away." in words(asked)
    assert "grace@example.com" in words(asked)
    assert Invite.objects.pending().count() == 2

    page = press(desk, "revoke", Invite.objects.all(), confirmed="2")
    assert "2 withdrawn. Their links no longer work." in words(page)
    assert client.get(path).status_code == 410
    other.refresh_from_db()
    assert other.revoked_at


def test_an_invitation_accepted_before_the_confirmation_stays_accepted(desk, client, mailbox):
    invite = Invite.objects.issue("grace@example.com", source="admin")
    press(desk, "revoke", [invite])
    invite.links.get().sign_up("grace", password=PASSWORD)

    page = press(desk, "revoke", [invite], confirmed="1")

    assert "Nothing was withdrawn. 1 skipped: 1 accepted already." in words(page)
    assert User.objects.get(username="grace").is_active


def test_all_that_is_found_can_be_chosen_without_ticks_or_a_script(desk):
    invited("a", batch="b_1")
    invited("b", batch="b_1")
    invited("c")
    asked = press(desk, "revoke", query="?batch=b_1", select_across="on")
    assert 'name="select_across" value="on"' in asked.text
    assert "c@example.com" not in words(asked)

    invited("d", batch="b_1")
    changed = press(desk, "revoke", query="?batch=b_1", select_across="on", confirmed="2")
    assert "The list has changed meanwhile. Nothing was withdrawn." in words(changed)
    press(desk, "revoke", query="?batch=b_1", select_across="on", confirmed="3")

    assert found(desk, state="pending") == ["c"]


def test_too_many_at_once_are_refused_with_words(desk, monkeypatch):
    monkeypatch.setattr(long_lists, "AT_ONCE", 1)
    invited("a")
    invited("b")

    page = press(desk, "resend", select_across="on")

    assert "More than 1 were found. Nothing was done." in words(page)
    assert not OutboxMessage.objects.filter(kind="invite").exists()


def test_invalid_ids_are_explained(desk):
    page = desk.post(LIST, {"action": "resend", "index": "0", "_selected_action": "x' OR 1"}, follow=True)

    assert "What you ticked could not be read. Nothing was done." in words(page)


def test_a_spreadsheet_runs_no_formula_of_an_export(desk, ada):
    names = ["=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx", "Grace"]
    for number, name in enumerate(names):
        invited(f"guest{number}", name=name, invited_by=ada, batch="b_1", opened_at=NOW)

    page = press(desk, "export", Invite.objects.all())

    rows = written(page)
    assert [row["name"] for row in reversed(rows)] == [f"'{name}" for name in names[:-1]] + ["Grace"]
    assert tuple(rows[0]) == exports.COLUMNS
    assert (rows[0]["state"], rows[0]["invited_by"], rows[0]["opened"]) == (
        "pending",
        "ada",
        f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
    )
    assert "attachment" in page["Content-Disposition"]


def test_a_longer_file_takes_a_few_statements_for_each_chunk(desk, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK", 3)
    for number in range(7):
        Invite.objects.issue(f"guest{number}@example.com", source="admin")
    page = press(desk, "export", select_across="on")

    with CaptureQueriesContext(connection) as queries:
        rows = written(page)

    assert len(rows) == len({row["email"] for row in rows}) == 7
    assert rows[0]["delivery"] == "queued"
    assert len(queries) == 6


def test_staff_who_may_only_look_can_do_nothing(helper, mailbox):
    invite = invited("grace")

    assert "Send again" not in helper.get(LIST).text
    for action in ("resend", "extend", "revoke"):
        press(helper, action, [invite], confirmed="1")
        helper.post(f"{LIST}{invite.pk}/change/", {"CHANGE_FORM-action": action, "_selected_action": str(invite.pk)})

    assert list(Invite.objects.values_list("revoked_at", "expires_at", "sends")) == [(None, invite.expires_at, 0)]
    assert not mailbox.letters(invite.email)


def test_a_domain_with_foreign_letters_shows_its_ascii_form_too(desk):
    InviteFactory(email="ada@xn--mnchen-3ya.de")

    assert '<span title="ada@xn--mnchen-3ya.de">ada@münchen.de</span>' in desk.get(LIST).text


def test_no_token_is_on_the_list_the_question_or_in_the_file(desk):
    invite = Invite.objects.issue("grace@example.com", source="admin")

    pages = [desk.get(LIST).text, press(desk, "revoke", [invite]).text]
    pages.append(b"".join(press(desk, "export", [invite]).streaming_content).decode())

    for page in pages:
        assert "grace@example.com" in page
        assert "token" not in re.sub("csrfmiddlewaretoken", "", page)


@pytest.fixture
def chased(desk, admin_user, ada):
    """Invitations that a mail brought, did not bring, or has yet to bring."""

    def issue(who, by=ada, **fields):
        invite = Invite.objects.issue(f"{who}@example.com", source="admin", invited_by=by)
        Invite.objects.filter(pk=invite.pk).update(**fields)
        return OutboxMessage.objects.get(about=invite.pk)

    issue("unopened").mark_sent()
    issue("queued", by=admin_user)
    issue("late").mark_failed("452 4.2.2 Mailbox full")
    issue("opened", opened_at=AGO).mark_sent()
    issue("ending", opened_at=AGO, expires_at=NOW + timedelta(hours=40)).mark_sent()
    issue("refused").give_up("550 5.1.1 No such user")
    issue("back", opened_at=AGO).mark_sent()
    OutboxMessage.objects.get(recipient="back@example.com").mark_bounced("550 5.1.1 No such user")
    issue("accepted", accepted_at=NOW).give_up("550 5.1.1 No such user")
    issue("expired", expires_at=AGO).mark_sent()


CHIPS = {
    "pending": ["back", "ending", "late", "opened", "queued", "refused", "unopened"],
    "unopened": ["late", "queued", "unopened"],
    "opened": ["ending", "opened"],
    "undelivered": ["back", "refused"],
    "ending": ["ending"],
    "accepted": ["accepted"],
    "mine": ["queued"],
}


TITLES = ["Waiting", "Not opened", "Opened, not accepted", "Not delivered", "End in 48 hours", "Accepted", "Mine"]


def test_chips_find_who_needs_what_and_count_them(desk, chased):
    text = desk.get(LIST).text

    assert ">All <b>9</b></a>" in text
    for title, (state, who) in zip(TITLES, CHIPS.items(), strict=True):
        assert found(desk, state=state) == who
        assert f'<a href="?state={state}">{title} <b>{len(who)}</b></a>' in text


def test_the_state_in_words_is_that_of_the_chip(desk, chased):
    text = desk.get(LIST).text
    tags = {}
    for row in text.split("<tr>")[2:]:
        who = re.search(r">(\w+)@example.com<", row)[1]
        tags.setdefault(re.search(r'<span class="tag[^"]*">([^<]+)<', row)[1], []).append(who)

    assert {words_: sorted(who) for words_, who in tags.items()} == {
        "Not opened yet": CHIPS["unopened"],
        "Opened": CHIPS["opened"],
        "Not delivered": CHIPS["undelivered"],
        "Accepted": ["accepted"],
        "Expired": ["expired"],
    }


def test_one_chip_is_chosen_and_none_is_counted_where_more_narrows_the_list(desk, chased):
    chosen = desk.get(LIST, {"state": "opened"}).text
    assert '<a href="?state=opened" aria-current="true">Opened, not accepted <b>2</b></a>' in chosen
    assert chosen.partition("More filters")[0].count('aria-current="true"') == 1

    narrowed = desk.get(LIST, {"q": "ending", "state": "opened"})
    assert '<a href="?q=ending&amp;state=pending">Waiting</a>' in narrowed.text
    assert found(desk, q="ending", state="opened") == ["ending"]
    assert found(desk, q="ending", state="accepted") == []


def test_all_chips_are_counted_in_one_statement(desk, chased):
    with CaptureQueriesContext(connection) as queries:
        desk.get(LIST)

    counting = [query["sql"] for query in queries if "counted)" in query["sql"]]
    assert len(counting) == 1
    assert counting[0].count("LIMIT 1001") == 8


def test_an_end_that_is_near_has_a_tag_and_an_answered_invitation_none(desk, chased):
    cell = r'>(\w+)@example.com<.*?field-end"><span class="lbl">Ends: </span>(.*?)</td>'
    ends = dict(re.findall(cell, desk.get(LIST).text))
    assert [who for who, end in ends.items() if '<span class="tag warn">' in end] == ["ending"]
    assert ends["accepted"] == "–"
    assert ">today, " in ends["expired"] or "min ago" in ends["expired"] or ">yesterday" in ends["expired"]


def test_invitations_are_found_by_their_group(desk):
    group = Group.objects.create(name="Editors")
    invited("in", groups=[group])
    invited("out")

    assert found(desk, group=group.pk) == ["in"]
    assert ">Editors</td>" in desk.get(LIST).text


@pytest.fixture
def three(ada):
    maria = UserFactory(username="maria")
    invited("b", name="Zoe", expires_at=NOW + timedelta(days=2), opened_at=NOW - timedelta(hours=3), invited_by=maria)
    invited("c", expires_at=NOW + timedelta(days=1))
    invited("a", name="adam", expires_at=NOW + timedelta(days=5), opened_at=AGO, invited_by=ada)


def order(desk, **query):
    return "".join(row.email[0] for row in desk.get(LIST, query).context["cl"].result_list)


ORDERS = {"address": ("abc", "cba"), "end": ("cba", "abc"), "name": ("abc", "bac"), "opened": ("abc", "bac")}
ORDERS |= {"inviter": ("abc", "bac"), "": ("acb", "acb")}


@pytest.mark.parametrize("narrowed", [{}, {"state": "pending"}, {"q": "@example.com"}])
@pytest.mark.parametrize("column", ORDERS)
def test_heads_sort_the_list_both_ways(desk, three, narrowed, column, monkeypatch):
    up, down = ORDERS[column]

    assert order(desk, **narrowed, o=column) == up
    assert order(desk, **narrowed, o=f"-{column}") == down if column else True
    monkeypatch.setattr("invites.desk.InviteAdmin.list_per_page", 1)
    assert "".join(order(desk, **narrowed, o=column, p=n) for n in (1, 2, 3)) == up


def test_the_head_says_how_the_list_is_sorted_and_turns_it_round(desk, three):
    assert '<th scope="col"><div class="text"><a href="?o=end">Ends</a>' in desk.get(LIST).text
    up, down = desk.get(LIST, {"o": "end"}).text, desk.get(LIST, {"o": "-end", "state": "pending"}).text

    assert '<th scope="col" class="sorted" aria-sort="ascending"><div class="text"><a href="?o=-end">' in up
    assert 'aria-sort="descending"><div class="text"><a href="?o=end&amp;state=pending">' in down
    assert 'aria-sort="descending"' in desk.get(LIST, {"o": "opened"}).text  # the latest first
    assert "<span>Delivery</span>" in up


def test_a_list_too_long_to_be_sorted_stands_newest_first_and_says_so(desk, three, monkeypatch):
    monkeypatch.setattr("kit.paging.SHOWN", 2)
    monkeypatch.setattr("invites.desk.InviteAdmin.list_per_page", 1)
    said = "Too many were found to sort them by this column. They stand newest first."

    assert said not in words(desk.get(LIST, {"o": "end"}))
    assert order(desk, o="end") + order(desk, o="end", p=2) == "cb"  # by its index
    for query in ({"o": "name"}, {"o": "end", "state": "pending"}):
        page = desk.get(LIST, query)
        assert said in words(page)
        assert order(desk, **query) + order(desk, **query, p=2) == "ac"
    assert "o=name" not in desk.get(LIST).text
    assert "o=end" in desk.get(LIST).text
    assert "o=end" not in desk.get(LIST, {"state": "pending"}).text


def test_the_pager_says_where_one_is_and_leads_on(desk, three, monkeypatch):
    assert "1–3 of 3 invitations" in words(desk.get(LIST))
    monkeypatch.setattr("invites.desk.InviteAdmin.list_per_page", 2)

    first, last = desk.get(LIST), desk.get(LIST, {"p": 2})

    assert "1–2 of 3 invitations · Show all Newer · Older" in words(first)
    assert '<a href="?p=2">Older</a>' in first.text
    assert "3–3 of 3 invitations · Show all Newer · Older" in words(last)
    assert '<a href="?p=1">Newer</a>' in last.text
    assert "Previous · Next" in words(desk.get(LIST, {"o": "end"}))
    assert "Nothing fits." in words(desk.get(LIST, {"q": "nobody"}))


def test_more_than_pages_reach_are_not_counted_to_the_end(desk, three, monkeypatch):
    monkeypatch.setattr("kit.paging.SHOWN", 2)
    monkeypatch.setattr("invites.desk.InviteAdmin.list_per_page", 1)

    assert "1–1 of 2+ invitations" in words(desk.get(LIST))
    assert "All 2+ found, not only the ticked" in words(desk.get(LIST))


def test_on_phones_each_row_is_a_card_with_labels(desk, three):
    text = desk.get(LIST).text

    assert '<div class="results" role="region" tabindex="0" aria-label="Invitations">' in text
    assert '<table id="result_list" class="cards">' in text
    row = next(row for row in text.split("<tr>") if "b@example.com" in row)
    assert '<span class="lbl">Name: </span>Zoe' in row
    assert '<td class="empty field-into"><span class="lbl">Group or app: </span>–</td>' in row
    assert '<td class="box"><input type="checkbox"' in row
    assert 'aria-label="Select b@example.com"' in row
    assert '<td class="box"></td>' in text.partition("</thead>")[0]  # no box ticks all: that takes a script


def test_actions_are_buttons(desk, three):
    text = desk.get(LIST).text

    assert "<select" not in text
    buttons = re.findall(r'<button class="btn tight (\w+)" name="action" value="(\w+)">([^<]+)</button>', text)
    assert [label for _tone, _value, label in buttons] == ["Remind", "Send again", "Extend", "Export", "Withdraw"]
    assert [value for tone, value, _label in buttons if tone == "danger"] == ["revoke"]


def test_a_press_with_nothing_ticked_says_so_and_stays_on_the_page(desk, three):
    page = desk.post(f"{LIST}?state=pending", {"action": "resend", "index": "0"})
    assert page.url == f"{LIST}?state=pending"

    assert "Nothing is ticked, so nothing was done." in words(desk.get(page.url))
    assert not OutboxMessage.objects.filter(kind="invite").exists()


def test_all_found_on_a_second_page_of_a_sorted_and_filtered_list_are_taken(desk, three, monkeypatch):
    monkeypatch.setattr("invites.desk.InviteAdmin.list_per_page", 1)
    invited("gone", declined_at=NOW)

    press(desk, "extend", query="?state=pending&o=-end&p=2", select_across="on")

    assert Invite.objects.open().filter(expires_at__gt=NOW + timedelta(days=7)).count() == 3
    assert Invite.objects.get(email="gone@example.com").expires_at < NOW + timedelta(days=8)
