"""JSON doors to sessions: the present one, and all of the user's."""

from django.contrib.auth import logout as forget
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.session.account_page import PersonRequest
from accounts.session.notes import HANDLE
from accounts.who import signed_in, who
from kit.json_door import Fields, Refused, door, message


@door("GET")
def current(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Returns who is signed in here, and until when; 401 if nobody is.

    Either answer holds the CSRF token, without which nothing can be changed.
    """
    return who(request)


@door("GET", guard=signed_in)
def list_sessions(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Returns the user's sessions: the present one first, then the newest."""
    this = request.session.session_key
    rows = [
        {
            "id": session.handle,
            "device": session.device_name,
            "ip": session.ip,
            "created_at": session.created_at,
            "ends_at": session.expire_date,
            "is_current": session.session_key == this,
        }
        for session in request.person.sessions.for_list(this)
    ]
    return JsonResponse({"sessions": rows})


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def end(request: PersonRequest, _sent: Fields, handle: str) -> HttpResponse:
    """Ends the session of the user that has this handle. Returns a message.

    Raises Refused (404) if it had already ended.
    """
    own = handle == request.session.get(HANDLE)
    ended = request.person.sessions.end(handle, **request.trace)
    if own:
        forget(request)
    if ended is None:
        raise Refused(404, "not_found", _("That session had already ended."))
    return message(_("Session ended: %(device)s.") % {"device": ended.device_or_unknown})
