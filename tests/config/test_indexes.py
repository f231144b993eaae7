"""Every index of the long tables is read by a query of ours, and none of our tables has an index for LIKE alone."""

import json
import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Event, User, event
from invites import digest
from invites.funnel import count
from invites.models import Invite, InviteGroup, Inviter, MagicLink
from invites.models.batch import Batch
from outbox.mail import lateness
from outbox.models import OutboxMessage
from tests.bench.people import Size, insert
from tests.tools.factories import UserFactory

ROOMS = ("accounts", "invites", "outbox")
LONG = (Event, OutboxMessage, Invite, InviteGroup, MagicLink)
READS = re.compile(r"\s*\(?\s*(SELECT|WITH|UPDATE|DELETE)", re.IGNORECASE)

INDEXES = """
SELECT i.relname, x.indisunique, EXISTS (
    SELECT FROM unnest(x.indclass::oid[]) used JOIN pg_opclass c ON c.oid = used WHERE c.opcname LIKE '%%_pattern_ops'
)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
WHERE t.relname = ANY(%s)
"""


def indexes(models):
    """Returns name, whether it is unique, and whether it serves LIKE alone, of each index of these models' tables."""
    with connection.cursor() as cursor:
        cursor.execute(INDEXES, [[model._meta.db_table for model in models]])
        return cursor.fetchall()


def plans(act):
    """Returns how PostgreSQL plans to run the statements of `act`, each plan as JSON."""
    found = []

    def explain(execute, sql, params, many, context):
        if READS.match(sql):
            with connection.connection.cursor() as cursor:
                plan = cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params).fetchone()[0]
            found.append(plan if isinstance(plan, str) else json.dumps(plan))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        act()
    return found


def read_by(act):
    """Returns the names of the indexes by which PostgreSQL plans to run the statements of `act`."""
    return {name for plan in plans(act) for name in re.findall(r'"Index Name": "(\w+)"', plan)}


@pytest.mark.django_db
def test_no_index_serves_like_alone():
    ours = [model for room in ROOMS for model in apps.get_app_config(room).get_models(include_auto_created=True)]
    assert [name for name, _unique, for_like in indexes(ours) if for_like] == []


@pytest.fixture
def many(db):
    """Rows of the benchmark in small, with what is rare there, and PostgreSQL told to avoid reading whole tables."""
    insert(Size(3000, 3000, 15_000, 300, 1500))
    group = Group.objects.create(name="writers")
    odd = Invite.objects.filter(pk__in=list(Invite.objects.values_list("pk", flat=True)[:9]))
    odd.update(readdress_to="person77@example.com")
    InviteGroup.objects.bulk_create([InviteGroup(group=group, invite=invite) for invite in odd])
    planned = MagicLink.objects.filter(pk__in=list(MagicLink.objects.values_list("pk", flat=True)[:9]))
    planned.update(username="planned", password="argon2$")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ANALYZE")
        cursor.execute("SET LOCAL enable_seqscan = off")


def newest(rows):
    return list(rows.order_by("-id")[:20])


