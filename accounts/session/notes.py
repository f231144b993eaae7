"""What a session holds, besides the data of Django and, during a visit to Google, of allauth.

Notes, which expire:

    SECOND_FACTOR    a user who has passed the first factor and must enter a code: user, epoch, way, next
    COMING_BACK      a user who has passed every factor, and must say whether the account that they left stays: user,
                     epoch, way, factor, next
    EMAIL_CHANGE     a new address to which a code was mailed: to, id, code (hashed), epoch
    APP_SETUP        the secret that an authenticator app is to share: secret (encrypted), epoch
    SHOWN_CODES      the recovery codes that were made in this session, so that it may show them: batch
    GOOGLE_IDENTITY  the person whom Google has named: uid, email (verified by Google); to_connect, if their Google
                     account is to be connected once the owner of that address signs in, else it proves the address
    SIGNED_IN        the user has just signed in: way, how; code, if the second factor was shown too
    PROVEN           the user has just shown that the account is theirs, by a mailed link or once more: way and code, as
                     above
    STILL_YOU        where somebody was going who is to show once more that it is them: next; shown_at, when they had
                     last done so (accounts/session/arrival.py)
    BREACHED         a user has given a right password that has leaked, and is to be told once signed in: user
    GOOGLE_TRIP      a visit to Google by a visitor who is not signed in (invites/google/trip.py)
    SENT             a visitor whom an app has sent to show anew who they are (sso/authorize/fresh.py)

Keys, which stay as long as the session:

    DEADLINE         when the session ends, in seconds since the epoch; using the session does not move it
    BEGAN            when the session began, in seconds since the epoch
    WAY, FACTOR      how its owner came in, and by which second factor; AUTH_TIME is when they last showed all of it
                     (accounts/session/arrival.py)
    HANDLE           the session's name on pages, through all changes of its id: the id is as good as a password
    IP, DEVICE       where the session began
    DESK_SEEN        when the session was last used at the desk, in seconds since the epoch
    HELD_UP          True if the session began with a question to the user (accounts/asking.py), until they answer it
    CHOSEN           the user's settings that every page needs, copied so that reading them costs no query
"""

from datetime import timedelta
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from kit.session_notes import Note

A_WHILE = timedelta(minutes=15)
AN_HOUR = timedelta(hours=1)  # as long as a mailed link works

SECOND_FACTOR = Note("second_factor", A_WHILE)
COMING_BACK = Note("coming_back", A_WHILE)
EMAIL_CHANGE = Note("email_change", A_WHILE)
APP_SETUP = Note("app_setup", A_WHILE)
SHOWN_CODES = Note("shown_codes", A_WHILE)
GOOGLE_IDENTITY = Note("google_identity", A_WHILE)
SIGNED_IN = Note("signed_in", A_WHILE)
PROVEN = Note("proof", A_WHILE)
STILL_YOU = Note("still_you", AN_HOUR)
BREACHED = Note("breached", A_WHILE)

DEADLINE, BEGAN, HANDLE, IP, DEVICE, CHOSEN = "deadline", "began", "handle", "ip", "device", "chosen"
DESK_SEEN, HELD_UP = "desk_seen", "held_up"
WAY, FACTOR, AUTH_TIME = "way", "factor", "auth_time"

# What Redis may hold under a key of a session, by type.
TYPES: dict[str, type | tuple[type, ...]] = {
    DEADLINE: (int, float),
    BEGAN: (int, float),
    DESK_SEEN: (int, float),
    AUTH_TIME: (int, float),
    WAY: str,
    FACTOR: str,
    HANDLE: str,
    DEVICE: str,
    IP: (str, type(None)),
    HELD_UP: bool,
    CHOSEN: dict,
    SESSION_KEY: str,
    HASH_SESSION_KEY: str,
    BACKEND_SESSION_KEY: str,
}
NOTES = (
    *(SECOND_FACTOR, COMING_BACK, EMAIL_CHANGE, APP_SETUP, SHOWN_CODES),
    *(GOOGLE_IDENTITY, SIGNED_IN, PROVEN, STILL_YOU, BREACHED),
)


def are_whole(data: Any) -> bool:
    """Returns whether `data` can be what a session holds: a dict in which each value has the type of its key."""
    if not isinstance(data, dict):
        return False
    notes = [data[note.key] for note in NOTES if note.key in data]
    return all(isinstance(data[key], kind) for key, kind in TYPES.items() if key in data) and all(
        isinstance(note, dict) and isinstance(note.get("until"), int | float) for note in notes
    )
