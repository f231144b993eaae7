"""Suppressed addresses: shown and lifted at the desk, and deleted with their owners' accounts."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from invites.models import MagicLink
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
LIST = "/admin/outbox/suppression/"


@pytest.fixture
def suppressed():
    Suppression.objects.suppress(EMAIL, "550 5.1.1 No such user")
    return Suppression.objects.get()


def lift(client, *chosen):
    form = {"action": "lift", "_selected_action": [suppression.pk for suppression in chosen]}
    return client.post(LIST, form, follow=True)


def test_the_desk_lists_them_with_their_reason_and_finds_them_by_address(desk, suppressed):
    Suppression.objects.suppress("alan@example.com", "550 5.1.1 Never heard of him")

    assert "mailbox does not exist (5.1.1)" in words(desk.get(LIST))
    found = words(desk.get(LIST, {"q": " Grace@Example.com"}))
    assert EMAIL in found
    assert "alan@" not in found
    assert EMAIL not in words(desk.get(LIST, {"q": "grace"}))


def test_a_lifted_address_is_mailed_again(desk, suppressed, mailbox):
    MagicLink.objects.issue(EMAIL)
    assert mailbox.letters(EMAIL) == []

    page = lift(desk, suppressed)

    assert "Mail goes to 1 address again." in words(page)
    assert not Suppression.objects.exists()
    assert LogEntry.objects.get().object_repr == EMAIL
    MagicLink.objects.issue(EMAIL)
    assert len(mailbox.letters(EMAIL)) == 1


KEPT = "whose owner asked never to be written to: only a link in a mail to them takes that back."


def test_staff_lift_no_wish_of_an_owner_and_are_told_so(desk, wished, mailbox):
    Suppression.objects.suppress("alan@example.com", "550 5.1.1 No such user")

    page = lift(desk, *Suppression.objects.all())

    assert f"Mail goes to 1 address again. 1 skipped: 1 {KEPT}" in words(page)
    assert Suppression.objects.get() == wished
    assert [entry.object_repr for entry in LogEntry.objects.all()] == ["alan@example.com"]
    MagicLink.objects.issue(EMAIL)
    assert mailbox.letters(EMAIL) == []


def test_lifting_a_bounce_leaves_the_wish_of_the_same_address(desk, suppressed):
    Suppression.objects.opt_out(EMAIL)

    page = lift(desk, suppressed)

    assert f"Mail goes to 0 addresses again. 1 skipped: 1 {KEPT}" in words(page)
    assert Suppression.objects.has_opted_out(EMAIL)
    assert not Suppression.objects.filter(recipient=EMAIL).exists()


def test_an_address_that_is_suppressed_twice_over_counts_once(desk, suppressed):
    Suppression.objects.opt_out(EMAIL)

    assert f"Mail goes to 0 addresses again. 1 skipped: 1 {KEPT}" in words(lift(desk, *Suppression.objects.all()))


def test_the_page_of_a_wish_says_what_the_list_says(desk, wished):
    page = words(desk.get(f"{LIST}{wished.pk}/change/"))

    assert "(kept only as a hash)" in page
    assert "Its owner asked never to be written to." in page


def test_nothing_else_can_be_done_to_them(desk, suppressed):
    assert desk.get(f"{LIST}add/").status_code == 403
    assert desk.post(f"{LIST}{suppressed.pk}/change/", {"recipient": "x@example.com"}).status_code == 403
    assert desk.post(f"{LIST}{suppressed.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in desk.get(LIST).text
    assert Suppression.objects.get().recipient == EMAIL


def test_who_may_only_look_lifts_nothing(suppressed):
    helper = UserFactory(username="helper", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename="view_suppression"))
    client = Client()
    client.force_login(helper)

    assert EMAIL in words(client.get(LIST))
    lift(client, suppressed)
    assert Suppression.objects.exists()

    helper.user_permissions.add(Permission.objects.get(codename="delete_suppression"))
    lift(client, suppressed)
    assert not Suppression.objects.exists()


def test_who_leaves_is_named_by_no_suppression_nor_by_one_that_was_lifted(desk, ada):
    Suppression.objects.suppress(ada.email, "550 5.1.1 No such user")
    lift(desk, Suppression.objects.get())
    Suppression.objects.suppress(ada.email, "550 5.1.1 No such user")

    ada.erase()

    assert not Suppression.objects.exists()
    assert LogEntry.objects.exists()
    assert not LogEntry.objects.filter(object_repr="ada@example.com").exists()


def test_a_mail_to_one_is_given_up_with_words_that_say_why(suppressed, mailbox):
    MagicLink.objects.issue(EMAIL)

    assert mailbox.letters(EMAIL) == []
    row = OutboxMessage.objects.get()
    since = f"{suppressed.created_at.day} {suppressed.created_at:%b %Y}"
    assert row.last_answer == f"Not sent: mail to this address came back on {since}: 550 5.1.1 No such user"


@pytest.fixture
def wished():
    """The suppression of Grace, who has asked for no mail."""
    Suppression.objects.opt_out(EMAIL)
    return Suppression.objects.get()


def test_only_a_hash_is_kept_of_an_address_whose_owner_wants_no_mail(wished):
    assert wished.recipient is None
    assert EMAIL not in str(vars(wished))
    assert "grace" not in str(wished)


def test_what_is_mailed_to_them_all_the_same_is_given_up(wished, mailbox):
    MagicLink.objects.issue(EMAIL)
    assert mailbox.letters(EMAIL) == []
    mail = OutboxMessage.objects.get()
    assert mail.given_up_at
    assert "asked" in mail.last_answer


def test_a_new_key_still_knows_them(wished, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-0123456789-abcdefghijklmnopqrstuvwxyz"
    assert Suppression.objects.of(EMAIL) == wished
    assert Suppression.objects.among([EMAIL, "ada@example.com"]) == {EMAIL: wished}
    Suppression.objects.undo_opt_out(EMAIL)
    assert not Suppression.objects.exists()


def test_the_desk_finds_them_only_by_the_whole_address(desk, wished):
    assert "kept only as a hash" in words(desk.get(LIST, {"q": EMAIL}))
    assert "kept only as a hash" not in words(desk.get(LIST, {"q": "ada@example.com"}))


def test_who_joins_is_written_to_again(wished):
    UserFactory(email=EMAIL)
    assert not Suppression.objects.exists()