def use_most_links():
    """Has all links be used but ten: where those are many, another index finds them as soon."""
    few = list(MagicLink.objects.asked_for().unused().values_list("pk", flat=True)[:10])
    MagicLink.objects.exclude(pk__in=few).update(used_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE invites_magiclink")


def let_most_wait_unopened():
    """Has all invitations be pending, and ten of them opened: where few are pending, their end finds them as soon."""
    few = list(Invite.objects.values_list("pk", flat=True)[:10])
    never = {"accepted_at": None, "accepted_by": None, "declined_at": None, "revoked_at": None, "opened_at": None}
    Invite.objects.update(**never, expires_at=timezone.now() + timedelta(days=1), replaced_at=timezone.now())
    Invite.objects.filter(pk__in=few).update(opened_at=timezone.now(), replaced_at=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE invites_invite")


def readers():
    """Returns an act for each index that is not unique, by its name: the query that the comment at the index names."""
    person, inviter = User.objects.get(username="person77"), Invite.objects.exclude(invited_by=None)[0].invited_by
    taken = Invite.objects.accepted()[0]
    asked, batch = MagicLink.objects.asked_for(), Batch(pk=Invite.objects.exclude(batch="")[0].batch)
    now = timezone.now()
    return {
        "event_by_user": lambda: newest(person.events),
        "event_by_kind": lambda: newest(Event.objects.filter(kind=Event.Kind.RESENT)),
        "event_failed": lambda: newest(Event.objects.filter(event.FAILED)),
        "event_changed": lambda: newest(Event.objects.filter(event.CHANGED)),
        "event_by_staff": lambda: newest(Event.objects.filter(event.BY_STAFF)),
        "event_by_time": lambda: list(Event.objects.prunable()),
        "event_by_guess": lambda: User.objects.with_guesses(username="person77"),
        "event_about": lambda: newest(Event.objects.filter(about=taken.pk)),
        "outbox_waiting": lambda: list(OutboxMessage.objects.due()[:1]),
        "outbox_sent": lambda: lateness._last("sent_at"),
        "outbox_by_recipient": lambda: newest(OutboxMessage.objects.filter(recipient=person.email)),
        "outbox_kind": OutboxMessage.objects.filter(kind="reset").count,
        "outbox_given_up": lambda: lateness._last("given_up_at"),
        "outbox_about": lambda: OutboxMessage.objects.attach_newest([taken]),
        "outbox_trouble": lambda: newest(OutboxMessage.objects.in_trouble()),
        "invite_by_email": lambda: newest(Invite.objects.filter(email=person.email)),
        "invite_by_end": lambda: list(Invite.objects.prunable()),
        "invite_by_start": lambda: count.count("day", now.date() - timedelta(days=7), "", ""),
        "invite_by_words": lambda: list(Invite.objects.found_by("grace")),
        "invite_by_source": Invite.objects.filter(source="command").count,
        "invite_by_inviter": lambda: newest(Invite.objects.filter(invited_by=inviter)),
        "invite_by_batch": batch.invites.count,
        "invite_by_app": Invite.objects.filter(app="app7").count,
        "invite_by_language": Invite.objects.filter(language="ru").count,
        "invite_groups": lambda: list(Invite.objects.filter(pk=taken.pk).with_groups()),
        "invite_unanswered": Invite.objects.expired().count,
        "invite_accepted": lambda: newest(Invite.objects.accepted()),
        "invite_declined": lambda: newest(Invite.objects.in_state("declined")),
        "invite_revoked": lambda: newest(Invite.objects.in_state("revoked")),
        "invite_accepted_by": lambda: Inviter.objects.get(pk=person.pk).tree(),
        "invite_brought": lambda: Inviter.objects.get(pk=inviter.pk).tree(),
        "invite_open": lambda: Inviter.objects.get(pk=inviter.pk).tree(),
        "invite_with_news": lambda: digest.next_inviter(inviter.pk),
        "invite_end_untold": Invite.objects.announce_expired,
        "invite_readdressed": lambda: Invite.objects.forget(person),
        "link_by_email": lambda: newest(MagicLink.objects.filter(email=person.email)),
        "link_by_end": lambda: list(MagicLink.objects.prunable()),
        "link_by_start": lambda: count.count("day", now.date() - timedelta(days=7), "", ""),
        "link_planned": MagicLink.objects.forget_plans,
        "link_by_invite": lambda: list(taken.links.all()),
        "link_used_by": lambda: list(MagicLink.objects.to(taken.accepted_by)),
        "link_asked_for": lambda: newest(asked),
        "link_used": lambda: newest(asked.filter(used_at__isnull=False)),
        "invite_opened": lambda: (let_most_wait_unopened(), newest(Invite.objects.opened())),
        "invite_to_remind": lambda: list(Invite.objects.remindable()),  # among many that wait
        "link_unused": lambda: (use_most_links(), newest(asked.unused().filter(expires_at__lte=now))),
    }


def test_every_index_of_the_long_tables_is_read(many):
    known = readers()
    assert sorted(known) == sorted(name for name, unique, _for_like in indexes(LONG) if not unique)
    assert {name: used for name, act in known.items() if name not in (used := read_by(act))} == {}


def test_the_desks_home_scans_no_long_table(many):
    owner, client = UserFactory(username="olga", is_staff=True, is_superuser=True), Client()
    client.force_login(owner)
    cache.clear()

    found = plans(lambda: client.get("/admin/"))

    scanned = {table for plan in found for table in re.findall(r'"Seq Scan"[^{}]*?"Relation Name": "(\w+)"', plan)}
    assert len(found) > 5
    assert scanned & {model._meta.db_table for model in (*LONG, User)} == set()
