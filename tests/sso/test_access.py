"""Whom an app lets in: the page, the tiles and the tokens all go by the same rule."""

from itertools import product

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from sso.launch.tiles import open_apps
from sso.models import App, Login
from tests.tools.factories import AppFactory, UserFactory

pytestmark = pytest.mark.django_db

PEOPLE = ({}, {"is_staff": True}, {"is_superuser": True})
FACTORS = {"": False, "trusted_browser": False, "app": True, "recovery_code": True}  # whether it is a code


def test_page_tiles_and_tokens_agree_on_whom_an_app_lets_in():
    editors = Group.objects.create(name="editors")
    people = [UserFactory(**rights) for rights in PEOPLE * 2]
    editors.user_set.set(people[: len(PEOPLE)])
    apps = [
        AppFactory(
            groups=[] if everybody else [editors], staff_only=staff_only, second_factor=code, is_active=on, offline=True
        )
        for everybody, staff_only, code, on in product([True, False], repeat=4)
    ]
    now = timezone.now()
    # Offline, so that no session of theirs need be there.
    about = {"offline": True, "auth_time": now, "used_at": now}
    Login.objects.bulk_create(
        Login(app=app, person=person, epoch=person.session_epoch, factor=factor, **about)
        for app, person, factor in product(apps, people, FACTORS)
    )
    alive = set(Login.objects.alive().values_list("app", "person", "factor"))

    for person in people:
        of_the_house = person.is_staff or person.is_superuser
        listed = set(open_apps(person))
        for app in App.objects.with_access_of(person):
            is_let_in = (
                app.is_active
                and (app.everybody or person in people[: len(PEOPLE)])
                and (of_the_house or not app.staff_only)
            )
            assert (app in listed) == is_let_in
            for factor, is_code in FACTORS.items():
                may = is_let_in and (is_code or not app.second_factor)
                assert (app.refusal(person, has_code=is_code) is None) == may
                assert ((app.pk, person.pk, factor) in alive) == may
