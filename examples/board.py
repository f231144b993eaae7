"""A small product: who has just arrived. It asks Frontdoor itself who sends a request (plain WSGI and SQLite)."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import frontdoor_client

DATABASE = os.environ["BOARD_DATABASE"]
WEBHOOK_SECRET = os.environ["BOARD_WEBHOOK_SECRET"]
LARGEST = 64 * 1024  # bytes of a body
SHOWN = 20  # people

TABLES = """
CREATE TABLE IF NOT EXISTS people (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, named_at REAL NOT NULL, arrived_at REAL,
    has_left INTEGER DEFAULT 0 NOT NULL
);
CREATE TABLE IF NOT EXISTS waves (whom TEXT NOT NULL, by TEXT NOT NULL, PRIMARY KEY (whom, by));
"""
# Events come in any order: an older one changes no name, and none brings back somebody who has left.
REMEMBER = """
INSERT INTO people (id, name, named_at) VALUES (:user, :name, :at)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, named_at = excluded.named_at
WHERE NOT has_left AND named_at < excluded.named_at
"""
FORGET = """
INSERT INTO people (id, name, named_at, has_left) VALUES (:user, '', :at, 1)
ON CONFLICT (id) DO UPDATE SET name = '', arrived_at = NULL, has_left = 1
"""
NEWEST = """
SELECT id, name, (SELECT count(*) FROM waves WHERE whom = id),
    id != :me AND NOT EXISTS (SELECT 1 FROM waves WHERE whom = id AND by = :me)
FROM people WHERE arrived_at IS NOT NULL ORDER BY arrived_at DESC LIMIT :shown
"""
WAVE = "INSERT OR IGNORE INTO waves SELECT id, ? FROM people WHERE id = ? AND NOT has_left"

PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Board</title>
    <link rel="stylesheet" href="/product.css">
  </head>
  <body>
    <nav>
      <a href="/notes/">Notes</a>
      <a href="/board/">Board</a>
      <a href="/account">Your account</a>
      <a href="/logout">Sign out</a>
    </nav>
    <main>
      <h1>Hello, {name}</h1>
      <h2>Who has just arrived</h2>
      {people}
    </main>
  </body>
</html>
"""
# A script in this page could do everything that the visitor can do at Frontdoor, which is under the same host.
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = [("Content-Security-Policy", POLICY), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]

type Environ = dict[str, Any]
type Answer = tuple[int, str, dict[str, str]]

door = frontdoor_client.Door(os.environ["FRONTDOOR"], os.environ.get("FRONTDOOR_COOKIE", "__Host-session"))


def application(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answers a request, as PEP 3333 has it."""
    pages = {("GET", "/board/"): board, ("POST", "/board/wave"): wave, ("POST", "/board/webhook"): webhook}
    page = pages.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]), nothing)
    status, text, headers = page(environ)
    body = text.encode()
    kind = ("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))
    start_response(f"{status} {HTTPStatus(status).phrase}", [*HEADERS, *kind, *headers.items()])
    return [body]


def nothing(environ: Environ) -> Answer:
    return 404, "<p>There is no such page.</p>", {}


def board(environ: Environ) -> Answer:
    """Shows who has just arrived, to people who are signed in; leads others to sign in and back."""
    try:
        person = door.ask(environ.get("HTTP_COOKIE", ""))
    except OSError:
        return away()
    if person is None:
        return 302, "", {"Location": "/login?next=/board/"}
    with database() as connection:
        rows = [row(*found) for found in connection.execute(NEWEST, {"me": str(person.id), "shown": SHOWN})]
    people = f'<ul class="rows">{"".join(rows)}</ul>' if rows else "<p>Nobody yet.</p>"
    return 200, PAGE.format(name=escape(person.name), people=people), {}


def row(pk: str, name: str, waves: int, may_wave: int) -> str:
    button = f'<button name="whom" value="{escape(pk)}">Wave at {escape(name)}</button>' if may_wave else ""
    times = f"{waves} {'wave' if waves == 1 else 'waves'}"
    return f'<li><p>{escape(name)}, {times}</p><form method="post" action="/board/wave">{button}</form></li>'


def wave(environ: Environ) -> Answer:
    """Waves at somebody, once. Asks Frontdoor without the cache, as it changes something."""
    # Browsers say in Origin which site a form is from. The page of another one must not wave in the visitor's name.
    if environ.get("HTTP_ORIGIN") != f"{environ.get('HTTP_X_FORWARDED_PROTO')}://{environ.get('HTTP_HOST')}":
        return 403, "<p>This form is from another site. Nothing was changed.</p>", {}
    try:
        person = door.ask(environ.get("HTTP_COOKIE", ""), remembered=False)
    except OSError:
        return away()
    if person is None:
        return 302, "", {"Location": "/login?next=/board/"}
    form = parse_qs(read(environ).decode("ascii", "replace"))
    with database() as connection:
        connection.execute(WAVE, [str(person.id), form.get("whom", [""])[0]])
    return 303, "", {"Location": "/board/"}


def webhook(environ: Environ) -> Answer:
    """Takes an event: somebody has arrived, has another name, or has left. Each may come twice, and in any order."""
    named = {name[5:].replace("_", "-").lower(): said for name, said in environ.items() if name.startswith("HTTP_")}
    try:
        event = frontdoor_client.verified(WEBHOOK_SECRET, named, read(environ))
    except ValueError:
        return 401, "", {}
    door.hear(event)
    name = event.get("name") or event.get("username")
    facts = {"user": event.get("user"), "name": name, "at": datetime.fromisoformat(event["occurred_at"]).timestamp()}
    with database() as connection:
        match event["event"]:
            case "user.created":
                connection.execute(REMEMBER, facts)
                connection.execute("UPDATE people SET arrived_at = :at WHERE id = :user AND NOT has_left", facts)
            case "user.updated":
                connection.execute(REMEMBER, facts)
            case "user.deleted":
                connection.execute(FORGET, facts)
                connection.execute("DELETE FROM waves WHERE :user IN (whom, by)", facts)
    return 200, "", {}


def away() -> Answer:
    return 503, "<p>Frontdoor does not answer just now. Try again in a moment.</p>", {"Retry-After": "5"}


def read(environ: Environ) -> bytes:
    """Returns the body of a request; b"" if it is larger than LARGEST."""
    body: bytes = environ["wsgi.input"].read(LARGEST + 1)
    return body if len(body) <= LARGEST else b""


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """Context manager: yields a connection, and commits at the end of the block."""
    with closing(sqlite3.connect(DATABASE)) as connection, connection:
        yield connection


with database() as new:
    new.executescript(TABLES)
