"""Limits of sign-in, of codes, and of changes to an account: each with its number and its words."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from kit.rate_limit import Guesses, Limit, NetworkQuota, Quota

# For whoever tries to get into an account; other limits say nothing of one, which the visitor may not have.
NOT_LOCKED = _("Try again after %(time)s. Your account is not locked.")

# Tries of passwords at sign-in.
# The name and the address of one account are counted apart: a stranger must not learn that they belong together.
LOGIN_PER_NAME = Guesses(
    "login-name",
    most=5,
    window=timedelta(minutes=5),
    reason=_("Try again after %(time)s, or use a link from your email. Your account is not locked."),
)
# A device that has signed in before has its own count: what strangers try elsewhere must not lock it out.
LOGIN_PER_DEVICE = Guesses("login-device", most=20, window=timedelta(minutes=15), reason=LOGIN_PER_NAME.reason)
# Wrong passwords in a row, from all devices that an account has not been used on together: then its password opens
# nothing there until its owner signs in another way (NIST SP 800-63B-4 §3.2.2). They are counted in the history, for a
# count in Redis would begin again with each restart.
LOGIN_IN_A_ROW = 100
# Wrong passwords within a day after which the owner is mailed, once in that day.
LOGIN_TOLD_AFTER = 20
LOGIN_PER_NETWORK = NetworkQuota("login-network", most=60, window=timedelta(minutes=10), reason=NOT_LOCKED)
# Visits to Google: each writes a row into the table of sessions.
GOOGLE_PER_NETWORK = Limit("google-network", "60/10m", NOT_LOCKED)
# Tries of the password that a signed-in user is asked for again: a stranger may sit at a laptop left open.
PASSWORD_PER_USER = Quota("password-user", most=10, window=timedelta(minutes=15), reason=LOGIN_PER_NAME.reason)

# Tries of second-factor codes. Whoever tries has the password already, and of a million possible codes three are
# right at any time.
FACTOR_PER_NETWORK = Limit("factor-network", "60/10m", NOT_LOCKED)
FACTOR_PER_USER = Guesses(
    "factor-user",
    most=5,
    window=timedelta(minutes=15),
    reason=_("Try again after %(time)s, or at once on a device you have used before. Your account is not locked."),
)
FACTOR_PER_USER_A_DAY = Guesses("factor-user-day", most=20, window=timedelta(days=1), reason=FACTOR_PER_USER.reason)
# A device that has signed in before has its own count here too: a stranger with the password must not lock it out.
FACTOR_PER_DEVICE = Guesses("factor-device", most=20, window=timedelta(minutes=15), reason=NOT_LOCKED)
FACTOR_ON_DEVICES_A_DAY = Guesses("factor-devices-day", most=100, window=timedelta(days=1), reason=NOT_LOCKED)
# Mails to the owner about wrong codes.
FACTOR_NOTICES_PER_USER = Limit("factor-notices", "1/d")

# Every other POST, such as signing out or choosing a language.
POST_PER_NETWORK = Limit("post", "300/10m")
# Mails to the owner about sign-ins on new devices.
NEW_DEVICES_PER_USER = Limit("new-devices", "10/h")
# Codes mailed to an address that a user wants to change to. Within an hour they leave the owner of that address some
# of the mails that anybody can ask for (outbox/limits.py).
CODE_PER_ADDRESS = Quota(
    "code-address",
    most=5,
    window=timedelta(hours=1),
    reason=_("We sent several emails to this address within an hour. You can send another one after %(time)s."),
)
# Codes that a user types, or has mailed again, to change the address.
CODE_PER_USER = Limit("code-user", "20/h", NOT_LOCKED)
# Wrong codes for one mail: the fifth ends the change, and the user must ask for another code. They are counted for as
# long as a session remembers the change (accounts/session/notes.py), or an old copy of it would get five more.
EMAIL_CODE = Guesses("email-code", most=5, window=timedelta(minutes=15), reason=NOT_LOCKED)
# Changes that mail somebody, take a name that others could want, or read all the data of an account.
CHANGE_PER_USER = Limit("change-user", "20/h", NOT_LOCKED)
