"""An invitation for one address, opened by a person who uses another."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Event, User
from invites import purposes
from invites.link.readdressing import Readdressing
from invites.models import Invite, MagicLink, Unavailable
from kit import tokens
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def maria(db):
    return UserFactory(username="maria", email="maria@lab.example")


@pytest.fixture
def invite(maria):
    return InviteFactory(email="grace@example.com", invited_by=maria, note="Hello", next="/account/settings")


def link(row, page="/signup", purpose=purposes.SIGNUP):
    return f"{page}?token={tokens.sign(purpose, row.pk)}"


def token(row, purpose=purposes.SIGNUP):
    return {"token": tokens.sign(purpose, row.pk)}


def question(mailbox):
    """Returns the token of the mail that asks Maria."""
    return {"token": mailbox.link("maria@lab.example", "/invite/readdress").partition("token=")[2]}


def test_both_addresses_are_named_and_nothing_is_used_up(signed_in, invite):
    before = [model.objects.values().get() for model in (Invite, MagicLink)]

    page = signed_in.get(link(invite))

    assert "This invitation is for another address" in words(page)
    assert "It is for grace@example.com, and you’re signed in as ada@example.com." in words(page)
    assert [model.objects.values().get() for model in (Invite, MagicLink)] == before
    assert page["Cache-Control"].startswith("max-age=0")


def test_posting_the_form_is_refused_in_the_same_way(signed_in, invite):
    page = signed_in.post("/signup", token(invite) | {"username": "grace", "password": PASSWORD})

    assert "This invitation is for another address" in words(page)
    assert not User.objects.filter(email="grace@example.com").exists()


def test_signing_out_leads_on_with_the_invite(signed_in, invite):
    page = signed_in.post("/logout/here", {"next": link(invite)}, follow=True)

    assert page.status_code == 200
    assert "Create a username" in words(page)
    signed_in.post("/signup", token(invite) | {"username": "grace", "password": PASSWORD})
    assert "grace@example.com" in signed_in.get("/account").text


def test_the_page_has_a_form_for_that(signed_in, invite):
    page = signed_in.get(link(invite)).text

    assert 'action="/logout/here"' in page
    assert f'value="{link(invite)}"' in page


def test_signing_out_leads_to_no_other_site(signed_in):
    assert signed_in.post("/logout/here", {"next": "https://evil.example/"}).url == "/login"


def test_a_link_somebody_asked_for_has_nobody_to_ask(signed_in):
    page = signed_in.get(link(LinkFactory()))

    assert "This invitation is for another address" in words(page)
    assert "/invite/readdress" not in page.text


def test_a_planned_account_is_not_made_behind_somebody_elses_session(signed_in, ada, mailbox):
    planner = signed_in
    planner.post("/logout/here")
    planner.post("/signup", {"email": "grace@example.com", "username": "grace", "password": PASSWORD})
    typed = {"token": mailbox.link("grace@example.com", "/confirm").partition("token=")[2]}
    planner.post("/login", {"login": "ada", "password": PASSWORD})

    page = planner.post("/confirm", typed)

    assert "This invitation is for another address" in words(page)
    assert not User.objects.filter(username="grace").exists()
    planner.post("/logout/here")
    assert planner.post("/confirm", typed).url == "/login"
    assert User.objects.filter(username="grace").exists()


def test_the_sender_is_asked_once_and_sees_both_addresses(signed_in, invite, mailbox):
    page = signed_in.post("/invite/readdress", token(invite))

    assert "We asked maria" in words(page)
    text = " ".join(mailbox.text("maria@lab.example").split())
    assert "You invited grace@example.com" in text
    assert "uses ada@example.com and asks you to send it there instead" in text

    page = signed_in.post("/invite/readdress", token(invite), follow=True)
    assert "maria has been asked to send it to another address" in words(page)
    assert mailbox.kinds("maria@lab.example") == ["readdress"]


def test_approval_sends_it_to_the_other_address_and_withdraws_it_from_the_first(signed_in, invite, mailbox):
    signed_in.post("/invite/readdress", token(invite))
    maria = Client()

    page = maria.get("/invite/readdress/answer", question(mailbox))
    assert "Send it to ada@example.com" in words(page)
    assert Invite.objects.count() == 1
    page = maria.post("/invite/readdress/answer", question(mailbox))

    assert "A new one is on its way to ada@example.com" in words(page)
    invite.refresh_from_db()
    new = Invite.objects.exclude(pk=invite.pk).get()
    assert invite.state == "revoked"
    assert (new.email, new.source, new.note, new.next) == ("ada@example.com", "admin", "Hello", "/account/settings")
    assert new.invited_by.username == "maria"
    assert mailbox.kinds("ada@example.com")[-1] == "link_known"
    page = Client().get(link(invite))
    assert page.status_code == 410
    assert "It was sent to another address instead." in words(page)
    assert maria.post("/invite/readdress/answer", question(mailbox)).status_code == 410
    assert mailbox.kinds("ada@example.com").count("link_known") == 1


def test_declining_changes_nothing_and_the_person_who_asked_is_told(signed_in, invite, mailbox):
    signed_in.post("/invite/readdress", token(invite))

    page = Client().post("/invite/readdress/decline", question(mailbox))

    assert "It goes on working for grace@example.com" in words(page)
    assert Client().get(link(invite)).status_code == 200
    assert mailbox.kinds("ada@example.com")[-1] == "not_readdressed"
    assert Client().post("/invite/readdress/answer", question(mailbox)).status_code == 410
    page = signed_in.post("/invite/readdress", token(invite), follow=True)
    assert "maria was asked to send it to another address and has left it with grace@example.com" in words(page)
    assert mailbox.kinds("maria@lab.example") == ["readdress"]


def test_the_person_who_asked_is_answered_in_their_own_language(client, google, invite, mailbox):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "ru"
    google.person = Person(sub="1", email="hopper@gmail.com")
    client.get(google.consent(client.post("/google", token(invite)).url))
    client.post("/invite/readdress", token(invite))

    Client().post("/invite/readdress/answer", question(mailbox))

    assert mailbox.letters("hopper@gmail.com")[-1]["Content-Language"] == "ru"


def test_a_stranger_learns_nothing_and_asks_for_nobody(client, invite, mailbox):
    assert "grace@example.com" in client.get(link(invite)).text  # the holder of the link

    client.post("/invite/readdress", token(invite))
    client.post("/invite/readdress", {"token": "x"})

    assert mailbox.letters() == []
    assert client.post("/invite/readdress/answer", token(invite)).status_code == 404
    assert client.post("/invite/readdress/answer", {"token": "x"}).status_code == 404


def test_nobody_is_asked_to_send_it_where_it_is(signed_in, maria, mailbox):
    mine = InviteFactory(email="ada@example.com", invited_by=maria)

    signed_in.post("/invite/readdress", token(mine))

    assert mailbox.letters("maria@lab.example") == []


def test_a_sender_who_was_turned_off_is_not_asked(signed_in, invite, maria, mailbox):
    maria.turn_off()

    assert "/invite/readdress" not in signed_in.get(link(invite)).text
    signed_in.post("/invite/readdress", token(invite))

    assert mailbox.letters("maria@lab.example") == []
    with pytest.raises(Unavailable):
        Readdressing(Invite.objects.get()).ask("ada@example.com")
    assert Invite.objects.get().readdress_to == ""


def test_two_people_who_ask_at_the_same_time_cause_one_mail(invite, mailbox):
    first, second = Invite.objects.get(), Invite.objects.get()
    Readdressing(first).ask("ada@example.com")

    with pytest.raises(Unavailable):
        Readdressing(second).ask("grace@gmail.com")

    assert Invite.objects.get().readdress_to == "ada@example.com"
    assert mailbox.kinds("maria@lab.example") == ["readdress"]


@pytest.mark.parametrize("over", ["accepted_at", "declined_at", "revoked_at", "replaced_at"])
def test_nobody_is_asked_about_an_invite_that_has_just_ended(invite, mailbox, over):
    late = Invite.objects.get()
    Invite.objects.update(**{over: timezone.now()})

    with pytest.raises(Unavailable):
        Readdressing(late).ask("ada@example.com")

    assert mailbox.letters() == []


def test_the_new_invitation_keeps_the_batch_and_takes_the_askers_language(signed_in, maria, mailbox):
    invite = InviteFactory(invited_by=maria, language="ru", batch="course 7")
    signed_in.post("/invite/readdress", token(invite))

    Client().post("/invite/readdress/answer", question(mailbox))

    new = Invite.objects.get(email="ada@example.com")
    assert (new.language, new.batch) == ("en", "course 7")  # whoever asked has read English pages


def test_the_person_who_asked_hears_once_of_two_answers_at_the_same_time(signed_in, invite, mailbox):
    signed_in.post("/invite/readdress", token(invite))
    first, second = Invite.objects.get(), Invite.objects.get()
    Readdressing(first).refuse()

    with pytest.raises(Unavailable):
        Readdressing(second).refuse()

    assert mailbox.kinds("ada@example.com").count("not_readdressed") == 1


def test_a_second_answer_at_the_same_time_finds_nothing_left_to_answer(signed_in, invite, mailbox, monkeypatch):
    signed_in.post("/invite/readdress", token(invite))
    original = Readdressing.approve

    def late(self):
        Readdressing(Invite.objects.get()).refuse()
        return original(self)

    monkeypatch.setattr(Readdressing, "approve", late)

    page = Client().post("/invite/readdress/answer", question(mailbox))

    assert page.status_code == 410
    assert "There is nothing left to answer" in words(page)
    assert Invite.objects.count() == 1


def test_looking_at_the_question_answers_nothing(signed_in, invite, mailbox):
    signed_in.post("/invite/readdress", token(invite))
    before = Invite.objects.values().get()

    for method in ("get", "head"):
        for page in ("/invite/readdress/answer", "/invite/readdress/decline"):
            assert getattr(Client(), method)(page, question(mailbox)).status_code == 200

    assert Invite.objects.values().get() == before


def test_a_link_that_is_only_opened_asks_nobody(signed_in, invite, mailbox):
    for method in ("get", "head"):
        assert getattr(signed_in, method)("/invite/readdress", token(invite)).status_code == 302

    invite.refresh_from_db()
    assert invite.readdress_asked_at is None
    assert mailbox.letters("maria@lab.example") == []


@pytest.mark.parametrize("over", ["accepted_at", "declined_at", "revoked_at"])
def test_an_invite_that_is_over_is_not_sent_to_another_address(signed_in, invite, mailbox, over):
    signed_in.post("/invite/readdress", token(invite))
    Invite.objects.update(**{over: timezone.now()})

    page = Client().post("/invite/readdress/answer", question(mailbox))

    assert page.status_code == 410
    assert Invite.objects.count() == 1


def test_a_sender_who_was_turned_off_has_no_say(signed_in, invite, maria, mailbox):
    signed_in.post("/invite/readdress", token(invite))
    maria.turn_off()

    assert Client().post("/invite/readdress/answer", question(mailbox)).status_code == 410
    assert Invite.objects.count() == 1


def test_an_expired_invite_can_still_be_sent_elsewhere(signed_in, invite, mailbox):
    signed_in.post("/invite/readdress", token(invite))
    Invite.objects.update(expires_at=timezone.now())

    Client().post("/invite/readdress/answer", question(mailbox))

    assert Invite.objects.exclude(pk=invite.pk).get().email == "ada@example.com"


def test_the_address_of_the_person_who_asked_is_deleted_with_the_account(signed_in, invite, ada):
    signed_in.post("/invite/readdress", token(invite))

    ada.erase()

    invite.refresh_from_db()
    assert invite.readdress_to == ""


def test_another_google_account_than_the_invited_one_uses_nothing_up(client, google, invite, mailbox):
    google.person = Person(sub="1", email="hopper@gmail.com")

    page = client.get(google.consent(client.post("/google", token(invite)).url), follow=True)

    assert google.visits[0].query["login_hint"] == "grace@example.com"
    assert "It is for grace@example.com, and at Google you chose hopper@gmail.com." in words(page)
    assert not User.objects.filter(email="hopper@gmail.com").exists()
    assert client.get("/account").status_code == 302
    invite.refresh_from_db()
    assert invite.state == "pending"

    client.post("/invite/readdress", token(invite))
    Client().post("/invite/readdress/answer", question(mailbox))
    assert mailbox.kinds("hopper@gmail.com") == ["invite"]
    assert "Create a username" in words(client.get(mailbox.link("hopper@gmail.com", "/signup")))


def test_an_account_that_nobody_has_entered_yet_is_not_named(client, google, invite, mailbox):
    google.person = Person(sub="1", email="hopper@gmail.com")
    UserFactory(email="ada@example.com").google.adopt("1", "hopper@gmail.com")

    page = client.get(google.consent(client.post("/google", token(invite)).url), follow=True)
    client.post("/invite/readdress", token(invite))

    assert "ada@example.com" not in page.text
    assert "at Google you chose hopper@gmail.com" in words(page)
    invite.refresh_from_db()
    assert invite.readdress_to == "hopper@gmail.com"


def test_choosing_another_google_account_for_an_invite_connects_nothing(client, google, invite, ada):
    """On a shared computer somebody has left the page about another Google account open, and Ada signs in next."""
    google.person = Person(sub="1", email=ada.email)
    UserFactory(username="bob").google.adopt("1", ada.email)
    client.get(google.consent(client.post("/google", token(invite)).url))
    User.objects.get(username="bob").google.forget()

    client.post("/login", {"login": "ada", "password": PASSWORD})

    assert ada.google.account is None


KEEP = "Ask maria to send it to hopper@navy.example"


@pytest.mark.parametrize("hd", ["", "army.example"])
def test_an_address_that_google_does_not_give_out_is_not_offered_to_the_sender(client, google, invite, mailbox, hd):
    google.person = Person(sub="1", email="hopper@navy.example", hd=hd)

    page = client.get(google.consent(client.post("/google", token(invite)).url), follow=True)
    client.post("/invite/readdress", token(invite))

    assert "at Google you chose hopper@navy.example" in words(page)
    assert KEEP not in words(page)
    invite.refresh_from_db()
    assert (invite.readdress_asked_at, invite.state) == (None, "pending")
    assert mailbox.letters("maria@lab.example") == []


def test_a_workspace_address_is_offered_to_the_sender(client, google, invite):
    google.person = Person(sub="1", email="hopper@navy.example", hd="navy.example")

    page = client.get(google.consent(client.post("/google", token(invite)).url), follow=True)

    assert KEEP in words(page)


def test_google_that_waits_to_be_connected_proves_no_other_address(client, google, invite, mailbox):
    google.person = Person(sub="1", email="hopper@navy.example")
    client.get(google.consent(client.post("/google").url))

    client.post("/invite/readdress", token(invite))

    invite.refresh_from_db()
    assert invite.readdress_asked_at is None
    assert mailbox.letters("maria@lab.example") == []


def test_an_address_that_waits_to_be_connected_is_not_offered_to_the_sender(client, google, invite):
    google.person = Person(sub="1", email="hopper@navy.example")
    client.get(google.consent(client.post("/google").url))

    page = client.get(google.consent(client.post("/google", token(invite)).url), follow=True)

    assert "at Google you chose hopper@navy.example" in words(page)
    assert KEEP not in words(page)


def test_asking_for_a_fresh_link_asks_the_sender_no_second_time(signed_in, invite, mailbox):
    signed_in.post("/invite/readdress", token(invite))
    Invite.objects.update(expires_at=timezone.now())
    fresh = MagicLink.objects.issue("grace@example.com")
    assert fresh.pk != invite.pk

    signed_in.post("/invite/readdress", token(fresh))

    assert mailbox.kinds("maria@lab.example") == ["readdress"]
    assert "A new one is on its way" in words(Client().post("/invite/readdress/answer", question(mailbox)))
    fresh.refresh_from_db()
    assert fresh.state == "revoked"


def test_the_sender_is_asked_by_a_link_that_the_holder_asked_for_too(signed_in, invite, mailbox):
    Invite.objects.update(expires_at=timezone.now())
    fresh = MagicLink.objects.issue("grace@example.com")

    assert "We asked maria" in words(signed_in.post("/invite/readdress", token(fresh)))
    Client().post("/invite/readdress/answer", question(mailbox))

    assert Invite.objects.get(email="ada@example.com").note == "Hello"
    assert Client().get(link(fresh)).status_code == 410


def test_an_answer_about_a_replaced_invite_counts_for_its_replacement(signed_in, invite, maria, mailbox):
    signed_in.post("/invite/readdress", token(invite))
    Invite.objects.update(expires_at=timezone.now())
    newer = Invite.objects.issue("grace@example.com", source="admin", invited_by=maria, note="Once more")

    assert "A new one is on its way" in words(Client().post("/invite/readdress/answer", question(mailbox)))

    newer.refresh_from_db()
    assert newer.state == "revoked"
    assert Invite.objects.get(email="ada@example.com").note == "Once more"


def test_an_invitation_of_staff_to_the_other_address_is_mailed_again(signed_in, invite, mailbox):
    theirs = InviteFactory(email="ada@example.com", note="Welcome")
    signed_in.post("/invite/readdress", token(invite))

    Client().post("/invite/readdress/answer", question(mailbox))

    theirs.refresh_from_db()
    assert (theirs.note, theirs.sends, theirs.state) == ("Welcome", 1, "pending")
    assert Invite.objects.filter(email="ada@example.com").count() == 1
    assert mailbox.kinds("ada@example.com")[-1] == "link_known"


def test_an_invite_that_ended_on_the_way_to_google_is_no_wrong_account(client, google, invite):
    google.person = Person(sub="1", email="hopper@gmail.com")
    path = google.consent(client.post("/google", token(invite)).url)
    Invite.objects.update(revoked_at=timezone.now())

    assert client.get(path).url == "/account"
    assert User.objects.filter(email="hopper@gmail.com").exists()


def test_an_address_from_google_is_forgotten_after_its_visitor_has_asked(client, google, invite, maria, mailbox):
    google.person = Person(sub="1", email="hopper@gmail.com")
    client.get(google.consent(client.post("/google", token(invite)).url))
    client.post("/invite/readdress", token(invite))
    another = InviteFactory(email="joan@example.com", invited_by=maria)

    client.post("/invite/readdress", token(another))

    assert mailbox.kinds("maria@lab.example") == ["readdress"]


def test_an_unconfirmed_google_address_asks_for_nobody(client, google, invite, mailbox):
    google.person = Person(sub="1", email="hopper@gmail.com", email_verified=False)

    page = client.get(google.consent(client.post("/google", token(invite)).url), follow=True)
    client.post("/invite/readdress", token(invite))

    assert page.status_code == 403
    assert mailbox.letters() == []


def test_an_account_whose_google_address_was_invited_is_no_wrong_account(client, google, maria):
    """The account has another address, but its Google account has the invited one: it is the same person."""
    google.person = Person(sub="1", email="hopper@gmail.com")
    ada = UserFactory(email="ada@example.com")
    ada.google.adopt("1", "hopper@gmail.com")
    invite = InviteFactory(email="hopper@gmail.com", invited_by=maria)

    page = client.get(google.consent(client.post("/google", token(invite)).url), follow=True)

    assert page.redirect_chain[-1][0] == "/account"
    assert Event.objects.filter(kind="signed_in", user=ada).exists()


def test_whoever_is_signed_in_reads_of_the_wrong_account_before_anything_else(signed_in, ada, settings):
    """Page and program agree: case 6 of invites/link/opened.py comes before case 12."""
    settings.SIGNUP = "invited"
    link = LinkFactory(email="grace@example.com")
    token = tokens.sign(purposes.SIGNUP, link.pk)
    form = {"token": token, "username": "grace", "password": PASSWORD}

    pages = [signed_in.get("/signup", {"token": token}), signed_in.post("/signup", form)]
    program = Program()
    program.sign_in("ada", PASSWORD)
    answer = program.send("/api/v1/auth/create", **form)

    assert [page.status_code for page in pages] == [200, 200]
    assert all("grace@example.com" in words(page) and ada.email in words(page) for page in pages)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "wrong_account")


def test_an_address_that_has_an_account_is_not_told_to_get_an_invitation(client, settings):
    settings.SIGNUP = "invited"
    link = LinkFactory(email="grace@example.com", epoch=0)
    UserFactory(username="grace", email="grace@example.com")
    token = tokens.sign(purposes.SIGNUP, link.pk)

    page = client.post("/signup", {"token": token, "username": "hopper", "password": PASSWORD})

    assert page.url == tokens.path(purposes.CONFIRM, link.pk)


def test_what_goes_to_another_address_no_longer_leaves_for_the_first(mailbox, maria):
    invite = Invite.objects.issue("grace@example.com", source="admin", invited_by=maria)
    Readdressing(invite).ask("hopper@example.com")

    Readdressing(Invite.objects.get()).approve()

    assert not mailbox.letters("grace@example.com")
    assert mailbox.kinds("hopper@example.com") == ["invite"]
