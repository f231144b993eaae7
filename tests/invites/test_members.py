"""Invitations by members: notes, quota, and the facts about the invited that members must not learn."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event, User
from accounts.privacy.export import PARTS
from invites.members.invitations import MemberInvites
from invites.models import Invite, Inviter, MagicLink, Reason
from outbox.models import Suppression
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

PAGE = "/account/invites"
EMAIL = "grace@example.com"
AGO = timezone.now() - timedelta(hours=1)


@pytest.fixture(autouse=True)
def members_invite(settings):
    settings.MEMBERS_INVITE = True


def send(client, email=EMAIL, note="", **more):
    return client.post(PAGE, {"email": email, "note": note} | more)


def press(client, verb, invite):
    return client.post(f"{PAGE}/{verb}", {"invite": getattr(invite, "pk", invite)}, follow=True)


def listed(member):
    """Returns the newest invitation that a member has sent."""
    return MemberInvites(member).sent().first()


def let_a_minute_pass():
    Invite.objects.update(sent_at=AGO)


def let_it_run_out():
    Invite.objects.update(expires_at=AGO)
    MagicLink.objects.update(expires_at=AGO)


def join(link):
    token = link.partition("token=")[2]
    return Client().post("/signup", {"token": token, "username": "grace", "password": PASSWORD})


def as_seen(page, **names):
    """Returns the text of the page without all that differs between two visits or two people."""
    lines = (line for line in page.text.splitlines() if "csrf" not in line and 'name="invite"' not in line)
    text = re.sub(r'datetime="[^"]*"', "", "\n".join(lines))
    for name, value in names.items():
        text = text.replace(value, name)
    return text


def test_where_members_may_not_invite_there_is_no_page_for_it(signed_in, settings):
    settings.MEMBERS_INVITE = False

    assert signed_in.get(PAGE).status_code == 404
    assert send(signed_in).status_code == 404
    assert PAGE not in signed_in.get("/account").text
    assert not Invite.objects.exists()
    settings.MEMBERS_INVITE = True
    assert PAGE in signed_in.get("/account").text
    assert Client().get(PAGE)["Location"].startswith("/login")


def test_the_invited_person_reads_the_note_joins_and_is_seen_to_by_the_member(signed_in, ada, mailbox, settings):
    settings.SIGNUP = "invited"
    answer = send(signed_in, " Grace@Example.com", "See you there. It’s at 3.30 p.m., with Mr.Ö!")

    assert answer["Location"] == PAGE
    assert "10 of" not in words(signed_in.get(PAGE))
    assert "9 of 10 invitations left" in words(signed_in.get(PAGE))
    letter = mailbox.letters(EMAIL)[0]
    assert letter["Reply-To"] == ada.email
    assert "“See you there. It’s at 3.30 p.m., with Mr.Ö!”" in mailbox.text(EMAIL)
    assert join(mailbox.link(EMAIL, "/signup")).status_code == 302
    assert listed(ada).state == Invite.State.ACCEPTED
    assert "Accepted" in words(signed_in.get(PAGE))
    assert Event.objects.get(kind=Event.Kind.ACCEPTED).user.username == "grace"


def test_a_note_is_one_plain_line_without_links(signed_in, mailbox):
    for note in [
        "see https://evil.example/x",
        "go to evil.example/win now",
        "www. evil",
        "ｅｖｉｌ．ｅｘａｍｐｌｅ",
        "evil\u200b.\u200bexample",
        "evil。com",
        "write to mailto:boss",
        "10.0.0.1",
        "x" * 201,
        "two\u2028lines",
        "\u202etib a ylno",
    ]:
        page = send(signed_in, note=note)

        assert page.status_code == 200
        assert page.context["form"].errors.keys() == {"note"}, note
        assert page.context["form"]["note"].value() == note
    assert not Invite.objects.exists()


def test_a_typo_and_the_members_own_address_are_pointed_out(signed_in, ada):
    assert "your own address" in words(send(signed_in, "ADA@example.com"))
    page = send(signed_in, "grace@gmial.com")
    assert "Did you mean grace@gmail.com?" in words(page)
    assert not Invite.objects.exists()
    assert send(signed_in, "grace@gmial.com", sure=page.context["form"]["sure"].value()).status_code == 302


@pytest.fixture(params=["account", "turned off", "invited", "invited by a member", "suppressed"])
def special(request):
    """A fact about the address that members must not learn."""
    if request.param in {"account", "turned off"}:
        return UserFactory(email=EMAIL, username="grace", is_active=request.param == "account")
    if request.param == "invited":
        return Invite.objects.issue(EMAIL, source="admin", invited_by=UserFactory())
    if request.param == "invited by a member":
        return MemberInvites(UserFactory()).send(EMAIL)
    return Suppression.objects.opt_out(EMAIL)


def join_at(minute, name):
    """Returns the browser of a new member who joined and signed in within this minute, which pages name; the member."""
    client = Client()
    with time_machine.travel(minute):
        member = UserFactory(username=name, email=f"{name}@example.com")
        client.post("/login", {"login": name, "password": PASSWORD})
    return client, member


def test_a_member_learns_nothing_of_the_address(special, mailbox):
    """One member does everything to this address, another the same to an unknown one; pages and costs must be equal."""
    minute = timezone.now().replace(second=0)
    both = [(*join_at(minute, "ada"), EMAIL), (*join_at(minute, "bob"), "alan@example.com")]

    def same(act):
        pages, costs = [], []
        now = timezone.now()
        for client, member, email in both:
            # Frozen time: pages name minutes, and the second visit must not see the next one.
            with CaptureQueriesContext(connection) as queries, time_machine.travel(now, tick=False):
                page = act(client, member, email)
            pages.append(as_seen(page, EMAIL=email, NAME=member.username))
            costs.append(len(queries))
        assert pages[0] == pages[1]
        assert costs[0] == costs[1]
        return pages[0]

    def again(client, member, _email):
        return press(client, "resend", listed(member))

    assert same(lambda client, _member, email: send(client, email)) == ""
    mailbox.letters()  # the worker delivers them
    assert "Pending" in same(lambda client, *_: client.get(PAGE))
    for _client, _member, email in both:
        Client().post("/", {"email": email})  # somebody asks for a link
    same(lambda client, *_: client.get(PAGE))
    assert "less than a minute ago" in same(again)
    let_a_minute_pass()
    assert "again." in same(again)
    mailbox.letters()
    assert "already invited this address" in same(lambda client, _member, email: send(client, email))
    Invite.objects.filter(invited_by__in=[member for _, member, _ in both]).update(expires_at=AGO)
    same(lambda client, *_: client.get(PAGE))
    assert same(lambda client, _member, email: send(client, email)) == ""
    assert "is withdrawn" in same(lambda client, member, _email: press(client, "withdraw", listed(member)))
    same(lambda client, *_: client.get("/account"))
    exported = [[(row["source"], row["sends"]) for row in PARTS["invites"](member)] for _client, member, _email in both]
    assert exported == [[("member", 2), ("member", 1)]] * 2


def test_a_person_with_an_account_is_mailed_to_sign_in_without_a_token(signed_in, mailbox):
    UserFactory(username="grace", email=EMAIL)

    send(signed_in, note="Hi")

    assert mailbox.kinds(EMAIL) == ["invite_known"]
    assert "your username is grace" in " ".join(mailbox.text(EMAIL).split())
    assert "“Hi”" in mailbox.text(EMAIL)
    assert "/login" in mailbox.text(EMAIL)
    assert "token" not in mailbox.text(EMAIL)


def test_withdrawing_a_members_invitation_touches_no_other_of_that_address(signed_in, ada, mailbox, settings):
    settings.SIGNUP = "invited"
    other = Invite.objects.issue(EMAIL, source="admin", invited_by=UserFactory(username="maria"), note="Hers")
    hers = mailbox.link(EMAIL, "/signup")

    send(signed_in, note="Mine")

    assert mailbox.kinds(EMAIL) == ["invite", "invite"]
    assert "“Mine”" in mailbox.text(EMAIL)
    assert "ada invited you" in mailbox.letters(EMAIL)[1]["Subject"]
    mine = mailbox.link(EMAIL, "/signup")
    assert "ada invited you" in words(Client().get(mine))
    press(signed_in, "withdraw", listed(ada))
    assert Client().get(mine).status_code == 410
    other.refresh_from_db()
    assert (other.state, other.note, other.invited_by.username) == (Invite.State.PENDING, "Hers", "maria")
    assert join(hers).status_code == 302
    assert listed(ada).state == Invite.State.REVOKED


def test_two_members_invite_one_address_with_a_link_each(signed_in, ada, mailbox, settings):
    settings.SIGNUP = "invited"
    bob = UserFactory(username="bob", email="bob@example.com")
    send(signed_in)
    adas = mailbox.link(EMAIL, "/signup")
    MemberInvites(bob).send(EMAIL, note="Bob’s")
    bobs = mailbox.link(EMAIL, "/signup")

    assert "is withdrawn" in words(press(signed_in, "withdraw", listed(ada)))

    assert Client().get(adas).status_code == 410
    assert "bob invited you" in words(Client().get(bobs))
    assert "Bob’s" in words(Client().get(bobs))
    MemberInvites(bob).withdraw(listed(bob))
    assert Client().get(bobs).status_code == 410


def test_accepting_the_invitation_of_one_member_answers_no_other(signed_in, ada, mailbox):
    bob = UserFactory(username="bob", email="bob@example.com")
    send(signed_in)
    adas = mailbox.link(EMAIL, "/signup")
    MemberInvites(bob).send(EMAIL)

    assert join(mailbox.link(EMAIL, "/signup")).status_code == 302

    assert (listed(bob).state, listed(ada).state) == (Invite.State.ACCEPTED, Invite.State.PENDING)
    assert "Pending" in words(signed_in.get(PAGE))
    page = Client().get(adas, follow=True)
    assert Client().post("/confirm", {"token": page.context["token"]})["Location"] == "/account"
    assert listed(ada).state == Invite.State.ACCEPTED


def test_a_mail_that_has_not_left_is_taken_back_with_its_invitation_and_no_other(signed_in, ada, mailbox):
    bob = UserFactory(username="bob", email="bob@example.com")
    send(signed_in)
    MemberInvites(bob).send(EMAIL)

    press(signed_in, "withdraw", listed(ada))

    assert ["bob invited you" in letter["Subject"] for letter in mailbox.letters(EMAIL)] == [True]


def test_a_link_that_was_asked_for_does_not_accept_a_members_invitation(signed_in, ada, mailbox, settings):
    Client().post("/", {"email": EMAIL})
    asked = mailbox.link(EMAIL, "/signup")
    settings.SIGNUP = "invited"

    send(signed_in)

    assert mailbox.link(EMAIL, "/signup") != asked
    assert "ada" not in words(Client().get(asked))
    assert join(asked).status_code == 302
    assert listed(ada).state == Invite.State.PENDING


@pytest.mark.parametrize("source", ["admin", "member"])
def test_old_links_of_an_invitation_that_ran_out_stay_dead(signed_in, ada, mailbox, source):
    old = Invite.objects.issue(EMAIL, source=source, invited_by=ada)
    link = mailbox.link(EMAIL, "/signup")
    let_it_run_out()

    send(signed_in)

    assert Client().get(link).status_code == 410
    assert join(mailbox.link(EMAIL, "/signup")).status_code == 302
    old.refresh_from_db()
    assert (listed(ada).state, old.state) == (Invite.State.ACCEPTED, Invite.State.EXPIRED)
    assert bool(old.replaced_at) == (source == "member")  # staff can still send theirs again


def test_after_sending_again_older_links_work_even_if_they_had_run_out(signed_in, ada, mailbox):
    send(signed_in)
    link = mailbox.link(EMAIL, "/signup")
    let_a_minute_pass()
    let_it_run_out()
    assert Client().get(link).status_code == 410

    assert "again." in words(press(signed_in, "resend", listed(ada)))

    assert mailbox.kinds(EMAIL) == ["invite", "invite"]
    assert Client().get(link).status_code == 200
    assert listed(ada).state == Invite.State.PENDING


def test_sending_again_to_an_account_lengthens_no_link_that_signs_in(signed_in, ada, mailbox):
    send(signed_in)
    link = mailbox.link(EMAIL, "/signup")
    UserFactory(username="grace", email=EMAIL)
    Invite.objects.update(sent_at=AGO)
    MagicLink.objects.update(sent_at=AGO)
    assert Client().get(link, follow=True).status_code == 410

    press(signed_in, "resend", listed(ada))

    assert mailbox.kinds(EMAIL) == ["invite", "invite_known"]
    assert Client().get(link, follow=True).status_code == 410


def test_only_a_members_newest_invitation_to_an_address_can_be_sent_again(signed_in, ada):
    send(signed_in)
    let_it_run_out()
    send(signed_in)

    assert signed_in.get(PAGE).text.count(f"Send again: {EMAIL}") == 1


def test_the_quota_of_seven_days_counts_withdrawn_invitations_too(signed_in, ada, settings):
    settings.MEMBERS_INVITE_QUOTA = 2
    send(signed_in)
    press(signed_in, "withdraw", listed(ada))
    with CaptureQueriesContext(connection) as queries:
        send(signed_in, "alan@example.com")
    statements = [query["sql"] for query in queries]
    locked = next(n for n, sql in enumerate(statements) if "FOR NO KEY UPDATE" in sql and "accounts_user" in sql)
    counted = next(n for n, sql in enumerate(statements) if '"created_at" >' in sql)
    assert locked < counted  # the lock makes two presses at once count one after the other

    page = send(signed_in, "edsger@example.com")
    assert "You can send the next one after" in words(page)
    assert "edsger@example.com" in page.text
    assert Invite.objects.filter(source="member").count() == 2
    assert '<form class="stack narrow"' not in signed_in.get(PAGE).text
    Invite.objects.update(created_at=timezone.now() - timedelta(days=7))
    assert send(signed_in, "edsger@example.com").status_code == 302


def test_a_paused_member_reads_why_and_can_only_withdraw(signed_in, ada, mailbox):
    send(signed_in)
    let_a_minute_pass()
    Inviter.objects.filter(pk=ada.pk).pause()

    assert "paused your invitations on" in words(signed_in.get(PAGE))
    assert "Send again" not in signed_in.get(PAGE).text
    assert "are paused" in words(send(signed_in, "alan@example.com"))
    assert "are paused" in words(press(signed_in, "resend", listed(ada)))
    assert len(mailbox.letters(EMAIL)) == 1
    assert "is withdrawn" in words(press(signed_in, "withdraw", listed(ada)))
    Inviter.objects.filter(pk=ada.pk).allow()
    assert send(signed_in, "alan@example.com").status_code == 302


def test_a_member_sends_one_invitation_five_times_at_most(signed_in, ada, mailbox):
    send(signed_in)
    for _ in range(6):
        let_a_minute_pass()
        page = press(signed_in, "resend", listed(ada))

    assert "in another way" in words(page)
    assert "Send again" not in signed_in.get(PAGE).text
    assert len(mailbox.letters(EMAIL)) == 5


def test_invitations_that_are_not_the_members_are_not_found(signed_in, ada):
    theirs = [MemberInvites(UserFactory()).send(EMAIL), InviteFactory(invited_by=ada)]
    send(signed_in, "alan@example.com")
    before = list(Invite.objects.order_by("id").values())

    foreign = [*(invite.pk for invite in theirs), "x", ""]
    for verb in ("resend", "withdraw"):
        assert {press(signed_in, verb, pk).status_code for pk in foreign} == {404}
        assert signed_in.get(f"{PAGE}/{verb}").status_code == 302
    assert list(Invite.objects.order_by("id").values()) == before


def test_a_member_goes_on_seeing_what_became_of_an_invitation(signed_in, ada, mailbox):
    send(signed_in)
    send(signed_in, "alan@example.com")
    decline = mailbox.link(EMAIL, "/invite/decline")
    Client().post("/invite/decline", {"token": decline.partition("token=")[2]})
    Invite.objects.filter(email="alan@example.com", source="member").revoke()

    assert [row.state for row in MemberInvites(ada).sent()] == ["revoked", "declined"]
    assert "is over already" in words(press(signed_in, "resend", listed(ada)))
    assert "is over already" in words(press(signed_in, "withdraw", listed(ada)))


def test_staff_see_and_withdraw_the_invitations_of_a_member(signed_in, ada, desk, mailbox):
    send(signed_in)
    link = mailbox.link(EMAIL, "/signup")
    assert EMAIL in words(desk.get("/admin/invites/invite/", {"invited_by": ada.pk, "source": "member"}))

    form = {"action": "revoke", "index": "0", "_selected_action": listed(ada).pk, "confirmed": "1"}
    assert "1 withdrawn" in words(desk.post("/admin/invites/invite/", form, follow=True))

    assert Client().get(link).status_code == 410
    assert "Withdrawn" in words(signed_in.get(PAGE))


def test_staff_cannot_change_the_times_of_a_members_invitation(signed_in, ada):
    """Staff's verbs skip addresses that have an account: changed times would show the member which ones do not."""
    send(signed_in)
    send(signed_in, UserFactory().email)
    let_a_minute_pass()
    before = list(MemberInvites(ada).sent().values())

    for outcome in (MemberInvites(ada).sent().resend(), MemberInvites(ada).sent().extend()):
        assert {reason for _email, reason in outcome.skipped} == {Reason.BY_MEMBER}
    assert list(MemberInvites(ada).sent().values()) == before


