"""What holds, in numbers read from the code: limits, lifetimes, words, ways in, events, algorithms.

docs/security.md shows these tables; a test compares them, so that the page cannot rot.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from math import log2
from types import ModuleType

from django.conf import settings
from django.contrib.sessions.backends.base import VALID_KEY_CHARS

from accounts import limits as account_limits
from accounts.models import Event
from accounts.models import event as events
from accounts.models.second_factor import CODES, PASSES_FOR, SECRET_SIZE
from accounts.password.hashers import Argon2
from accounts.session import devices, notes, sessions
from accounts.session.store import SessionStore
from invites import limits as mail_limits
from invites.link import browser, dead
from invites.models import batch_queryset, link_queryset, queryset, steps
from kit import limits as kit_limits
from kit.rate_limit import Guesses, Limit, Quota
from outbox import limits as outbox_limits
from outbox.models import delivery, event, retry_times, webhook
from sso import keys as signing_keys
from sso import limits as app_limits
from sso import secret as app_secrets
from sso.models import alive, login, logout_call
from sso.tokens import refresh

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}  # seconds, by the letters in Limit.rate

Table = list[tuple[str, ...]]  # its first row is the heading


def tables() -> dict[str, Table]:
    """Returns all tables by title, in the order in which the page shows them; in English."""
    return {
        "Limits": [("limit", "at most"), *sorted(limits())],
        "Lifetimes": [("of what", "how long"), *lifetimes()],
        "What is kept": [("what", "how long"), *kept()],
        "Words that no password may lean on": [("word",), *((word,) for word in WORDS)],
        "Ways in": ways_in(),
        "Events in the history": [("kind", "words"), *((kind.value, str(kind.label)) for kind in Event.Kind)],
        "Keys and algorithms": [("for what", "how"), *algorithms()],
    }


def limits() -> Iterator[tuple[str, str]]:
    """Yields the name and the number of each limit, once: a module may use those of a room below."""
    found = chain.from_iterable(map(limits_of, (account_limits, mail_limits, app_limits, outbox_limits, kit_limits)))
    yield from dict.fromkeys(found)


def limits_of(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yields the name and the number of each limit that a module of limits defines."""
    for name, limit in vars(module).items():
        if isinstance(limit, Quota):
            wrong = " wrong" if isinstance(limit, Guesses) else ""
            yield in_words(name), f"{limit.most}{wrong} in {span(limit.window)}"
        elif isinstance(limit, Limit):
            count, period = limit.rate.split("/")
            seconds = int(period[:-1] or 1) * UNITS[period[-1]]
            yield in_words(name), f"{count} in {span(timedelta(seconds=seconds))}"
        elif isinstance(limit, int):
            yield in_words(name), f"{limit}"


def in_words(name: str) -> str:
    """Returns the name of a constant as words: "login per name" for LOGIN_PER_NAME."""
    return name.lower().replace("_", " ")


