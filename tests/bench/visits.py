"""The workloads of tests.bench.requests: each prepares a batch of requests to the site."""

import time
from itertools import count
from typing import NamedTuple
from urllib.parse import urlencode

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.core import signing
from django.core.cache import caches
from django.utils import timezone

from accounts.models import Session, User
from accounts.models.session import stored_key
from accounts.password.hashers import Argon2
from accounts.session import devices, sessions
from accounts.session.store import DEADLINE, SessionStore
from invites import purposes
from invites.models import LINK_LIFETIME, MagicLink
from kit import tokens
from tests.tools.factories import PASSWORD

CSRF = "a" * 32
FLOOR = "floor"  # the name of the user whom the floor reads
CHEAP, IN_EARNEST = (1, 8), (Argon2.time_cost, Argon2.memory_cost)  # passes, and KiB
numbers = count()


class Request(NamedTuple):
    path: str
    status: int = 200
    leads_to: str = ""
    form: dict | None = None
    cookies: dict = {}
    cheap: bool = True
    headers: dict = {}

    @property
    def method(self):
        return "GET" if self.form is None else "POST"

    @property
    def cookie(self):
        cookies = self.cookies | {settings.CSRF_COOKIE_NAME: CSRF}
        return "; ".join(f"{name}={value}" for name, value in cookies.items())

    @property
    def body(self):
        return None if self.form is None else urlencode(self.form | {"csrfmiddlewaretoken": CSRF})


PAGE, READ = "page", "read"  # the floor: a bare page, and one that reads a key and a row


class Workload(NamedTuple):
    name: str
    batch: int
    make: callable  # called with a number; returns so many requests
    floor: str = READ  # the name of the workload that this one is compared with
    goal: float | None = None  # how many times as much it may cost


def workloads():
    ada = people(1)[0]
    User.objects.create_user(FLOOR, "floor@example.com")
    here = enter(ada)
    return [
        Workload(PAGE, 200, same(Request("/floor/page")), PAGE),
        Workload(READ, 200, same(Request("/floor/read"))),
        Workload("forward-auth, signed in", 200, same(Request("/auth/verify", 204, cookies=here)), goal=0.9),
        Workload("forward-auth, stranger", 200, same(Request("/auth/verify", 401)), goal=0.9),
        Workload("sign-in page", 100, same(Request("/login")), PAGE, 2.1),
        Workload("start page, stranger", 100, same(Request("/")), PAGE, 2.1),
        Workload("start page, signed in", 100, same(Request("/", cookies=here)), goal=1.5),
        Workload("account page", 60, same(Request("/account", cookies=here)), goal=4),
        Workload("account page, 60 sessions", 20, same(Request("/account", cookies=enter(people(1)[0], 60))), goal=4),
        Workload("settings page", 30, same(Request("/account/settings", cookies=here))),
        Workload("sign in, known device, cheap hash", 40, sign_in(), goal=2.5),
        Workload("sign in, new device, cheap hash", 40, sign_in(known=False)),
        Workload("sign in, known device, real hash", 10, sign_in(cheap=False)),
        Workload("ask for a link, unknown address", 40, ask(known=False), goal=2),
        Workload("ask for a link, known address", 40, ask(known=True), goal=2),
        Workload("sign up from a link, cheap hash", 20, sign_up, goal=2.9),
        Workload("end 1 session", 20, end(1)),
        Workload("end 100 sessions", 5, end(100)),
        Workload("end 1,000 sessions", 2, end(1000), goal=4.9),
    ]


def same(request):
    return lambda batch: [request] * batch


def sign_in(*, known=True, cheap=True):
    def make(batch):
        form = {"password": PASSWORD}
        return [
            Request(
                "/login",
                302,
                "/account",
                form | {"login": user.username},
                cookies=device_of(user) if known else {},
                cheap=cheap,
            )
            for user in people(batch, cheap=cheap)
        ]

    return make


def ask(*, known):
    def make(batch):
        if known:
            addresses = [user.email for user in people(batch)]
        else:
            addresses = [f"new{next(numbers)}@example.com" for _ in range(batch)]
        return [Request("/", 302, "/invite/sent", {"email": address}) for address in addresses]

    return make


def sign_up(batch):
    until = timezone.now() + LINK_LIFETIME
    links = MagicLink.objects.bulk_create(
        MagicLink(email=f"guest{next(numbers)}@example.com", purpose="link", expires_at=until) for _ in range(batch)
    )
    form = {"password": PASSWORD}
    return [
        Request(
            "/signup",
            302,
            "/account",
            form | {"token": tokens.sign(purposes.SIGNUP, link.pk), "username": link.email.partition("@")[0]},
        )
        for link in links
    ]


def end(number):
    def make(batch):
        return [Request("/logout", 302, "/login", {}, cookies=enter(user, number)) for user in people(batch)]

    return make


def people(batch, *, cheap=True):
    """Makes so many new people, who share one password, hashed once; returns them."""
    users = [User(username=f"person{next(numbers)}", password=hashed(cheap=cheap)) for _ in range(batch)]
    for user in users:
        user.email = f"{user.username}@example.com"
    User.objects.bulk_create(users)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users
    )
    return users


hashes = {}


def hashed(*, cheap):
    if cheap not in hashes:
        Argon2.time_cost, Argon2.memory_cost = CHEAP if cheap else IN_EARNEST
        hashes[cheap] = make_password(PASSWORD)
    return hashes[cheap]


def enter(user, number=1):
    """Makes new sessions of a user, each with its row and its copy in Redis; returns the cookie of the first."""
    stores = [begin(user) for _ in range(number)]
    Session.objects.bulk_create(store.create_model_instance(dict(store.items())) for store in stores)
    copies = {Session.cache_key(stored_key(store.session_key)): dict(store.items()) for store in stores}
    caches["sessions"].set_many(copies, settings.SESSION_COOKIE_AGE)
    return {settings.SESSION_COOKIE_NAME: stores[0].session_key}


def device_of(user):
    """Returns the cookie of a device on which this user has signed in before."""
    note = signing.dumps({user.pk.hex: time.time()}, salt=f"frontdoor.cookies.{devices.COOKIE}")
    return {f"{settings.COOKIE_PREFIX}{devices.COOKIE}": note}


def begin(user):
    now = round(time.time(), 3)
    store = SessionStore()
    store.create()
    store.update(
        {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
            DEADLINE: now + settings.SESSION_COOKIE_AGE,
            "began": now,
            "handle": sessions.new_handle(),
            sessions.CHOSEN: {},
            "ip": "203.0.113.7",
            "device": "Firefox/Windows",
        }
    )
    return store
