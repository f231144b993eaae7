"""The desk's home: numbers that lead to lists, what needs somebody, what has just happened, for whoever may see it."""

import re
import time
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import Event, User
from invites.link.readdressing import Readdressing
from invites.models import Batch, Entry, Invite, MagicLink, in_step
from outbox.mail import lateness
from outbox.models import OutboxMessage, Suppression, Webhook
from tests.tools.desk import invite as compose
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

HOME = "/admin/"
LISTS = "/admin/invites/invite/"
UNKNOWN = "550 5.1.1 <nobody@example.org>: Recipient address rejected: User unknown"


@pytest.fixture(autouse=True)
def fresh_watch(monkeypatch):
    """Has each test measure the lateness of mail, as a process does that has just started."""
    monkeypatch.setattr(lateness, "watch", lateness.Watch())


def browser(person):
    client = Client()
    assert client.post("/login", {"login": person.username, "password": PASSWORD}).status_code == 302
    return client


def staff(*permissions):
    """Returns the browser of a member of staff with these permissions and no others."""
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return browser(person)


def mailed(email, *, invite=None, **mail):
    """Makes an invitation whose newest mail is as `mail` says, and returns it; `invite` are its own columns."""
    row = InviteFactory(email=email, **(invite or {}))
    OutboxMessage.objects.create(recipient=email, kind="invite", about=row.pk, message_id=f"<{email}>", **mail)
    return row


def bounced(email, answer=UNKNOWN):
    now = timezone.now()
    return mailed(email, sent_at=now, bounced_at=now, last_answer=answer, attempts=1)


def ending(email, **fields):
    return InviteFactory(email=email, expires_at=timezone.now() + timedelta(hours=20), **fields)


def wanted_elsewhere(email="kim@work.example", to="kim@home.example", **fields):
    invite = InviteFactory(email=email, invited_by=UserFactory(), **fields)
    Readdressing(invite).ask(to)
    return invite


def pause_a_webhook(host="billing.example"):
    webhook = Webhook(url=f"https://{host}/hook")
    webhook.store_new()
    webhook.pause()


def delay_mail():
    long_ago = timezone.now() - timedelta(minutes=21)
    OutboxMessage.objects.create(recipient="late@example.com", kind="reset", message_id="<late>", created_at=long_ago)


def fill_home(ada):
    """Makes something for every part of the page; `ada` accepts an invitation."""
    bounced("nobody@example.org")
    ending("soon@example.com", opened_at=timezone.now())
    ending("later@example.com")
    wanted_elsewhere(name="Kim")
    pause_a_webhook()
    delay_mail()
    taken = InviteFactory(email=ada.email, invited_by=UserFactory(username="maria"))
    taken.accept(ada)
    MagicLink.objects.issue("grace@example.com")
    Batch.objects.create()
    Group.objects.create(name="Editors")
    Suppression.objects.suppress("dead@example.com", "550 5.1.1 No such user")


@pytest.fixture
def busy(ada):
    fill_home(ada)


def tiles(page):
    """Returns the tiles: by what each counts, its number and the list it leads to."""
    found = re.findall(r'<a href="([^"]+)"><b>([^<]+)</b> ([^<]+)</a>', page.text)
    return {label: (number, unescape(url)) for url, number, label in found}


def lines(page):
    """Returns what needs somebody: of each line its title, its reason, its button, and where that leads."""
    (part,) = re.findall(r"<h2>Needs you</h2>.*?</section>", page.text, re.DOTALL)
    line = r'<b>(.*?)</b><br>\s*<span class="quiet">(.*?)</span></div><a class="btn alt tight" href="(.*?)">(.*?)</a>'
    found = re.findall(line, part)
    return [[unescape(text) for text in (title, why, button, url)] for title, why, url, button in found]


def titles(page):
    return [title for title, *_others in lines(page)]


def links(page):
    return set(re.findall(r'<li><a href="([^"]+)">', page.text))


# Numbers


def test_each_number_is_that_of_the_list_it_leads_to(desk, busy):
    found = tiles(desk.get(HOME))

    assert {label: number for label, (number, _url) in found.items()} == {
        "waiting for an answer": "4",
        "not delivered": "1",
        "ending in 48 hours": "2",
        "accepted this week": "1",
        "requests to join": "0",
        "mail waits at most": "22 min",
    }
    for label in ("waiting for an answer", "not delivered", "ending in 48 hours", "accepted this week"):
        number, url = found[label]
        assert desk.get(url).context["cl"].result_count == int(number), label
    assert desk.get(found["mail waits at most"][1]).status_code == 200


