"""Members invite: what they may write, how often, and what they must not learn of whom they invite."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event
from accounts.privacy.export import PARTS
from invites.models import Invite, Reason
from outbox.models import Suppression
from tests.tools.factories import PASSWORD, UserFactory
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


def press(client, verb, seen):
    return client.post(f"{PAGE}/{verb}", {"invite": getattr(seen, "pk", seen)}, follow=True)


def listed(member):
    """The newest invitation as its member sees it."""
    return Invite.objects.seen_by(member).first()


def let_a_minute_pass():
    Invite.objects.update(sent_at=AGO)


def join(mailbox, email=EMAIL, username="grace"):
    link = mailbox.link(email, "/signup")
    token = link.partition("token=")[2]
    return Client().post("/signup", {"token": token, "username": username, "password": PASSWORD})


def as_seen(page, **names):
    """The page without what differs between any two visits, and between two people."""
    lines = (line for line in page.text.splitlines() if "csrf" not in line and 'name="invite"' not in line)
    text = re.sub(r'datetime="[^"]*"', "", "\n".join(lines))
    for name, value in names.items():
        text = text.replace(value, name)
    return text


def test_there_is_no_trace_of_it_where_members_may_not_invite(signed_in, settings):
    settings.MEMBERS_INVITE = False

    assert signed_in.get(PAGE).status_code == 404
    assert send(signed_in).status_code == 404
    assert PAGE not in signed_in.get("/account").text
    assert not Invite.objects.exists()
    settings.MEMBERS_INVITE = True
    assert PAGE in signed_in.get("/account").text
    assert Client().get(PAGE)["Location"].startswith("/login")


def test_who_is_invited_reads_the_note_and_comes_in_by_the_link_and_the_member_sees_it(
    signed_in, ada, mailbox, settings
):
    settings.SIGNUP = "invited"
    answer = send(signed_in, " Grace@Example.com", "See you there. It’s at 3.30 p.m., with Mr.Ö!")

    assert answer["Location"] == PAGE
    assert "10 of" not in words(signed_in.get(PAGE))
    assert "9 of 10 invitations left" in words(signed_in.get(PAGE))
    letter = mailbox.letters(EMAIL)[0]
    assert letter["Reply-To"] == ada.email
    assert "“See you there. It’s at 3.30 p.m., with Mr.Ö!”" in mailbox.text(EMAIL)
    assert join(mailbox).status_code == 302
    assert listed(ada).state == Invite.State.CLAIMED
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


def test_a_typo_and_ones_own_address_are_pointed_out(signed_in, ada):
    assert "your own address" in words(send(signed_in, "ADA@example.com"))
    page = send(signed_in, "grace@gmial.com")
    assert "Did you mean grace@gmail.com?" in words(page)
    assert not Invite.objects.exists()
    assert send(signed_in, "grace@gmial.com", sure=page.context["form"]["sure"].value()).status_code == 302


@pytest.fixture(params=["account", "invited", "suppressed"])
def special(request):
    """Something about the address that is nobody's business."""
    if request.param == "account":
        return UserFactory(email=EMAIL, username="grace")
    if request.param == "invited":
        return Invite.objects.issue(EMAIL, source="admin", invited_by=UserFactory())
    return Suppression.objects.opt_out(EMAIL)


def test_a_member_learns_nothing_of_the_address(signed_in, ada, special, mailbox):
    """Everything is done to it, and by another member to an address that nobody knows."""
    bob = UserFactory(username="bob", email="bob@example.com")
    other = Client()
    other.post("/login", {"login": "bob", "password": PASSWORD})
    both = [(signed_in, ada, EMAIL), (other, bob, "alan@example.com")]

    def same(act):
        pages, costs = [], []
        for client, member, email in both:
            with CaptureQueriesContext(connection) as queries:
                page = act(client, member, email)
            pages.append(as_seen(page, EMAIL=email, NAME=member.username))
            costs.append(len(queries))
        assert pages[0] == pages[1]
        assert costs[0] == costs[1]
        return pages[0]

    def again(client, member, _email):
        return press(client, "resend", listed(member))

    assert same(lambda client, _member, email: send(client, email)) == ""
    mailbox.letters()  # the worker has tried
    assert "Pending" in same(lambda client, *_: client.get(PAGE))
    for _client, _member, email in both:
        Client().post("/", {"email": email})  # somebody asks for a link
    same(lambda client, *_: client.get(PAGE))
    assert "less than a minute ago" in same(again)
    let_a_minute_pass()
    assert "again." in same(again)
    mailbox.letters()
    assert "already invited this address" in same(lambda client, _member, email: send(client, email))
    Invite.objects.filter(source="shadow").update(expires_at=AGO)
    same(lambda client, *_: client.get(PAGE))
    assert same(lambda client, _member, email: send(client, email)) == ""
    assert "is withdrawn" in same(lambda client, member, _email: press(client, "withdraw", listed(member)))
    same(lambda client, *_: client.get("/account"))
    exported = [[(row["source"], row["sends"]) for row in PARTS["invites"](member)] for _client, member, _email in both]
    assert exported == [[("member", 2), ("member", 1)]] * 2


