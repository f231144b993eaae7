"""Staff correct an invitation: another address gets a new one, and the old link is dead."""

import html
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from accounts.models import Event
from invites.link import readdressing
from invites.models import Entry, Invite
from outbox.models import OutboxMessage, Suppression
from sso.models import App
from tests.tools.factories import PASSWORD, AppFactory, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

OLD, NEW = "grace@example.org", "grace@example.com"
AGO = timezone.now() - timedelta(hours=1)


def at(invite, page="correct"):
    return f"/admin/invites/invite/{invite.pk}/{page}/"


def correct(desk, invite, email=NEW, name="", note="", **more):
    return desk.post(at(invite), {"email": email, "name": name, "note": note} | more, follow=True)


@pytest.fixture
def invite(ada, mailbox):
    invite = Invite.objects.issue(OLD, source="csv", invited_by=ada, name="Grace", note="Hello", batch="b_1")
    mailbox.letters()
    return invite


@pytest.fixture
def helper(db):
    """The browser of a member of staff who may change invitations, and is no superuser."""
    person = UserFactory(username="helper", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_invite", "change_invite"]))
    client = Client()
    client.post("/login", {"login": "helper", "password": PASSWORD})
    return client


@pytest.fixture
def admins(db):
    """A group that gives rights at the desk."""
    group = Group.objects.create(name="Admins")
    group.permissions.add(Permission.objects.get(codename="change_user"))
    return group


def test_another_address_gets_the_invitation_and_the_old_link_is_dead(desk, client, mailbox, ada, invite):
    old = mailbox.link(OLD)

    page = correct(desk, invite, name="Grace Hopper", note="Hello again")

    moved = Invite.objects.get(email=NEW)
    assert page.redirect_chain == [(at(moved, "change"), 302)]
    assert f"1 invitation is on its way to {NEW}. The old link works no longer." in words(page)
    kept = (moved.invited_by, moved.source, moved.batch, moved.name, moved.note)
    assert kept == (ada, "csv", "b_1", "Grace Hopper", "Hello again")
    assert client.get(old).status_code == 410
    assert client.get(mailbox.link(NEW)).status_code == 200
    assert [event.user.username for event in Event.objects.filter(kind="revoked", about=invite.pk)] == ["olga"]
    assert [event.user.username for event in Event.objects.filter(kind="invited", about=moved.pk)] == ["olga"]
    told = words(desk.get(at(invite, "change")))
    assert "olga withdrew it" in told
    assert f"{NEW} was invited instead" in told


@pytest.mark.parametrize("wanted", [True, False])
def test_no_reminder_is_planned_for_the_other_address_where_none_was(desk, ada, wanted):
    Invite.objects.issue_many([Entry(OLD, remind=wanted)], source="csv", invited_by=ada)

    correct(desk, Invite.objects.get(email=OLD))

    assert (Invite.objects.get(email=NEW).remind_at is not None) == wanted


def test_mail_that_has_not_left_does_not_leave_after_the_address_was_corrected(desk, mailbox, ada):
    invite = Invite.objects.issue(OLD, source="admin", invited_by=ada)

    correct(desk, invite)

    assert not mailbox.letters(OLD)
    assert mailbox.link(NEW)


def test_a_name_or_a_note_alone_is_changed_without_a_mail(desk, mailbox, invite):
    page = correct(desk, invite, email=f" {OLD.upper()} ", name="Grace Hopper", note="")

    assert "Saved. The next mail has it" in words(page)
    kept = Invite.objects.get()
    assert (kept.pk, kept.email, kept.name, kept.note) == (invite.pk, OLD, "Grace Hopper", "")
    assert len(mailbox.letters(OLD)) == 1


REFUSED = [
    ("nonsense", {}, "in the correct format"),
    ("ada@example.com", {}, "already has an account"),
    ("invited@example.com", {}, "invited already"),
    ("never@example.com", {}, "never to be written to"),
    ("dead@example.com", {}, "mail to this address came back on"),
    ("grace@gmial.com", {}, "Did you mean grace@gmail.com?"),
    (NEW, {"name": "x" * 101}, "The name is longer than 100 characters"),
    (NEW, {"note": "see https://evil.example/"}, "has a link in it"),
]


@pytest.mark.parametrize(("email", "more", "said"), REFUSED)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_changed(desk, mailbox, invite, email, more, said):
    InviteFactory(email="invited@example.com")
    Suppression.objects.opt_out("never@example.com")
    Suppression.objects.suppress("dead@example.com", "550 5.1.1")

    page = correct(desk, invite, email, **more)

    assert said in words(page)
    assert f'value="{html.escape(email)}"' in page.text
    assert Invite.objects.filter(email=OLD, revoked_at=None, name="Grace").exists()
    assert not Invite.objects.filter(email=NEW).exists()
    assert not mailbox.letters(email)


def test_a_member_who_is_not_in_the_groups_yet_can_be_sent_an_invitation_into_them(desk, mailbox, ada):
    editors = Group.objects.create(name="Editors")
    invite = InviteFactory(email=OLD, groups=[editors])

    assert "is on its way" in words(correct(desk, invite, ada.email))

    assert mailbox.kinds(ada.email) == ["invite_group"]
    ada.groups.add(editors)
    again = InviteFactory(email="other@example.org", groups=[editors])
    assert "already has an account" in words(correct(desk, again, ada.email))


def test_a_likely_typo_is_believed_the_second_time(desk, mailbox, invite):
    page = correct(desk, invite, "grace@gmial.com")
    sure = re.search(r'<input type="hidden" name="sure" value="(.*?)"', page.text)[1]

    correct(desk, invite, "grace@gmial.com", sure=sure)

    assert mailbox.link("grace@gmial.com")


def test_when_mail_came_back_mending_the_address_stands_first(desk, mailbox, invite):
    OutboxMessage.objects.get(about=invite.pk).mark_bounced("550 5.1.1 No such user")
    Suppression.objects.suppress(OLD, "550 5.1.1")

    page = desk.get(at(invite, "change"))

    assert "The mail came back. example.org says: mailbox does not exist (5.1.1)." in words(page)
    assert page.text.index("Mend the address") < page.text.index("What happened")
    assert f'href="/admin/outbox/suppression/?q={OLD.replace("@", "%40")}"' in page.text
    form = dict(re.findall(r'<input type="\w+" name="(email|name|note)" value="(.*?)"', page.text))
    assert form == {"email": OLD, "name": "Grace", "note": "Hello"}
    correct(desk, invite, **form | {"email": NEW})
    assert Invite.objects.get(email=NEW).note == "Hello"


@pytest.mark.parametrize(
    "fields",
    [{"revoked_at": AGO}, {"declined_at": AGO}, {"accepted_at": AGO}, {"replaced_at": AGO}, {"source": "member"}],
)
def test_what_is_over_or_from_a_member_cannot_be_corrected(desk, ada, fields):
    invite = InviteFactory(email=OLD, invited_by=ada, **fields)

    assert "Correct address" not in desk.get(at(invite, "change")).text
    for page in (desk.get(at(invite), follow=True), correct(desk, invite)):
        assert "This invitation can’t be corrected" in words(page)
    assert list(Invite.objects.values_list("email", flat=True)) == [OLD]


def test_an_invitation_that_is_accepted_meanwhile_stays_as_it_is(desk, ada, monkeypatch, invite):
    from invites.desk import correct as page  # noqa: PLC0415 the name is taken here

    def meanwhile(checked):
        Invite.objects.filter(pk=checked.pk).update(accepted_at=timezone.now(), accepted_by=ada)
        return True

    monkeypatch.setattr(page, "can_be_corrected", meanwhile)
    for email in (OLD, NEW):
        assert "can’t be corrected" in words(correct(desk, invite, email, name="Other"))
    assert list(Invite.objects.values_list("email", "name", "revoked_at")) == [(OLD, "Grace", None)]


def test_staff_who_may_not_change_invitations_may_not_correct_them(db, invite):
    person = UserFactory(username="viewer", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="view_invite"))
    viewer = Client()
    viewer.post("/login", {"login": "viewer", "password": PASSWORD})

    assert "Correct address" not in viewer.get(at(invite, "change")).text
    assert viewer.get(at(invite)).status_code == correct(viewer, invite).status_code == 403
    assert Invite.objects.get().email == OLD