def test_an_acceptance_counts_for_a_week(desk, ada):
    with time_machine.travel(timezone.now() - timedelta(days=7, minutes=1)):
        InviteFactory(email=ada.email).accept(ada)
    InviteFactory(email=ada.email).accept(ada)

    assert tiles(desk.get(HOME))["accepted this week"][0] == "1"


def test_what_was_withdrawn_needs_nobody_though_its_mail_came_back(desk):
    Invite.objects.filter(pk=bounced("nobody@example.org").pk).revoke()

    page = desk.get(HOME)

    assert tiles(page)["not delivered"][0] == "0"
    assert lines(page) == []


def test_nothing_is_counted_beyond_a_thousand(desk):
    until = timezone.now() + timedelta(days=5)
    rows = [Invite(email=f"guest{n}@example.com", source="csv", expires_at=until) for n in range(1001)]
    Invite.objects.bulk_create(rows)

    page = desk.get(HOME)

    assert tiles(page)["waiting for an answer"][0] == "1,000+"
    assert "All invitations 1,000+" in words(page)


def test_lists_that_were_not_sent_are_not_counted_as_sent_together(desk, ada):
    Batch.objects.create(begun_at=timezone.now())
    for _ in range(2):
        Batch.objects.create()
    InviteFactory()

    page = desk.get(HOME)

    assert "Sent together 1" in words(page)
    assert desk.get("/admin/invites/batch/").context["cl"].result_count == 1


def test_the_numbers_of_all_staff_are_counted_once_in_thirty_seconds(desk, busy):
    other = staff("view_invite")
    desk.get(HOME)
    InviteFactory()

    assert tiles(other.get(HOME))["waiting for an answer"][0] == "4"
    assert cache.ttl("desk:numbers") in {29, 30}
    cache.clear()
    assert tiles(other.get(HOME))["waiting for an answer"][0] == "5"


def test_numbers_in_the_cache_that_nobody_of_ours_has_stored_are_counted_again(desk, busy, subtests):
    desk.get(HOME)
    for value in ("x", 7, [], {}, {"invitations": None}, [["x"]]):
        with subtests.test(value):
            for key in ("numbers", "came-back-why:en", f"chart:{timezone.localdate()}:UTC"):
                cache.set(f"desk:{key}", value)
            cache.set("doctor", value)

            assert tiles(desk.get(HOME))["waiting for an answer"][0] == "4"


# What needs somebody


def test_nothing_waits(desk, ada):
    page = desk.get(HOME)

    assert lines(page) == []
    assert "Nothing waits for you." in words(page)


def test_invitations_that_came_back_for_one_reason_are_told_with_their_domain(desk):
    for email in ("nobody@example.org", "noone@example.org"):
        bounced(email)

    ((title, why, _button, _url),) = lines(desk.get(HOME))

    assert title == "2 invitations came back"
    assert why == "“Mailbox does not exist” at example.org. Check the addresses and send them again."


def test_invitations_that_came_back_are_told_with_each_reason_and_its_number(desk):
    for email in ("nobody@example.org", "noone@example.org"):
        bounced(email)
    bounced("full@bell.example", "552 5.2.2 Mailbox full")
    mailed("put-off@example.org", attempts=3, last_answer="452 4.2.2 Mailbox full")

    ((title, why, button, url),) = lines(desk.get(HOME))

    assert title == "3 invitations came back"
    assert why == "“Mailbox does not exist”: 2, “Mailbox full”: 1. Check the addresses and send them again."
    assert button == "Mend and send"
    assert "nobody@example.org" in desk.get(url).text


def test_mail_that_is_put_off_needs_nobody(desk):
    mailed("put-off@example.org", attempts=3, last_answer="452 4.2.2 Mailbox full")

    page = desk.get(HOME)

    assert tiles(page)["not delivered"][0] == "0"
    assert lines(page) == []


def test_an_invitation_whose_later_mail_arrived_has_not_come_back(desk):
    row = bounced("nobody@example.org")
    again = {"recipient": row.email, "kind": "invite", "about": row.pk, "message_id": "<2>"}
    OutboxMessage.objects.create(**again, sent_at=timezone.now())

    assert lines(desk.get(HOME)) == []


