"""Apps and logins for tests, made without going through a sign-in."""

from allauth.idp.oidc.models import Token
from django.utils import timezone

from sso.models import Bound, Login
from tests.tools import factories

LOGOUT = "https://app.example/backchannel"


class AppFactory(factories.AppFactory):
    """An app for everybody that wants to be told."""

    logout_uri = LOGOUT


def signed_in(person, app, handle="a", **fields):
    """Stores a login that was used, with a token, and returns it."""
    now = timezone.now()
    about = {"sid": Login.sid_of(handle, app.pk), "epoch": person.session_epoch}
    login = Login.objects.create(
        app=app, person=person, handle=handle, **about | {"auth_time": now, "used_at": now} | fields
    )
    token = Token.objects.create(type=Token.Type.REFRESH_TOKEN, hash=f"h{login.pk}", client=app.client, user=person)
    Bound.objects.create(token=token, login=login)
    return login
