"""What a session's data holds, besides what Django keeps there itself, and allauth between here and Google.

Notes, which count for a while:

    SECOND_FACTOR    who has shown the first factor and waits for a code: user, epoch, way, next
    EMAIL_CHANGE     where a code was mailed: to, id, code (hashed), epoch
    APP_SETUP        the secret that an authenticator app is to share: secret (encrypted), epoch
    SHOWN_CODES      which recovery codes were made in this session, so that it may show them: batch
    GOOGLE_IDENTITY  whom Google has seen: uid, email (verified by Google); to_connect, when the owner of that address
                     signs in, or else a proof of the address alone
    PROVEN           that somebody has just shown to be the owner
    GOOGLE_TRIP      a visit to Google by somebody who is not signed in (invites/google/trip.py)

Keys, which stay as long as the session:

    DEADLINE         when it ends, in seconds since the epoch, whatever happens in between
    BEGAN            when it began
    HANDLE           what pages call it, through all changes of its id: the id itself is as good as a password
    IP, DEVICE       from where it began
    CHOSEN           what pages follow of the user's settings, so that knowing it costs no query
"""

from datetime import timedelta

from kit.session_notes import Note

A_WHILE = timedelta(minutes=15)

SECOND_FACTOR = Note("second_factor", A_WHILE)
EMAIL_CHANGE = Note("email_change", A_WHILE)
APP_SETUP = Note("app_setup", A_WHILE)
SHOWN_CODES = Note("shown_codes", A_WHILE)
GOOGLE_IDENTITY = Note("google_identity", A_WHILE)
PROVEN = Note("proof", A_WHILE)

DEADLINE, BEGAN, HANDLE, IP, DEVICE, CHOSEN = "deadline", "began", "handle", "ip", "device", "chosen"