def test_a_members_invitation_is_reminded_of_like_any_other(signed_in, ada, mailbox):
    send(signed_in)
    due = {"remind_at": timezone.now(), "expires_at": timezone.now() + timedelta(days=1)}
    Invite.objects.update(**due, sent_at=AGO - timedelta(days=1), created_at=AGO - timedelta(days=1))
    assert Invite.objects.remindable().remind().done == [listed(ada).pk]
    assert mailbox.kinds(EMAIL)[-1] == "invite_reminder"


def test_prune_deletes_unaccepted_invitations_a_year_after_their_end(signed_in, ada):
    send(signed_in)
    send(signed_in, "alan@example.com")
    Invite.objects.filter(email="alan@example.com").update(accepted_at=AGO)
    InviteFactory()
    Invite.objects.update(expires_at=timezone.now() - timedelta(days=364))
    assert not Invite.objects.prunable().exists()
    Invite.objects.update(expires_at=timezone.now() - timedelta(days=366))
    assert [row.email for row in Invite.objects.prunable()] == [EMAIL]


def test_invitations_of_a_deleted_account_go_on_without_its_name(signed_in, ada, mailbox):
    send(signed_in)
    ada.erase()

    assert [(row.source, row.invited_by) for row in Invite.objects.all()] == [("member", None)]
    link = mailbox.link(EMAIL, "/signup")
    assert "ada" not in words(Client().get(link))
    assert join(link).status_code == 302


@pytest.mark.parametrize("verb", ["send", "resend", "withdraw"])
def test_a_member_whose_account_is_deleted_meanwhile_is_signed_out(signed_in, ada, verb):
    invite = MemberInvites(ada).send(EMAIL)
    let_a_minute_pass()
    ada_pk, path = ada.pk, PAGE if verb == "send" else f"{PAGE}/{verb}"

    def meanwhile(execute, sql, *args):
        if "FOR NO KEY UPDATE" in sql and "accounts_user" in sql and not gone:
            gone.append(True)
            User.objects.filter(pk=ada_pk).delete()
        return execute(sql, *args)

    gone = []
    with connection.execute_wrapper(meanwhile):
        page = signed_in.post(path, {"invite": invite.pk, "email": "alan@example.com", "note": ""})

    assert gone
    assert page.status_code == 302
    assert page.url.startswith("/login")
    assert not Invite.objects.filter(email="alan@example.com").exists()
