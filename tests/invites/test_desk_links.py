"""The list of sign-in links at the desk: links that people asked for, to be read only."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invites import purposes
from invites.models import Invite, MagicLink
from kit import list_filter, times, tokens
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

LIST = "/admin/invites/magiclink/"
EMAIL = "grace@example.com"
NOW = timezone.now()
AGO = NOW - timedelta(hours=1)


def staff(*permissions):
    """Returns the browser of a member of staff with these permissions and no others."""
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.post("/login", {"login": person.username, "password": PASSWORD})
    return client


def found(desk, **query):
    return sorted(row.email.partition("@")[0] for row in desk.get(LIST, query).context["cl"].result_list)


def cell(page, column, email=EMAIL):
    row = next(row for row in page.text.split("<tr>") if email in row)
    found = re.search(rf'field-{column}[^"]*">(?:<span class="lbl">.*?</span>)?(.*?)</t[dh]>', row)
    return re.sub("<.*?>", "", found[1])


def test_the_list_holds_links_people_asked_for_but_no_invitations_own_link(desk):
    for purpose in MagicLink.Purpose:
        LinkFactory(email=f"{purpose}@example.com", purpose=purpose)
    LinkFactory(email="invited@example.com", invite=InviteFactory(email="invited@example.com"))

    assert found(desk) == ["disowned", "invited", "link", "owner", "proof", "register", "renewed", "request", "reset"]
    assert found(desk, q=" Reset@Example.com ") == ["reset"]


def test_the_list_shows_the_address_purpose_and_age_of_a_link(desk):
    LinkFactory(email="ada@xn--mnchen-3ya.de", purpose="reset", sent_at=AGO)

    page = desk.get(LIST)

    assert cell(page, "address", "münchen") == "ada@münchen.de"
    assert cell(page, "purpose", "münchen") == "a new password"
    assert cell(page, "sent", "münchen") == times.brief(AGO)


def test_owner_links_are_for_superusers(desk):
    LinkFactory(email=EMAIL, purpose="owner")
    helper = staff("view_invite")

    assert found(helper) == found(helper, q=EMAIL) == []
    assert found(desk) == found(desk, q=EMAIL) == ["grace"]


def badge_of(desk, link):
    """Returns the link's badge in the list, and the choice of the filter that finds it, if one does."""
    uses = [use for use in ("used", "running", "over") if found(desk, use=use, q=link.email)]
    assert len(uses) <= 1
    return cell(desk.get(LIST), "state_tag", link.email), *uses


@pytest.mark.parametrize(
    ("badge", "of_link", "of_invite"),
    [
        ("Pending", {}, None),
        ("Used", {"used_at": NOW, "revoked_at": NOW, "expires_at": AGO}, {"declined_at": NOW}),
        ("Used", {"expires_at": AGO}, {"accepted_at": NOW}),
        ("Declined", {}, {"declined_at": NOW}),
        ("Withdrawn", {"revoked_at": NOW, "expires_at": AGO}, {}),
        ("Withdrawn", {"expires_at": AGO}, {"revoked_at": NOW}),
        ("Expired", {"expires_at": AGO}, None),
    ],
)
def test_the_list_shows_the_state_that_a_press_would_find(desk, badge, of_link, of_invite):
    invite = None if of_invite is None else InviteFactory(email=EMAIL, **of_invite)
    assert badge_of(desk, LinkFactory(email=EMAIL, invite=invite, **of_link))[0] == badge


def test_a_link_that_another_has_spent_counts_as_used(desk):
    spent = LinkFactory(email=EMAIL, sent_at=AGO)
    LinkFactory(email=EMAIL, used_at=NOW, invite=InviteFactory())

    page = desk.get(LIST, {"use": "running"})

    assert [row.pk for row in page.context["cl"].result_list] == [spent.pk]
    assert cell(page, "state_tag") == "Used"


@pytest.mark.parametrize(
    ("use", "of_link"),
    [
        ("running", {}),
        ("over", {"expires_at": AGO}),
        ("used", {"used_at": NOW}),
        ("used", {"used_at": NOW, "expires_at": AGO}),
    ],
)
def test_a_link_is_found_by_whether_it_was_used(desk, use, of_link):
    assert badge_of(desk, LinkFactory(email=EMAIL, **of_link))[1:] == (use,)


