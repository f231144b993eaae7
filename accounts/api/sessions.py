"""JSON doors to sessions: the present one, and all of the user's."""

from django.contrib.auth import logout as forget
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.models import Session
from accounts.session import sessions
from accounts.session.account_page import PersonRequest
from accounts.session.notes import HANDLE
from accounts.who import signed_in, who
from kit.json_door import Fields, Refused, door, message


@door("GET")
def current(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Answers who is signed in here, in which groups they are, and until when; 401 if nobody is.

    Either answer holds the CSRF token, without which nothing can be changed.
    """
    return who(request, groups=True)


@door("GET", guard=signed_in)
def list_sessions(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Answers with the user's live sessions, at most 100: the present one first, then the newest.

    Each has its id (the handle by which it can be ended), device, IP address, beginning and end. Answers 401 to anyone
    not signed in.
    """
    this = sessions.stored_as(request)
    rows = [
        {
            "id": session.handle,
            "device": session.device_name,
            "ip": session.ip,
            "created_at": session.created_at,
            "ends_at": session.expire_date,
            "is_current": session.session_key == this,
        }
        for session in Session.objects.list_of(request.person, this)
    ]
    return JsonResponse({"sessions": rows})


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def end(request: PersonRequest, _sent: Fields, handle: str) -> HttpResponse:
    """Ends the user's session that has this `handle`, perhaps the present one. Answers with a message.

    Answers 404 if the user has no such live session, 429 after too many requests, and 401 to anyone not signed in.
    """
    own = handle == request.session.get(HANDLE)
    ended = request.person.sessions.end(handle, **request.trace)
    if own:
        forget(request)
    if ended is None:
        raise Refused(404, "not_found", _("That session had already ended."))
    return message(_("Session ended: %(device)s.") % {"device": ended.device_or_unknown})