def test_invitations_that_end_soon_are_told_with_how_many_were_opened(desk):
    ending("soon@example.com", opened_at=timezone.now())
    assert titles(desk.get(HOME)) == ["1 invitation ends in 48 hours"]
    for n in range(2):
        ending(f"later{n}@example.com")
    cache.clear()

    ((title, why, button, url),) = lines(desk.get(HOME))

    assert (title, why) == ("3 invitations end in 48 hours", "Opened: 1. Not opened yet: 2.")
    assert button == "Remind them"
    assert desk.get(url).context["cl"].result_count == 3


def test_who_wants_the_invitation_at_another_address_is_named(desk, subtests):
    invite = wanted_elsewhere(name="Kim")
    wanted_elsewhere("ann@xn--mnchen-3ya.de", "ann@home.example")

    kim, ann = lines(desk.get(HOME))

    assert kim == [
        "Kim asks for another address",
        "Invited as kim@work.example, signed in as kim@home.example.",
        "Decide",
        f"{LISTS}{invite.pk}/change/",
    ]
    assert ann[:2] == [
        "ann@münchen.de asks for another address",
        "Invited as ann@münchen.de, signed in as ann@home.example.",
    ]
    assert desk.get(kim[3]).status_code == 200
    for answer in ("approve", "refuse"):
        with subtests.test(answer):
            getattr(Readdressing(Invite.objects.readdressing()[0]), answer)()
            cache.clear()
            assert ("Kim asks for another address" in titles(desk.get(HOME))) is False


def test_an_ended_invitation_needs_no_decision(desk):
    invite = wanted_elsewhere()
    Invite.objects.filter(pk=invite.pk).update(expires_at=timezone.now())

    assert lines(desk.get(HOME)) == []


def test_late_mail_is_told_with_what_to_do(desk, ada):
    delay_mail()

    ((title, why, button, url),) = lines(desk.get(HOME))

    assert title == "Mail is late"
    assert why == "The oldest has waited for 21 minutes. See that manage.py deliver_mail runs."
    assert button == "See the mail"
    assert "late@example.com" in desk.get(url).text


def test_paused_webhooks_are_told(desk, ada):
    pause_a_webhook()

    ((title, _why, _button, url),) = lines(desk.get(HOME))

    assert title == "1 webhook is slow or away"
    assert "billing.example" in desk.get(url).text
    Webhook.objects.get().turn_off()
    cache.clear()
    assert lines(desk.get(HOME)) == []


def no_server(settings, closed_port):
    host, port = closed_port
    options = {"host": host, "port": port, "timeout": 5}
    settings.MAILERS = settings.MAILERS | {
        "delivery": {"BACKEND": "outbox.mail.smtp.SmtpBackend", "OPTIONS": options},
    }
    return f"{host}:{port}"


def test_what_doctor_found_last_is_told_in_its_words_for_a_day(desk, ada, settings, closed_port):
    server = no_server(settings, closed_port)
    with pytest.raises(CommandError):
        call_command("doctor", verbosity=0)

    page = desk.get(HOME)

    found = re.search(r'<div class="grow" lang="en"><b>(.*?)</b><br>\s*<span class="quiet">(.*?)</span>', page.text)
    assert found[1].startswith(f"The mail server {server} does not accept us")
    assert "EMAIL_URL" in found[2]
    assert "See what waits" in words(page)
    assert "Checked by doctor: now" in words(page)
    assert server not in staff("view_invite").get(HOME).text
    assert cache.ttl("doctor") in {24 * 60 * 60, 24 * 60 * 60 - 1}
    cache.delete("doctor")
    assert lines(desk.get(HOME)) == []


def test_doctor_on_one_address_says_nothing_of_the_site(desk, ada):
    with pytest.raises(CommandError):
        call_command("doctor", "grace@example.com", verbosity=0)

    assert "Checked by doctor" not in words(desk.get(HOME))


def test_there_are_five_lines_at_most_the_worst_first(desk, busy):
    for n in range(4):
        wanted_elsewhere(f"guest{n}@work.example", f"guest{n}@home.example")

    assert titles(desk.get(HOME)) == [
        "Mail is late",
        "1 invitation came back",
        "2 invitations end in 48 hours",
        "1 webhook is slow or away",
        "Kim asks for another address",
    ]


# What has just happened


def just_now(page):
    (part,) = re.findall(r"<h2>Just now</h2>.*?</section>", page.text, re.DOTALL)
    return [unescape(said) for said in re.findall(r'<div class="grow">(.*?)<br>', part)]


