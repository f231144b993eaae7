"""Can a stranger tell by the clock who has an account? `make bench-strangers`. On loopback, with servers of its own.

Each door is asked about addresses of each kind in turn. AUC is the probability that an address of a kind takes longer
than an unknown one: 0.5 tells nothing. A kind is told apart if its AUC lies more than three standard deviations from
0.5. Chance alone tells some kind apart in one run of twelve, and another kind in the next such run.
"""

import argparse
import logging
import random
import sys
import time
from itertools import product
from math import sqrt

from tests.bench.site import say, site

KINDS = ["unknown", "known", "turned-off", "google-only", "suppressed", "invited", "invited-by-a-member"]
SIGMAS = 3


def main():
    parser = argparse.ArgumentParser(prog="make bench-strangers", description=__doc__.partition("\n")[0])
    parser.add_argument("--each", type=int, default=400, help="addresses of each kind (default: 400)")
    parser.add_argument("--only", action="append", help="doors with this in their name; may be given several times")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    with site(durable=False, MEMBERS_INVITE="true", MEMBERS_INVITE_QUOTA="1000000"):
        told = [
            name
            for name, ask in doors(options.each).items()
            if not options.only or any(word in name for word in options.only)
            if report(name, measure(ask, options.each))
        ]
    sys.exit(f"Told apart: {', '.join(told)}." if told else 0)


def address(kind, number):
    return f"{kind}{number}@example.com"


def doors(each):
    """Makes `each` addresses of every kind; returns functions that ask a door about an address, by the door's name."""
    from django.conf import settings  # noqa: PLC0415 they need the settings
    from django.contrib.auth.hashers import make_password  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from invites.members.invitations import MemberInvites  # noqa: PLC0415
    from invites.models import Entry, Invite  # noqa: PLC0415
    from outbox.models import Suppression  # noqa: PLC0415
    from tests.tools.factories import PASSWORD, UserFactory  # noqa: PLC0415

    settings.RATELIMIT_ENABLE, settings.ALLOWED_HOSTS = False, ["*"]
    encoded, inviter = make_password(PASSWORD), UserFactory(username="inviter")
    for number in range(each):
        for kind in ("known", "turned-off", "google-only"):
            given = {"username": f"{kind}{number}".replace("-", ""), "email": address(kind, number)}
            password = {"encoded": "!" if kind == "google-only" else encoded}
            UserFactory(**given, **password, is_active=kind != "turned-off")
        Suppression.objects.opt_out(address("suppressed", number))
        MemberInvites(inviter).send(address("invited-by-a-member", number))
    Invite.objects.issue_many([Entry(address("invited", number)) for number in range(each)], source="csv")
    members = Client()
    members.force_login(UserFactory(username="member"))

    def post(path, field="email", browser=None, **more):
        return lambda email: (browser or Client()).post(path, {field: email, **more})

    return {
        "ask": post("/"),
        "reset": post("/reset"),
        "sign up": post("/signup", username="grace.hopper", password=PASSWORD),
        "sign in": post("/login", "login", password="not the password"),
        "member's invitation": post("/account/invites", browser=members, sure="yes"),
    }


def measure(ask, each):
    """Returns the seconds that each address took, by kind. The kinds take turns in a random order."""
    taken = {kind: [] for kind in KINDS}
    for number in range(each):
        for kind in random.sample(KINDS, len(KINDS)):
            started = time.perf_counter()
            answer = ask(address(kind, number))
            taken[kind].append(time.perf_counter() - started)
            assert answer.status_code in {200, 302}, answer.status_code
    return taken


def report(name, taken):
    """Prints the AUC of each kind at a door; returns whether some kind was told apart."""
    unknown, told = taken["unknown"], False
    for kind in KINDS[1:]:
        found, sigma = auc(taken[kind], unknown), deviation(len(taken[kind]), len(unknown))
        apart = abs(found - 0.5) > SIGMAS * sigma
        told = told or apart
        said = "  TOLD APART" if apart else ""
        say(f"{name:<20} {kind:<12} AUC {found:.3f} ± {SIGMAS * sigma:.3f} of {len(unknown)}{said}")
    return told


def auc(some, others):
    """Returns the probability that one of `some` is longer than one of `others` (Mann and Whitney's U, as a share)."""
    return sum((a > b) + (a == b) / 2 for a, b in product(some, others)) / (len(some) * len(others))


def deviation(some, others):
    """Returns the standard deviation of auc() for so many values, if both groups are alike."""
    return sqrt((some + others + 1) / (12 * some * others))


if __name__ == "__main__":
    main()
