"""Runs the whole site with two products behind it until Ctrl-C: what `make example` starts (examples/README.md).

nginx stands in front of all. The site behind it runs as `make run` runs it, and has the same data.
"""

import base64
import os
import secrets
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from embedded import run
from embedded.folders import BASE_DIR, read_or_create, scratch, state_folder
from embedded.parts import Parts
from embedded.servers import free_port

PRODUCTS = BASE_DIR / "examples"
# Also where packages put a program that only administrators are meant to find.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"])
NO_NGINX = (
    "make example needs nginx, which puts the site and two products under one address, and there is none. Install it "
    "(apt install nginx, dnf install nginx, brew install nginx), or start the site alone with make run."
)
# The events that each product is told of.
WANTED = {
    "notes": ("user.updated", "user.deleted"),
    "board": ("user.created", "user.updated", "user.deleted", "session.revoked"),
}
AROUND = """
daemon off;
master_process off;
pid "{folder}/nginx.pid";
error_log stderr;
events {{}}
http {{
    access_log off;
    types {{ text/css css; }}
    client_body_temp_path "{folder}/body";
    proxy_temp_path "{folder}/proxy";
    fastcgi_temp_path "{folder}/fastcgi";
    uwsgi_temp_path "{folder}/uwsgi";
    scgi_temp_path "{folder}/scgi";
{servers}
}}
"""


def main() -> NoReturn:
    """Starts nginx, both products and the site, prints the addresses of all, and waits.

    Stops all of them, and raises SystemExit, on Ctrl-C, SIGTERM or SIGHUP (status 0), or when one ends or does not
    start, PORT cannot be used, or there is no nginx (status 1).
    """
    run.stop_when_told()
    os.chdir(BASE_DIR)
    nginx = shutil.which("nginx", path=PATH)
    if not nginx:
        raise SystemExit(NO_NGINX)
    port, inner = run.usable_port(os.environ.get("PORT") or "8000", "example"), free_port()
    set_up_site(port)
    run.read_settings()
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        parts = run.start_servers(stack, "make example")
        state = state_folder(os.environ) / "example"
        state.mkdir(mode=0o700, exist_ok=True)
        start_products(parts, folder, state, inner)
        addresses, about_owners = run.start_site(parts, inner)
        parts.start("nginx", nginx, "-e", "stderr", "-p", folder, "-c", configure(folder, port, inner))
        for name, events in WANTED.items():
            add_webhook(parts, f"http://127.0.0.1:{port}/{name}/webhook", secret_file(state, name), events)
        site = os.environ["SITE_URL"]
        run.tell(addresses | {name.capitalize(): f"{site}/{name}/" for name in WANTED}, about_owners)
        run.keep_running(parts)


def set_up_site(port: int) -> None:
    """Sets the environment of the site, for which nginx answers at `port`.

    Raises SystemExit if SITE_URL is set.
    """
    if os.environ.get("SITE_URL"):
        raise SystemExit("make example is at http://localhost:PORT. Unset SITE_URL, and try again.")
    networks = filter(None, [os.environ.get("WEBHOOKS_ALLOWED_NETWORKS"), "127.0.0.1/32"])
    os.environ |= {
        "SITE_URL": f"http://localhost:{port}",
        "TRUSTED_PROXY_COUNT": "1",
        "WEBHOOKS_ALLOWED_NETWORKS": ",".join(networks),
    }
    os.environ.setdefault("SIGNED_IN_URL", "/notes/")
    os.environ.setdefault("PRODUCT_URL", f"http://localhost:{port}/notes/")
    os.environ.setdefault("PRODUCT_NAME", "Notes")


def configure(folder: Path, port: int, inner: int) -> Path:
    """Writes the configuration of nginx, that of the examples with the addresses of this run, and returns its path."""
    servers = (PRODUCTS / "nginx.conf").read_text()
    for there, here in {
        "127.0.0.1:8001": f"127.0.0.1:{inner}",
        "127.0.0.1:8000": f"127.0.0.1:{port}",
        "/run/example/": f"{folder}/",
        "/srv/example": str(PRODUCTS),
    }.items():
        servers = servers.replace(there, here)
    path = folder / "nginx.conf"
    path.write_text(AROUND.format(folder=folder, servers=servers))
    return path


def start_products(parts: Parts, folder: Path, state: Path, inner: int) -> None:
    """Starts both products, at sockets in `folder` and with their data in `state`.

    They get nothing of our environment, as the key of the site is in it. Raises SystemExit if the tables of the notes
    cannot be made.
    """
    environ = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(PRODUCTS),
        "DJANGO_SETTINGS_MODULE": "notes.settings",
        "NOTES_SECRET_KEY": read_or_create(state / "notes.key", secrets.token_urlsafe(64)),
        "NOTES_WEBHOOK_SECRET": secret_file(state, "notes").read_text(),
        "NOTES_DATABASE": str(state / "notes.sqlite3"),
        "BOARD_WEBHOOK_SECRET": secret_file(state, "board").read_text(),
        "BOARD_DATABASE": str(state / "board.sqlite3"),
        "FRONTDOOR": f"127.0.0.1:{inner}",
        "FRONTDOOR_COOKIE": "frontdoor_session",  # its name over http
    }
    parts.run(sys.executable, "-m", "django", "migrate", "--verbosity", "0", env=environ)
    server = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "8", "--log-level", "warning"]
    server += ["--no-control-socket", "--bind"]
    parts.start("The notes", *server, f"unix:{folder}/notes.sock", "notes.wsgi", env=environ)
    parts.start("The board", *server, f"unix:{folder}/board.sock", "board", env=environ)


def secret_file(state: Path, name: str) -> Path:
    """Returns the file with the secret of a product's webhook, and makes both if need be."""
    path = state / f"{name}.webhook_secret"
    read_or_create(path, f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}")
    return path


def add_webhook(parts: Parts, url: str, secret: Path, events: tuple[str, ...]) -> None:
    """Has the site tell a product of events: here, if it was at another PORT before. Raises SystemExit if it fails."""
    wanted = [word for event in events for word in ("--event", event)]
    command = (sys.executable, "manage.py", "add_webhook", url, "--secret-file", secret, "--move", *wanted)
    parts.run(*command, "--verbosity", "0")


if __name__ == "__main__":
    main()
