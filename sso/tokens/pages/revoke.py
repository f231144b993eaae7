"""The revocation endpoint: an app gives a token back (RFC 7009)."""

from django.http import HttpRequest, HttpResponse

from sso.doors import Refused, door
from sso.models import Login
from sso.secret import digest
from sso.tokens import client, stored


@door("POST")
def revoke(request: HttpRequest) -> HttpResponse:
    """Ends the login of a token of the app, and with it all its tokens, whatever `token_type_hint` says.

    The answer is the same for a token of another app, which stays as it is, and for one that nobody knows.
    """
    caller = client.authenticate(request)
    value = request.POST.get("token", "")
    if not value:
        raise Refused("invalid_request", "The field token is missing.")
    family, dot, _token = value.partition(stored.DOT)
    # Every refresh token of a family will do, also one that was spent meanwhile.
    found = Login.objects.filter(family=digest(family)) if dot else stored.logins_by(value)
    Login.objects.filter(pk__in=list(found.filter(app=caller.app).values_list("pk", flat=True))).end()
    return HttpResponse()
