"""Who you are, where you are signed in, and what has been done with your account."""

from accounts.models.event import Event, EventUnavailable
from accounts.models.google import ConnectedElsewhere, LastWayIn
from accounts.models.queryset import Superseded
from accounts.models.session import Session
from accounts.models.user import User

__all__ = ["ConnectedElsewhere", "Event", "EventUnavailable", "LastWayIn", "Session", "Superseded", "User"]
