"""The token endpoint: a code or a refresh token is spent for tokens (RFC 6749 §3.2, OpenID Connect Core §3.1.3)."""

from django.http import HttpRequest, HttpResponse

from sso import keys, went_wrong
from sso.doors import Refused, answer, door, form_of
from sso.tokens import client, code, refresh

GRANTS = {code.GRANT: code.spend, refresh.GRANT: refresh.spend}


@door("POST")
def token(request: HttpRequest) -> HttpResponse:
    """Answers with tokens. What an app may not do, and grants that this site does not know, are refused."""
    caller = client.authenticate(request)
    form = form_of(request)
    grant = form.get("grant_type", "")
    if not grant:
        raise Refused("invalid_request", "The field grant_type is missing.")
    if grant not in GRANTS:
        raise Refused("unsupported_grant_type", f"grant_type is one of: {', '.join(GRANTS)}.")
    if not caller.may(grant):
        raise Refused("unauthorized_client", "This app may not ask for tokens in this way.")
    keys.published()  # if the first key must be made, then not in a transaction that may be rolled back
    try:
        return answer(GRANTS[grant](form, caller))
    except Refused as refused:
        went_wrong.note(caller.app.pk, refused.description)
        raise