def span(time: timedelta) -> str:
    """Returns a length of time in its largest whole unit: "12 hours", "1 day"."""
    seconds = int(time.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % size == 0 and seconds >= size:
            return f"{seconds // size} {unit}{'' if seconds == size else 's'}"
    return f"{seconds} seconds"


def lifetimes() -> Iterator[tuple[str, str]]:
    """Yields how long what lets somebody in, or proves something, is good for."""
    yield "session, from the last proof of its owner", span(timedelta(seconds=settings.SESSION_COOKIE_AGE))
    yield "session at the desk without a request there (DESK_IDLE_MINUTES)", f"{settings.DESK_IDLE_MINUTES} minutes"
    yield "notice on every page before a session ends", span(sessions.LAST_HOUR)
    yield "proof, before a door asks again", span(notes.A_WHILE)
    yield "sign-in that waits for its code", span(notes.SECOND_FACTOR.lifetime)
    yield "code for another address", span(notes.EMAIL_CHANGE.lifetime)
    yield "secret that an authenticator app is to take over", span(notes.APP_SETUP.lifetime)
    yield "link that somebody asked for", span(steps.LINK_LIFETIME)
    yield "invitation, and its link", span(settings.INVITE_LIFETIME)
    yield "second press of a button in a mail", span(dead.SECOND_PRESS)
    yield "seal of the browser that planned an account", span(browser.LIFETIME)
    yield "“this was not me”, and the way back to a former address", span(events.NOT_ME_LIFETIME)
    yield "code of an authenticator app", f"{PASSES_FOR} seconds, once"
    yield "browser that is asked for no code", span(devices.TRUSTED_FOR)
    yield "device that counts as known", span(devices.LIFETIME)
    yield "former secret of a webhook", span(webhook.BOTH_SIGN)
    yield "code for an app", f"{span(login.CODE_LASTS)}, once"
    yield "access token of an app", span(timedelta(seconds=settings.IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN))
    yield "ID token of an app", span(timedelta(seconds=settings.IDP_OIDC_ID_TOKEN_EXPIRES_IN))
    yield "refresh token of an app", "as its session"
    yield "refresh token that may outlive its session (offline_access)", span(alive.OFFLINE_LASTS)
    yield "refresh token that was spent just now", span(refresh.GRACE)
    yield "former secret of an app", span(app_secrets.BOTH_WORK)
    yield "new key that signs for apps, before it signs", span(signing_keys.SIGNS_AFTER)


def kept() -> Iterator[tuple[str, str]]:
    """Yields what `manage.py prune` deletes, and after how long."""
    yield "history of an account", span(events.KEPT)
    yield "link that was asked for and never used, after its end", span(link_queryset.UNUSED_KEPT)
    yield "link that was used, after its end", span(link_queryset.USED_KEPT)
    yield "planned account, after the end of its link", span(link_queryset.PLAN_KEPT)
    yield "invitation of a member that nobody accepted, after its end", span(queryset.UNANSWERED_KEPT)
    yield "list of people that was checked and never sent", span(batch_queryset.PREVIEW_KEPT)
    yield "unreadable lines of a list that was sent", span(batch_queryset.REFUSED_KEPT)
    yield "list that was sent", span(batch_queryset.KEPT)
    yield "mail that was handed over or given up", span(retry_times.KEPT)
    yield "event for other services, after it was published", span(event.KEPT)
    yield "event that a webhook took", span(delivery.KEPT_DELIVERED)
    yield "sign-in to an app, after its end", span(login.KEPT)
    yield "code for an app that was never used", span(login.UNSPENT_KEPT)
    yield "call that told an app of a sign-out", span(logout_call.KEPT_TOLD)
    yield "call to an app that was given up", span(retry_times.KEPT)
    yield "key that signed for apps, after all that it signed", span(signing_keys.STAYS)


WORDS = ("name of the site", "host of the site", "username", "email address", "name of the inviter")


def ways_in() -> Table:
    """Returns the ways to sign in, what each proves, and how strong it is."""
    least = settings.PASSWORD_MIN_LENGTH
    return [
        ("way", "what it proves", "strength"),
        ("mailed link", "the mailbox", f"one use, {span(steps.LINK_LIFETIME)}; needs a press on the page it opens"),
        (
            "password",
            "knowledge",
            f"{least} characters or more, none that is easily guessed; one Argon2id hash for each try",
        ),
        (
            "Google",
            "a Google account",
            "OpenID Connect with state and PKCE; an authority for its own addresses alone",
        ),
        (
            "code of an authenticator app",
            "a device, as second factor",
            f"TOTP (RFC 6238), {SECRET_SIZE * 8} bits, each code once",
        ),
        ("recovery code", "a list on paper, as second factor", f"{CODES} codes, each once; its use is mailed"),
        (
            "trusted browser",
            "a code was entered there",
            f"signed cookie, {span(devices.TRUSTED_FOR)}; ends with a new app or password",
        ),
    ]


def algorithms() -> Iterator[tuple[str, str]]:
    """Yields what each secret is made, stored or checked with."""
    yield (
        "passwords",
        f"Argon2id, {Argon2.memory_cost} KiB, {Argon2.time_cost} passes, {Argon2.parallelism} lane, 128-bit salt",
    )
    yield "keys of sessions", f"{session_key_bits()} random bits; stored as SHA-256"
    yield "tokens of links", "the id of a row, signed with HMAC-SHA-1 by a key derived for each purpose (itsdangerous)"
    yield (
        "secrets of authenticator apps and webhooks, recovery codes, keys that sign for apps",
        "Fernet (AES-128-CBC, HMAC-SHA-256), key by HKDF-SHA-256",
    )
    yield "codes of an authenticator app", f"HMAC-SHA-1 (RFC 6238), secret of {SECRET_SIZE * 8} random bits"
    yield "epoch and password in a session", "HMAC-SHA-256"
    yield "webhooks", "HMAC-SHA-256 (Standard Webhooks)"
    yield "addresses whose owners want no mail", "HMAC-SHA-256"
    yield "secrets of apps", f"{app_secret_bits()} random bits; stored as SHA-256"
    yield "codes and tokens of apps", "random; stored as SHA-256"
    yield "ID tokens and logout tokens", f"{signing_keys.ALGORITHM}, {signing_keys.BITS} bits"


def app_secret_bits() -> int:
    """Returns how many random bits the secret of an app holds."""
    return int(app_secrets.LENGTH * log2(len(app_secrets.ALPHABET)))


def session_key_bits() -> int:
    """Returns how many random bits the key of a session holds."""
    session = SessionStore()
    session.create()  # writes nothing
    return int(len(session.session_key or "") * log2(len(VALID_KEY_CHARS)))
