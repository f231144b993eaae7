"""The web server of tests.bench.requests: the site, the floor beneath it, and what each request asks of the parts.

The floor are two views in the same process, without any middleware. One shows what a page costs that Django and
gunicorn make, the other what one key of Redis and one row of PostgreSQL, read by Django, cost on top.
"""

import cProfile
import os
import threading
import time

import psycopg
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db.backends.signals import connection_created
from django.http import HttpResponse
from django.template import RequestContext, Template
from django.test import override_settings
from django.urls import path
from redis.connection import AbstractConnection

from accounts.password.hashers import Argon2
from config.wsgi import application as site
from tests.bench.visits import CHEAP, FLOOR, IN_EARNEST

PAGE = Template("<!doctype html><title>{{ site }}</title><h1>{{ site }}</h1><p>{{ who }}</p>")

# It measures CPU, as the table does. All threads share the one profiler, so it works only with WEB_THREADS=1.
profile = cProfile.Profile(time.process_time) if os.environ.get("BENCH_PROFILE") else None


def bare(request, who="nobody"):
    return HttpResponse(PAGE.render(RequestContext(request, {"site": settings.SITE_NAME, "who": who})))


def read(request):
    caches["sessions"].get(FLOOR)
    return bare(request, get_user_model().objects.get(username=FLOOR).username)


def profiled(request):
    profile.dump_stats(os.environ["BENCH_PROFILE"])
    profile.clear()
    return HttpResponse("ok")


urlpatterns = [path("floor/page", bare), path("floor/read", read), path("floor/profile", profiled)]


class FloorRequest(WSGIRequest):
    urlconf = __name__


class Floor(WSGIHandler):
    request_class = FloorRequest


with override_settings(MIDDLEWARE=[]):
    floor = Floor()


class Counts(threading.local):
    """The counts of a request so far: statements, checks of a kept connection, round trips to Redis."""

    sql = checks = redis = 0

    def reset(self):
        self.sql = self.checks = self.redis = 0


counts = Counts()


def counting(function, name):
    def counted(*args, **options):
        setattr(counts, name, getattr(counts, name) + 1)
        return function(*args, **options)

    return counted


def count_statements(connection, **_signal):
    connection.execute_wrappers.append(lambda execute, *args: counting(execute, "sql")(*args))


connection_created.connect(count_statements)
psycopg.Connection.execute = counting(psycopg.Connection.execute, "checks")
AbstractConnection.send_packed_command = counting(AbstractConnection.send_packed_command, "redis")


def application(environ, start_response):
    """Answers a request with its counts in a header. `X-Bench-Hash: cheap` makes password hashes weak and fast."""
    cheap = environ.get("HTTP_X_BENCH_HASH") == "cheap"
    Argon2.time_cost, Argon2.memory_cost = CHEAP if cheap else IN_EARNEST
    counts.reset()

    def start(status, headers, exc_info=None):
        counted = ("X-Bench-Counts", f"{counts.sql} {counts.checks} {counts.redis}")
        return start_response(status, [*headers, counted], exc_info)

    if environ["PATH_INFO"].startswith("/floor/"):
        return floor(environ, start)
    return profile.runcall(site, environ, start) if profile else site(environ, start)
