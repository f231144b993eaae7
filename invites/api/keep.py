"""JSON door for the link in the mail to somebody who has left: it keeps the account."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.limits import POST_PER_NETWORK
from invites.api import press
from invites.link import keeping
from kit.json_door import Fields, door, message


@door("POST", POST_PER_NETWORK)
def keep(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Keeps the account to which the mail with this `token` went, and signs nobody in. Answers with a message.

    So it does again for an account that stays already. Answers 404 for an invalid token or a deleted account, and 429
    after too many requests or invalid tokens.
    """
    try:
        keeping.keep(request, keeping.find(request, sent.get("token", "")))
    except keeping.Broken:
        raise press.broken() from None
    return message(_("Your account stays. Sign in to carry on."))