def test_who_has_an_account_is_mailed_to_sign_in_without_a_token(signed_in, mailbox):
    UserFactory(username="grace", email=EMAIL)

    send(signed_in, note="Hi")

    assert mailbox.kinds(EMAIL) == ["invite_known"]
    assert "your username is grace" in " ".join(mailbox.text(EMAIL).split())
    assert "“Hi”" in mailbox.text(EMAIL)
    assert "/login" in mailbox.text(EMAIL)
    assert "token" not in mailbox.text(EMAIL)
    assert not Invite.objects.standing().exists()


def test_who_is_invited_already_gets_the_link_of_that_invitation_which_the_member_cannot_touch(
    signed_in, ada, mailbox, settings
):
    settings.SIGNUP = "invited"
    standing = Invite.objects.issue(EMAIL, source="admin", invited_by=UserFactory(username="maria"), note="Hers")

    send(signed_in, note="Mine")

    assert mailbox.kinds(EMAIL) == ["invite", "invite"]
    assert "“Mine”" in mailbox.text(EMAIL)
    assert "ada invited you" in mailbox.letters(EMAIL)[1]["Subject"]
    press(signed_in, "withdraw", listed(ada))
    standing.refresh_from_db()
    assert (standing.state, standing.note, standing.invited_by.username) == (Invite.State.PENDING, "Hers", "maria")
    assert join(mailbox).status_code == 302
    assert listed(ada).state == Invite.State.REVOKED


def test_a_withdrawn_invitation_goes_on_for_another_member_who_mailed_its_link(signed_in, ada, mailbox, settings):
    settings.SIGNUP = "invited"
    bob = UserFactory(username="bob", email="bob@example.com")
    send(signed_in)
    Invite.objects.issue_for_member(bob, EMAIL, note="Bob’s")
    link = mailbox.link(EMAIL, "/signup")

    assert "is withdrawn" in words(press(signed_in, "withdraw", listed(ada)))

    assert "bob invited you" in words(Client().get(link))
    assert "Bob’s" in words(Client().get(link))
    Invite.objects.withdraw_for_member(bob, listed(bob))
    assert Client().get(link).status_code == 410


def test_what_somebody_asked_for_becomes_the_members_invitation(signed_in, ada, mailbox, settings):
    Client().post("/", {"email": EMAIL})
    settings.SIGNUP = "invited"
    send(signed_in)

    assert [row.source for row in Invite.objects.standing()] == ["member"]
    assert join(mailbox).status_code == 302
    assert listed(ada).state == Invite.State.CLAIMED


def test_old_links_of_an_invitation_that_ran_out_stay_dead(signed_in, ada, mailbox):
    old = Invite.objects.issue(EMAIL, source="admin")
    link = mailbox.link(EMAIL, "/signup")
    Invite.objects.update(expires_at=AGO)

    send(signed_in)

    assert Client().get(link).status_code == 410
    assert Invite.objects.standing().get().pk != old.pk
    assert join(mailbox).status_code == 302


