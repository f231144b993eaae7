"""An authenticator app, as the RFCs describe it and independent of the code that is tested."""

import base64
import hashlib
import hmac
import time

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(secret=SECRET, *, at=None, steps=0):
    """Returns the code that the app shows (RFC 6238), `steps` of 30 seconds later or, below zero, earlier."""
    counter = int(time.time() if at is None else at) // 30 + steps
    digest = hmac.new(base64.b32decode(secret), counter.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def wrong(secret=SECRET):
    """Returns a code that is wrong now, and also a minute before and after."""
    right = {code(secret, steps=steps) for steps in (-2, -1, 0, 1, 2)}
    return next(guess for guess in ("000000", "111111", "222222", "333333", "444444", "555555") if guess not in right)


def pair(user, secret=SECRET):
    """Turns on the second factor of a user without using up a current code; returns the user."""
    user.second_factor.turn_on(secret, "000000")
    return user
