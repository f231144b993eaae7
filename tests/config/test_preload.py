"""What a web server loads before it forks: all that requests need, and no connection."""

import os
import subprocess
import sys
from concurrent.futures import thread
from pathlib import Path

import pytest
from gunicorn.workers import gthread

from config import preload

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
LOOK = """
import sys
from wsgiref.util import setup_testing_defaults
from config.wsgi import application
from django.conf import settings
from django.core.cache import caches
from django.db import connections
from django.template import Engine
from config import gunicorn

assert gunicorn.preload_app
gunicorn.when_ready(None)
opened = [one for one in connections.all(initialized_only=True) if one.connection]
opened += [one for one in caches.all(initialized_only=True) if one._client]
parsed = set(Engine.get_default().template_loaders[0].get_template_cache)
loaded = {name for name in sys.modules if name.partition(".")[0] in ROOMS}
for path in ("/login", "/nothing", "/account", "/admin/"):
    environ = {"PATH_INFO": path, "HTTP_HOST": settings.SITE_HOST, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    b"".join(application(environ, lambda status, headers: None))
new = {name for name in sys.modules if name.partition(".")[0] in ROOMS} - loaded
templates = set(Engine.get_default().template_loaders[0].get_template_cache) - parsed
print(opened, new, templates, file=sys.stderr)
"""


def test_the_first_requests_load_nothing_more():
    look = LOOK.replace("ROOMS", "{'accounts', 'invites', 'outbox', 'operations', 'kit'}")

    done = subprocess.run(
        [sys.executable, "-c", look], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True, timeout=120
    )

    assert done.stderr.strip().splitlines()[-1] == "[] set() set()"


def test_threads_of_the_web_server_have_one_large_block_for_their_frames(monkeypatch):
    monkeypatch.setattr(thread._worker, "__code__", thread._worker.__code__)  # put back at the end
    preload.give_room_to_threads()

    def sizes():
        frames = [sys._getframe()]
        while before := frames[-1].f_back:
            frames.append(before)
        return [frame.f_code.co_stacksize for frame in frames]

    assert preload.DEEP in gthread.futures.ThreadPoolExecutor(1).submit(sizes).result()
