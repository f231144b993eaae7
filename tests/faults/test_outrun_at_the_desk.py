"""What another request changes between the check of a form at the desk and its storing is said, and is no fault."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.desk import PersonAdmin
from accounts.models import Event, User
from invites.desk.person import mail_one_reset
from tests.faults.test_races import at_once
from tests.tools.factories import UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.usefixtures("db")

LIST = "/admin/accounts/user/"


def at(person):
    return f"{LIST}{person.pk}/change/"


def meanwhile(monkeypatch, act):
    """Has `act` done by another request after a form was checked, and before it is stored."""
    checked = PersonAdmin.save_model

    def outrun(*args, **kwargs):
        monkeypatch.setattr(PersonAdmin, "save_model", checked)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(alone, act).result()
        return checked(*args, **kwargs)

    monkeypatch.setattr(PersonAdmin, "save_model", outrun)


def alone(act):
    try:
        act()
    finally:
        connection.close()


TYPED = {"username": "hopper", "email": "hopper@example.com", "is_active": "on"}


@pytest.mark.parametrize("taken", [{"username": "hopper"}, {"email": "hopper@example.com"}])
@pytest.mark.parametrize("way", ["change", "add"])
def test_a_name_or_address_that_is_taken_just_now_is_said_and_nothing_typed_is_lost(desk, ada, monkeypatch, taken, way):
    meanwhile(monkeypatch, lambda: UserFactory(**taken))

    page = desk.post(at(ada) if way == "change" else f"{LIST}add/", TYPED)

    assert page.status_code == 200
    assert "already exists" in words(page)
    assert 'value="hopper"' in page.text
    assert 'value="hopper@example.com"' in page.text
    assert User.objects.get(pk=ada.pk).username == "ada"
    assert not Event.objects.filter(kind="power_used").exists()


def test_somebody_who_is_deleted_just_now_is_changed_no_more(desk, ada, monkeypatch):
    meanwhile(monkeypatch, lambda: User.objects.get(pk=ada.pk).erase())

    page = desk.post(at(ada), TYPED, follow=True)

    assert "Perhaps it was deleted?" in words(page)
    assert not User.objects.filter(username="hopper").exists()


def test_a_reset_link_asked_for_many_times_at_once_is_one_mail(rf, ada, admin_user, mailbox):
    request = rf.post(LIST)
    request.user = admin_user

    mailed = at_once(lambda _n: mail_one_reset(request, ada), 8)

    assert sum(mailed) == 1
    assert mailbox.kinds("ada@example.com") == ["reset"]
    assert ada.events.filter(kind="reset_mailed").count() == 1