def test_only_so_many_go_within_seven_days_and_withdrawn_ones_count(signed_in, ada, settings):
    settings.MEMBERS_INVITE_QUOTA = 2
    send(signed_in)
    press(signed_in, "withdraw", listed(ada))
    with CaptureQueriesContext(connection) as queries:
        send(signed_in, "alan@example.com")
    statements = [query["sql"] for query in queries]
    locked = next(n for n, sql in enumerate(statements) if "FOR NO KEY UPDATE" in sql and "accounts_user" in sql)
    counted = next(n for n, sql in enumerate(statements) if '"created_at" >' in sql)
    assert locked < counted  # two presses at once count one after the other

    page = send(signed_in, "edsger@example.com")
    assert "You can send the next one after" in words(page)
    assert "edsger@example.com" in page.text
    assert Invite.objects.filter(source="shadow").count() == 2
    assert '<form class="stack narrow"' not in signed_in.get(PAGE).text
    Invite.objects.update(created_at=timezone.now() - timedelta(days=7))
    assert send(signed_in, "edsger@example.com").status_code == 302


def test_a_paused_member_reads_why_and_can_only_withdraw(signed_in, ada, mailbox):
    send(signed_in)
    let_a_minute_pass()
    ada.pause_invites()

    assert "paused your invitations on" in words(signed_in.get(PAGE))
    assert "Send again" not in signed_in.get(PAGE).text
    assert "are paused" in words(send(signed_in, "alan@example.com"))
    assert "are paused" in words(press(signed_in, "resend", listed(ada)))
    assert len(mailbox.letters(EMAIL)) == 1
    assert "is withdrawn" in words(press(signed_in, "withdraw", listed(ada)))
    ada.allow_invites()
    assert send(signed_in, "alan@example.com").status_code == 302


def test_one_invitation_is_sent_a_few_times_at_most(signed_in, ada, mailbox):
    send(signed_in)
    for _ in range(6):
        let_a_minute_pass()
        page = press(signed_in, "resend", listed(ada))

    assert "in another way" in words(page)
    assert "Send again" not in signed_in.get(PAGE).text
    assert len(mailbox.letters(EMAIL)) == 5


def test_what_is_not_the_members_is_not_found(signed_in, ada):
    Invite.objects.issue_for_member(UserFactory(), EMAIL)
    send(signed_in, "alan@example.com")
    before = list(Invite.objects.order_by("id").values())

    foreign = [*Invite.objects.exclude(source="shadow", invited_by=ada).values_list("pk", flat=True), "x", ""]
    for verb in ("resend", "withdraw"):
        assert {press(signed_in, verb, pk).status_code for pk in foreign} == {404}
        assert signed_in.get(f"{PAGE}/{verb}").status_code == 302
    assert list(Invite.objects.order_by("id").values()) == before


def test_a_member_sees_what_the_person_and_staff_answer_and_it_stays_so(signed_in, ada, mailbox):
    send(signed_in)
    send(signed_in, "alan@example.com")
    decline = mailbox.link(EMAIL, "/invite/decline")
    Client().post("/invite/decline", {"token": decline.partition("token=")[2]})
    Invite.objects.filter(email="alan@example.com", source="member").revoke()

    assert [row.state for row in Invite.objects.seen_by(ada)] == ["revoked", "declined"]
    assert "is over already" in words(press(signed_in, "resend", listed(ada)))
    assert "is over already" in words(press(signed_in, "withdraw", listed(ada)))


def test_staff_cannot_send_what_only_a_member_sees(signed_in, ada, mailbox):
    send(signed_in)
    let_a_minute_pass()
    rows = Invite.objects.filter(source="shadow")

    assert rows.resend().skipped == rows.extend().skipped == [(EMAIL, Reason.SHADOW)]
    rows.update(expires_at=timezone.now() + timedelta(days=1))
    assert not rows.remindable().exists()
    assert len(mailbox.letters(EMAIL)) == 1


def test_what_a_member_sees_goes_a_year_after_it_is_over(signed_in, ada):
    send(signed_in)
    Invite.objects.update(expires_at=timezone.now() - timedelta(days=364))
    assert not Invite.objects.over().exists()
    Invite.objects.update(expires_at=timezone.now() - timedelta(days=366))
    assert [row.source for row in Invite.objects.over()] == ["shadow"]


def test_with_who_leaves_goes_what_they_saw_and_the_sent_goes_on(signed_in, ada, mailbox):
    send(signed_in)
    ada.erase()

    assert [row.source for row in Invite.objects.all()] == ["member"]
    assert join(mailbox).status_code == 302
