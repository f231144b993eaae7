"""Where somebody is signed in."""

from typing import Any

from allauth.headless.internal.restkit.response import APIResponse
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.models.session import LISTED
from accounts.protocol import Authentication, Error, OwnDoor, counted
from accounts.session import sessions
from accounts.session.notes import HANDLE
from kit import visitor


@counted(limits.POST_PER_NETWORK)
class Sessions(OwnDoor):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        this = request.session.session_key
        data = [
            {
                "id": session.handle,
                "user_agent": session.device_name,  # nothing more is kept of it
                "ip": session.ip,
                "created_at": session.created_at.timestamp(),
                "is_current": session.session_key == this,
            }
            for session in self.user.sessions.listed(this)
        ]
        return APIResponse(request, data=data)

    def delete(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ends those whose ids are in `sessions`: all of them, or none if one is not there any more, or another's."""
        handles = self.handles()
        if not handles or self.user.sessions.live().filter(handle__in=handles).count() < len(handles):
            said = _("One of these sessions isn’t yours or had already ended. None was ended now.")
            return Error(request, 400, "invalid_choice", said, "sessions")
        this = request.session.get(HANDLE, "")
        for handle in handles:
            self.user.end_session(handle, **visitor.trace(request))
        if this in handles:
            sessions.end(request)
            return Authentication(request)
        return self.get(request)

    def handles(self) -> set[str]:
        """Those that were named; none if that is no list of ids."""
        sent = self.sent.get("sessions")
        if not isinstance(sent, list) or len(sent) > LISTED:
            return set()
        return set(sent) if all(isinstance(one, str) and one for one in sent) else set()
