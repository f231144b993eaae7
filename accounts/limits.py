"""Limits of signing in, of codes, and of what is done to an account."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from kit.rate_limit import Guesses, Limit

# Passwords tried.
# A name and the address of one account are counted apart: a stranger must not learn that they belong together.
LOGIN_PER_NAME = Guesses(
    "login-name",
    most=5,
    window=timedelta(minutes=5),
    reason=_("Try again after %(time)s, or use a link from your email. Your account is not locked."),
)
# A device that was there before has its own count: what others do must not lock it out.
LOGIN_PER_DEVICE = Guesses("login-device", most=20, window=timedelta(minutes=15), reason=LOGIN_PER_NAME.reason)
LOGIN_PER_NETWORK = Limit("login-network", "60/10m")
# Visits to Google; each costs a row in the table of sessions.
GOOGLE_PER_NETWORK = Limit("google-network", "60/10m")
# By somebody signed in, who is asked for the password again: perhaps at a laptop that its owner left open.
PASSWORD_PER_USER = Limit("password-user", "10/15m", LOGIN_PER_NAME.reason)

# Codes tried, by who has the password already: a million are possible, and three are right at any time.
FACTOR_PER_NETWORK = Limit("factor-network", "60/10m")
FACTOR_PER_USER = Guesses(
    "factor-user",
    most=5,
    window=timedelta(minutes=15),
    reason=_("Try again after %(time)s, or at once on a device you have used before. Your account is not locked."),
)
FACTOR_PER_USER_A_DAY = Guesses("factor-user-day", most=20, window=timedelta(days=1), reason=FACTOR_PER_USER.reason)
# A device that was there before has its own count here too: a stranger who has the password must not lock it out.
FACTOR_PER_DEVICE = Guesses("factor-device", most=20, window=timedelta(minutes=15), reason=Limit.reason)
FACTOR_ON_DEVICES_A_DAY = Guesses("factor-devices-day", most=100, window=timedelta(days=1), reason=Limit.reason)
# Mails about strangers who try codes.
FACTOR_NOTICES_PER_USER = Limit("factor-notices", "1/d")

# All else that is posted: signing out, choosing a language.
POST_PER_NETWORK = Limit("post", "300/10m")
# Mails about new devices.
NEW_DEVICES_PER_USER = Limit("new-devices", "10/h")
# Codes mailed to an address that somebody wants to take, apart from the mails that hold a way in: nobody should be able
# to use those up. And codes typed.
CODE_PER_ADDRESS = Limit(
    "code-address",
    "5/h",
    _("We sent several emails to this address within an hour. You can send another one after %(time)s."),
)
CODE_PER_USER = Limit("code-user", "20/h")
# Wrong ones of one mail: the fifth ends the change, and another code has to be asked for. Counted for as long as the
# session remembers the change (accounts/session/notes.py), or an old copy of it would get five more.
EMAIL_CODE = Guesses("email-code", most=5, window=timedelta(minutes=15), reason=Limit.reason)
# What mails somebody, takes a name from others, or reads everything there is.
CHANGE_PER_USER = Limit("change-user", "20/h")
