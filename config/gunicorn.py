"""Settings of the web server: gunicorn -c config/gunicorn.py config.wsgi.

Address and size come from BIND, WEB_CONCURRENCY and WEB_THREADS in the environment.
"""

import os

from django.conf import settings
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from config.environment.variables import env, number
from config.logs import LOGGING


class WithoutAccessLog(Logger):
    """gunicorn's logger, without the record of each request that it would format, and that nothing would write.

    config.edge.middleware.log_requests writes the line of each request, without secrets.
    """

    access_log_enabled = False


# As in config.wsgi, which is loaded after this file.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

bind = env.str("BIND", default="127.0.0.1:8000") or "127.0.0.1:8000"
worker_class = "gthread"
workers = number("WEB_CONCURRENCY", 1, least=1)  # processes
threads = settings.WEB_THREADS  # requests at once in each of them
# Loaded once before the fork: a wrong setting ends the start with its one line, instead of one worker after another.
preload_app = True
graceful_timeout = 20  # seconds that requests under way may take when the server is told to stop
# The search of a long list at the desk stands in its address; nginx lets no longer line pass (8 KiB).
limit_request_line = 8190
# Which proxies to believe about https is decided in one place: TRUSTED_PROXY_COUNT in the settings.
forwarded_allow_ips = ""
# The control socket would lie in the home folder, which a container may not have.
control_socket_disable = True
logconfig_dict = LOGGING
logger_class = WithoutAccessLog


def when_ready(_arbiter: object) -> None:
    """Loads what every request needs, before the first worker process is forked."""
    from config import preload  # noqa: PLC0415 gunicorn reads this file before it has set Django up

    preload.load()
    preload.give_room_to_threads()


def post_fork(_arbiter: object, _worker: object) -> None:
    """Sets the database backend of a new worker process to the one that gives up a silent server."""
    # Visitors wait for these processes, so a silent server must be given up; commands and mail workers can wait.
    settings.DATABASES["default"]["ENGINE"] = "config.failover.postgres"
