"""A site for a benchmark: on loopback, with its own servers, which end with it."""

import os
import secrets
from contextlib import ExitStack, contextmanager

import django
from django.core.management import call_command

from embedded import folders, postgres, valkey
from embedded.servers import Place

KEPT = ("HOME", "LANG", "PATH")  # all other variables may be of a site that this terminal is configured for


@contextmanager
def site(*, durable, **settings):
    """Starts the servers and Django, migrated; gives a folder to work in, and an ExitStack that ends before they do.

    `durable` says whether the database waits for its disk; `settings` are further environment variables.
    """
    for variable in os.environ.keys() - set(KEPT):
        del os.environ[variable]
    with folders.scratch() as folder, ExitStack() as stack:
        place = Place(folder, durable=durable)
        os.environ |= {
            "DATABASE_URL": postgres.start(stack, place).url,
            "REDIS_URL": valkey.start(stack, place).url,
            "SECRET_KEY": secrets.token_urlsafe(60),
            "SITE_URL": "http://localhost:8000",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        } | settings
        django.setup()
        call_command("migrate", verbosity=0)
        yield folder, stack


def say(line):
    print(line, flush=True)
