"""The rows of accounts: users, their sessions and their security history; and what can be done with each."""

from accounts.models.address import Address
from accounts.models.event import Event
from accounts.models.google import ConnectedElsewhere, LastWayIn
from accounts.models.held_name import HeldName
from accounts.models.leaving import LastOwner
from accounts.models.not_me import EventUnavailable, NotMe
from accounts.models.queryset import Superseded
from accounts.models.session import Session
from accounts.models.user import User

__all__ = [
    "Address",
    "ConnectedElsewhere",
    "Event",
    "EventUnavailable",
    "HeldName",
    "LastOwner",
    "LastWayIn",
    "NotMe",
    "Session",
    "Superseded",
    "User",
]