def test_only_a_superuser_sends_rights_to_another_address(desk, helper, admins):
    invite = InviteFactory(email=OLD, groups=[admins])
    plain = InviteFactory(email="kim@example.org", groups=[Group.objects.create(name="Editors")])

    assert "Only a superuser may send it to another address" in words(correct(helper, invite))
    assert "Saved." in words(correct(helper, invite, OLD, name="Grace"))
    assert "is on its way" in words(correct(helper, plain, "kim@example.com"))
    assert "is on its way" in words(correct(desk, invite))
    assert list(Invite.objects.get(email=NEW).groups.all()) == [admins]


def test_sending_rights_to_another_address_asks_for_proof_and_is_told_to_other_superusers(desk, mailbox, admins):
    UserFactory(username="boss", is_staff=True, is_superuser=True)
    invite, plain = InviteFactory(email=OLD, groups=[admins]), InviteFactory(email="kim@example.org")
    session = desk.session
    for note in ("signed_in", "proof"):
        session.pop(note, None)
    session.save()

    asked = correct(desk, invite)

    assert 'name="proof-password"' in asked.text
    assert not Invite.objects.filter(email=NEW).exists()
    assert 'name="proof-password"' not in correct(desk, plain, "kim@example.com").text
    assert "power_used" not in mailbox.kinds("boss@example.com")
    form = {"proof-asked": "1", "proof-password": PASSWORD}
    assert "is on its way" in words(correct(desk, invite, **form))
    assert mailbox.kinds("boss@example.com").count("power_used") == 1
    assert Event.objects.get(kind="power_used").detail["what"] == "Invitations into groups (Admins × 1)"