def test_counts_beside_the_filter_stop_at_a_limit(desk, monkeypatch):
    monkeypatch.setattr(list_filter, "COUNTED", 2)
    for name in "abc":
        LinkFactory(email=f"{name}@example.com")
    LinkFactory(email="used@example.com", used_at=NOW)
    InviteFactory()

    page = desk.get(LIST)

    assert "Unused, still running <b>2+</b>" in page.text
    assert ">Used <b>1</b>" in page.text
    assert "Unused, run out <b>0</b>" in page.text
    assert desk.get(f"{LIST}?use=claimed").url.endswith("?e=1")


def test_the_list_says_what_became_of_each_mail(desk):
    def delivery(link):
        return cell(desk.get(LIST), "delivery", link.email)

    link = MagicLink.objects.issue(EMAIL)
    InviteFactory(email="alan@example.com")
    invited = MagicLink.objects.issue("alan@example.com")
    mail = OutboxMessage.objects.get(recipient=EMAIL)

    assert delivery(link) == delivery(invited) == "Waiting to leave"
    for _ in range(2):
        mail.mark_failed("450 4.2.0 Greylisted")
    assert delivery(link) == "Put off: the server wants to see it again later, tried 2 times"
    OutboxMessage.objects.get(recipient=invited.email).mark_sent("250 taken")
    assert delivery(invited) == "Sent now"
    assert delivery(LinkFactory(email="unmailed@example.com")) == "–"


def test_no_token_or_password_is_on_any_of_its_pages(desk):
    secrets = {"password": "hash-of-what-she-typed", "seal": "of-her-browser", "used_in": "her-browser-once-more"}
    link = LinkFactory(email=EMAIL, purpose="register", username="hopper", **secrets)
    signed = [tokens.sign(purpose, link.pk) for purpose in (purposes.SIGNUP, purposes.CONFIRM, purposes.RESET)]

    assert EMAIL in desk.get(LIST).text
    for path in ("", f"?q={EMAIL}", f"{link.pk}/change/", f"{link.pk}/history/", f"{link.pk}/delete/"):
        page = desk.get(LIST + path, follow=True)
        for secret in [*secrets.values(), *signed, "?token="]:
            assert secret not in page.text, path


def test_no_secret_can_be_guessed_letter_by_letter(desk):
    link = LinkFactory(email=EMAIL, password="hash")

    for lookup in ("password__startswith=h", "seal=", "used_in=", f"id={link.pk}"):
        assert desk.get(f"{LIST}?{lookup}").status_code in {302, 400}


def test_the_list_takes_the_right_to_see_invitations(client):
    LinkFactory(email=EMAIL)
    assert client.get(LIST).url == f"/admin/login/?next={LIST}"
    others = staff("view_user", "view_event", "view_outboxmessage", "add_invite")
    assert others.get(LIST).status_code == 403
    assert "Sign-in links" not in words(others.get("/admin/"))

    helper = staff("view_invite")

    assert EMAIL in helper.get(LIST).text
    assert "Sign-in links" in words(helper.get("/admin/"))


def test_nobody_adds_changes_or_deletes_one(desk):
    link = LinkFactory(email=EMAIL)
    before = list(MagicLink.objects.values())
    may_do_all = staff("view_invite", "add_invite", "change_invite", "delete_invite")

    for client in (desk, may_do_all):
        form = {"email": "mallory@example.com", "purpose": "owner", "expires_at_0": "2099-01-01", "post": "yes"}
        for path in ("add/", f"{link.pk}/change/", f"{link.pk}/delete/"):
            assert client.post(LIST + path, form).status_code in {403, 404}
        for action in ("delete_selected", "revoke", "resend", "extend"):
            client.post(LIST, {"action": action, "index": "0", "_selected_action": link.pk, "post": "yes"})
        page = client.get(LIST)
        assert "_selected_action" not in page.text
        assert f"{LIST}add/" not in page.text

    assert list(MagicLink.objects.values()) == before


def test_fifty_links_of_any_kind_cost_as_many_statements_as_one(desk):
    def cost():
        with CaptureQueriesContext(connection) as statements:
            assert desk.get(LIST).status_code == 200
        # When Redis is too slow, the session is read from PostgreSQL: that statement is not the list's.
        return len([query for query in statements if 'FROM "accounts_session"' not in query["sql"]])

    MagicLink.objects.issue(EMAIL)
    desk.get(LIST)
    one = cost()
    for n in range(49):
        if n % 2:
            Invite.objects.issue(f"guest{n}@example.com", source="admin")
        MagicLink.objects.issue(f"guest{n}@example.com").claim("", UserFactory())

    assert cost() == one
    assert len(found(desk)) == 50
