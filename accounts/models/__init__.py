"""Who you are, where you are signed in, and what has been done with your account."""

from accounts.models.event import Event, EventUnavailable
from accounts.models.session import Session
from accounts.models.user import Superseded, User

__all__ = ["Event", "EventUnavailable", "Session", "Superseded", "User"]