def test_the_newest_events_are_told_in_sentences(desk, ada):
    maria = UserFactory(username="maria")
    invite = Invite.objects.issue("kim@work.example", source="admin", invited_by=maria)
    InviteFactory(email=ada.email, invited_by=maria).accept(ada)
    Invite.objects.filter(pk=invite.pk).revoke(maria)

    page = desk.get(HOME)

    assert just_now(page)[:3] == [
        "maria withdrew the invitation to kim@work.example",
        "ada accepted the invitation of maria",
        "maria invited kim@work.example",
    ]
    assert len(just_now(page)) == 5
    assert re.search(r'<time datetime="[^"]+" title="[^"]+">now</time>', page.text)


def test_a_list_and_an_account_made_by_an_invitation_are_one_line_each(desk, admin_user):
    for n in range(2):
        entries = [Entry(f"guest{n}-{m}@example.com") for m in range(4)]
        Invite.objects.issue_many(entries, source="csv", invited_by=admin_user, batch="b_1", leaving=in_step())
    grace = UserFactory(username="grace", beginning={"accepted": Invite.objects.first().pk})

    assert just_now(desk.get(HOME))[:2] == ["grace accepted the invitation of olga", "olga invited several people"]
    assert Event.objects.filter(user=grace).count() == 2
    assert "grace made an account" not in just_now(desk.get(HOME))


def test_a_list_that_was_sent_is_told_with_its_name_and_number(desk, admin_user):
    def people(number):
        return "\n".join(f"guest{n}@{number}.example" for n in range(number))

    compose(desk, people(7), name="Sales autumn")
    assert just_now(desk.get(HOME))[0] == "olga sent “Sales autumn” to 7 people"
    compose(desk, people(3))
    assert re.fullmatch(r"olga sent “List of \d+ \w+, \d\d:\d\d” to 3 people", just_now(desk.get(HOME))[0])
    compose(desk, "kim@work.example", name="Only Kim")
    assert just_now(desk.get(HOME))[0] == "olga invited kim@work.example"


def test_many_withdrawn_at_once_are_one_line(desk, admin_user):
    invites = [Invite.objects.issue(f"guest{n}@example.com", source="admin", invited_by=admin_user) for n in range(9)]
    Invite.objects.filter(pk__in=[invite.pk for invite in invites[:6]]).revoke(admin_user)

    assert just_now(desk.get(HOME))[:2] == ["olga withdrew several invitations", "olga invited several people"]

    Invite.objects.filter(pk__in=[invite.pk for invite in invites[6:]]).revoke(None)
    assert just_now(desk.get(HOME))[0] == "Several invitations were withdrawn"


def test_signing_in_is_no_news(desk, ada):
    for _ in range(6):
        Event.objects.record(Event.Kind.SIGNED_IN, ada, told=ada.email, way="password")

    assert not [said for said in just_now(desk.get(HOME)) if "signed in" in said]


# How it runs


def test_how_it_runs_is_told_without_asking_the_network(desk, ada, settings, closed_port):
    server = no_server(settings, closed_port)
    OutboxMessage.objects.all().delete()

    page = desk.get(HOME)

    assert "Mail Leaves within 1 minute. None waits." in words(page)
    assert f"Sender hello@testserver, through {server}" in words(page)
    assert re.search(r"Version \d+\.\d+\.\d+", words(page))
    assert lines(page) == []


def test_mail_that_waits_is_counted(desk, ada):
    OutboxMessage.objects.all().delete()
    delay_mail()

    assert "Leaves within 21 minutes. 1 mail waits." in words(desk.get(HOME))


# Who sees what


def test_each_list_is_linked_for_whoever_may_see_it_and_for_nobody_else(busy, rf, subtests):
    every = {
        model: reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        for model, opts in ((model, listed.opts) for model, listed in admin.site._registry.items())
    }
    chosen = ["view_invite", "view_user", "view_group", "view_event", "view_outboxmessage", "view_suppression"]
    for permissions in [*([name] for name in chosen), ["view_webhook"], ["add_invite"], ["view_user", "view_invite"]]:
        with subtests.test(permissions):
            client = staff(*permissions)
            request = rf.get(HOME)
            request.user = User.objects.order_by("-pk").first()
            page = client.get(HOME)

            open_ones = {
                url for model, url in every.items() if admin.site._registry[model].has_view_permission(request)
            }
            assert links(page) & set(every.values()) == open_ones
            assert open_ones
            for url in links(page) | {url for *_words, url in lines(page)}:
                assert client.get(unescape(url)).status_code == 200, url


