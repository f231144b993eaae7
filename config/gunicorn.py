"""How the web server runs: gunicorn -c config/gunicorn.py config.wsgi. Its size comes from the environment."""

import os

from django.conf import settings

from config.logs import LOGGING

bind = os.environ.get("BIND") or "127.0.0.1:8000"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 1)  # processes
threads = int(os.environ.get("WEB_THREADS") or 8)  # requests at once in each of them
# Loaded once before the fork: settings that stop the start stop it with their one line, not in a loop of workers.
preload_app = True
graceful_timeout = 20  # seconds for requests under way when we are told to stop
# Whom to believe about https is decided once, in settings by TRUSTED_PROXY_COUNT.
forwarded_allow_ips = ""
# Its default is a socket in the home folder, which a container may not have.
control_socket_disable = True
logconfig_dict = LOGGING
accesslog = None  # config.edge.middleware.log_requests writes a line without secrets


def post_fork(_arbiter: object, _worker: object) -> None:
    # People wait for what runs here; commands and mail workers may take the time they need.
    settings.DATABASES["default"]["ENGINE"] = "config.failover.postgres"