@pytest.fixture
def to_grafana(invite):
    """The same invitation, to an app by a group of it, beside a group of no app."""
    viewers, editors = Group.objects.create(name="Viewers"), Group.objects.create(name="Editors")
    invite.app = AppFactory(pk="grafana1", everybody=False, groups=[viewers])
    invite.save()
    Invite.objects.replace_groups(invite, [viewers.pk, editors.pk])
    return invite


def led(**which):
    row = Invite.objects.with_group_names().get(**which)
    return row.app_id, row.group_names


def test_another_app_brings_its_group_in_place_of_the_former_ones(desk, to_grafana):
    AppFactory(pk="wiki1", name="Wiki", everybody=False, groups=[Group.objects.create(name="Writers")])
    assert '<option value="grafana1" selected>Grafana</option>' in desk.get(at(to_grafana)).text

    page = words(correct(desk, to_grafana, OLD, app="wiki1"))

    assert "the person joins Writers. They do not join Viewers any more." in page
    assert led() == ("wiki1", ["Editors", "Writers"])
    assert "They do not join Writers any more." in words(correct(desk, to_grafana, OLD, app=""))
    assert led() == (None, ["Editors"])


def test_app_and_address_are_corrected_in_one_go(desk, to_grafana, mailbox):
    AppFactory(pk="wiki1", name="Wiki")
    to_grafana.next = "/welcome"
    to_grafana.save()
    correct(desk, to_grafana, app="wiki1")
    assert led(email=NEW) == ("wiki1", ["Editors"])
    assert Invite.objects.get(email=NEW).next == ""
    assert mailbox.letters(NEW)[0]["Subject"] == "ada invited you to Wiki at Frontdoor"
    assert led(email=OLD) == ("grafana1", ["Editors", "Viewers"])


def test_an_app_stays_as_it_is_if_nothing_is_said_of_it_or_it_is_turned_off(desk, to_grafana):
    assert "Saved." in words(correct(desk, to_grafana, OLD))
    App.objects.update(is_active=False)
    assert "Grafana (turned off)</option>" in desk.get(at(to_grafana)).text
    assert "Saved." in words(correct(desk, to_grafana, OLD, app="grafana1", name="Kim"))
    assert led() == ("grafana1", ["Editors", "Viewers"])