def test_the_owner_is_led_to_every_list(desk, busy):
    options = [listed.opts for listed in admin.site._registry.values()]
    lists = {reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist") for opts in options}

    assert lists <= links(desk.get(HOME))


SEEN = {
    "view_invite": (
        {"waiting for an answer", "not delivered", "ending in 48 hours", "accepted this week"},
        set(),
        {"Invitations, last 30 days"},
    ),
    "view_invite change_invite": (
        {"waiting for an answer", "not delivered", "ending in 48 hours", "accepted this week"},
        {"1 invitation came back", "2 invitations end in 48 hours", "Kim asks for another address"},
        {"Invitations, last 30 days"},
    ),
    "view_outboxmessage": ({"mail waits at most"}, {"Mail is late"}, {"How it runs"}),
    "view_webhook": (set(), {"1 webhook is slow or away"}, set()),
    "view_event": (set(), set(), {"Just now"}),
    "view_user": (set(), set(), set()),
}


@pytest.mark.parametrize("permission", SEEN)
def test_staff_see_only_the_tiles_lines_and_panels_of_their_lists(busy, desk, permission):
    desk.get(HOME)  # all numbers are in the cache
    page = staff(*permission.split()).get(HOME)

    numbers, needs, panels = SEEN[permission]
    assert set(tiles(page)) == numbers
    assert set(titles(page)) == needs
    headings = set(re.findall("<h2>(.*?)</h2>", page.text))
    assert headings & {"Invitations, last 30 days", "How it runs", "Just now"} == panels


def test_only_whoever_may_invite_is_offered_to(busy):
    assert "/admin/invites/batch/add/" in staff("add_invite").get(HOME).text
    assert "/admin/invites/batch/add/" not in staff("view_invite").get(HOME).text


def test_whoever_may_only_invite_hears_nothing_of_the_lists_of_others(busy):
    assert "Sent together" in words(staff("add_invite").get(HOME))
    assert "Sent together 1" not in words(staff("add_invite").get(HOME))


def test_staff_without_any_right_are_told_so(busy):
    page = staff().get(HOME)

    assert "Nothing here is open to you yet" in words(page)
    assert (tiles(page), links(page)) == ({}, set())
    assert "Needs you" not in page.text


def test_one_search_finds_people_and_invitations(desk, busy):
    try:
        url = reverse("admin:search")
    except NoReverseMatch:
        assert "<search>" not in desk.get(HOME).text
        pytest.skip("the desk has no page that searches")
    assert f'action="{url}"' in desk.get(HOME).text
    assert desk.get(url, {"q": "ada"}).status_code == 200
    assert f'action="{url}"' not in staff("view_webhook").get(HOME).text


# What it costs


def test_the_page_takes_ten_statements_at_most(busy):
    """Without the look at the lateness of mail, which all pages of a process share."""
    everything = list(Permission.objects.values_list("codename", flat=True))
    client, lateness.watch = staff(*everything), lateness.Watch(next_look=time.monotonic() + lateness.LOOK_EVERY)
    cache.clear()

    with CaptureQueriesContext(connection) as cold:
        assert len(lines(client.get(HOME))) == 4
    for n in range(20):
        bounced(f"nobody{n}@example.org")
        wanted_elsewhere(f"guest{n}@work.example", f"guest{n}@home.example")
        Invite.objects.issue(f"more{n}@example.com", source="admin", invited_by=UserFactory())
    with CaptureQueriesContext(connection) as warm:
        client.get(HOME)

    assert len(cold) <= 10
    assert len(warm) <= 8


# How it looks


def test_it_has_no_script_and_no_inline_style(desk, busy):
    page = desk.get(HOME)

    assert "<script" not in page.text
    assert "style=" not in page.text
    assert page.text.count("<h1") == 1
    assert page.text.count('rel="stylesheet"') == 2


@pytest.mark.parametrize(("chosen", "body"), [("dark", "theme-dark"), ("light", "theme-light"), ("", "")])
def test_it_has_the_theme_language_and_zone_of_the_person(admin_user, busy, chosen, body):
    admin_user.settings = {"theme": chosen, "language": "ru", "time_zone": "Asia/Tokyo"}
    admin_user.save()

    page = browser(admin_user).get(HOME)

    assert '<html lang="ru"' in page.text
    assert re.search(r'<body class="\s*([\w-]*)\s*"', page.text)[1] == body
    assert "Asia/Tokyo" in page.text
    assert "(JST)" in page.text