def test_when_mail_came_back_the_app_is_kept_with_the_address(desk, to_grafana):
    OutboxMessage.objects.get(about=to_grafana.pk).mark_bounced("550 5.1.1 No such user")
    assert '<input type="hidden" name="app" value="grafana1"' in desk.get(at(to_grafana, "change")).text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"staff_only": True}, "Wiki is only for staff"),
        ({"everybody": False}, "Wiki lets nobody in yet"),
        ({"is_active": False}, "The app you chose is gone or turned off"),
    ],
)
def test_an_app_that_an_invitation_can_not_open_is_refused_beside_the_field(desk, to_grafana, changed, said):
    AppFactory(pk="wiki1", name="Wiki")
    App.objects.filter(pk="wiki1").update(**changed)
    assert said in words(correct(desk, to_grafana, OLD, app="wiki1"))
    assert led() == ("grafana1", ["Editors", "Viewers"])


def test_an_app_that_is_deleted_meanwhile_is_left_out(desk, to_grafana, monkeypatch):
    AppFactory(pk="wiki1", name="Wiki")
    store = readdressing.correct

    def meanwhile(*args, **said):
        App.objects.get(pk="wiki1").client.delete()
        return store(*args, **said)

    monkeypatch.setattr(readdressing, "correct", meanwhile)
    assert "Saved." in words(correct(desk, to_grafana, OLD, app="wiki1"))
    assert led() == (None, ["Editors"])


def test_only_a_superuser_corrects_to_an_app_whose_group_gives_rights_after_proof(
    desk, helper, mailbox, invite, admins
):
    UserFactory(username="boss", is_staff=True, is_superuser=True)
    AppFactory(pk="bills", name="Bills", everybody=False, groups=[admins])
    assert "Only a superuser may invite people to Bills" in words(correct(helper, invite, OLD, app="bills"))
    session = desk.session
    for note in ("signed_in", "proof"):
        session.pop(note, None)
    session.save()
    assert 'name="proof-password"' in correct(desk, invite, OLD, app="bills").text
    assert led() == (None, [])

    form = {"proof-asked": "1", "proof-password": PASSWORD}
    assert "the person joins Admins." in words(correct(desk, invite, OLD, app="bills", **form))
    assert led() == ("bills", ["Admins"])
    assert mailbox.kinds("boss@example.com").count("power_used") == 1


def test_without_apps_there_is_no_field_for_one(desk, invite):
    assert 'name="app"' not in desk.get(at(invite)).text


def test_an_unknown_invitation_is_not_found(desk):
    assert desk.get("/admin/invites/invite/00000000-0000-7000-8000-000000000000/correct/").status_code == 404


def lose(invite, answer):
    OutboxMessage.objects.get(about=invite.pk).mark_bounced(answer)
    Invite.objects.update(sent_at=AGO)


def test_the_button_of_mail_that_came_back_sends_to_an_unchanged_address_again(desk, invite, mailbox):
    lose(invite, "452 4.2.2 Mailbox full")
    page = desk.get(at(invite, "change"))
    assert 'name="send" value="1">Send to this address' in page.text

    done = correct(desk, invite, email=OLD, name="Grace", note="Hello", send="1")

    assert "Sent to the same address again." in words(done)
    assert Invite.objects.get().state == "pending"
    assert OutboxMessage.objects.waiting().get(about=invite.pk).recipient == OLD


def test_an_unchanged_address_that_is_dead_gets_nothing_and_that_is_said(desk, invite):
    lose(invite, "550 5.1.1 No such user")
    Suppression.objects.suppress(OLD, "550 5.1.1 No such user")

    done = correct(desk, invite, email=OLD, name="Grace", note="Hello", send="1")

    assert "Nothing was sent. 1 skipped: 1 no mail goes to the address." in words(done)
    assert not OutboxMessage.objects.waiting().filter(about=invite.pk)
