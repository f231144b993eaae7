"""The desk and the commands among a million people, a million invites and five million events: `make bench-desk`.

On loopback, with servers of its own that it stops. Ends with 1 if a statement scans one of the big tables, if a page
takes more statements than MOST (the home: MOST_AT_HOME), or if a list of invitations that was interrupted invites
anybody twice or not at all.
"""

import argparse
import json
import logging
import re
import resource
import signal
import subprocess
import sys
import time
from html import unescape
from io import StringIO
from typing import NamedTuple
from urllib.parse import quote

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.bench.people import Size, fill
from tests.bench.site import say, site

BIG = {"accounts_user", "account_emailaddress", "accounts_event", "outbox_outboxmessage"}
BIG |= {"invites_invite", "invites_magiclink"}
MOST, MOST_AT_HOME = 40, 10  # statements of one page
LINKS = 80  # links of each list that are followed: filters, orders, pages
EXPLAINED = re.compile(r"\s*\(?\s*(SELECT|WITH)", re.IGNORECASE)
# What is searched for: one, nobody, many by a name, nearly all by a letter or their domain, and what is no word.
TERMS = ["person77@example.com", "nobody@example.com", "person77", "hop", "ольга ив", "p", "gr lo", "%_"]
TERMS += ["@example.com", "@exa"]
LINES = 100_000  # of the CSV
SECTIONS = ("desk", "commands", "csv")


def main():
    options = arguments()
    logging.disable()  # the figures are printed, logs would only stand between them
    with site(durable=False) as (folder, _stack):
        started = time.monotonic()
        made = fill(options.size)
        rows = ", ".join(f"{count:,} {table}" for table, count in made.items())
        say(f"filled in {time.monotonic() - started:.0f} s: {rows}")
        bench = Bench(folder, options)
        good = [getattr(bench, section)() for section in options.only or SECTIONS]
    sys.exit(0 if all(good) else 1)


def arguments():
    parser = argparse.ArgumentParser(prog="make bench-desk", description=__doc__.partition("\n")[0])
    parser.add_argument("--scale", type=float, default=1, help="of the million")
    parser.add_argument("--lines", type=int, default=LINES, help="of the CSV")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="may be given several times")
    options = parser.parse_args()
    options.size = Size(*(int(count * options.scale) for count in Size()))
    return options


class Cost(NamedTuple):
    """The cost of a page or a command for the database."""

    statements: int
    milliseconds: float
    read: int  # rows that the greediest statement looked at
    scanned: list[str]  # big tables that were scanned, each with the statement

    @property
    def is_good(self):
        return not self.scanned and self.statements <= MOST


class Meter:
    """A context that counts all statements of the connection, and explains those that read."""

    def __enter__(self):
        self.statements, self.seconds, self.read, self.scanned = 0, 0.0, 0, []
        self.wrapped = connection.execute_wrapper(self)
        self.wrapped.__enter__()
        return self

    def __exit__(self, *error):
        self.wrapped.__exit__(*error)

    def __call__(self, execute, sql, params, many, context):
        self.statements += 1
        if EXPLAINED.match(sql):
            self.explain(sql, params)
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - started

    def explain(self, sql, params):
        for_update = " FOR " in sql
        with connection.connection.cursor() as cursor:
            analyze = "" if for_update else "ANALYZE, "
            plan = cursor.execute(f"EXPLAIN ({analyze}FORMAT JSON) {sql}", params).fetchone()[0]
        for node in nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]):
            seen = node.get("Actual Rows", 0) + node.get("Rows Removed by Filter", 0)
            self.read = max(self.read, int(seen * node.get("Actual Loops", 1)))
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG:
                self.scanned.append(f"{node['Relation Name']}: {sql}")

    @property
    def cost(self):
        return Cost(self.statements, self.seconds * 1000, self.read, self.scanned)


def queries(page):
    """Returns the queries that a list links to."""
    return sorted({unescape(link) for link in re.findall(r'href="(\?[^"]*)"', page)})


def nodes(plan):
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


class Bench:
    """The sections of this benchmark. Each prints its figures, and returns whether all are good."""

    def __init__(self, folder, options):
        self.folder, self.options = folder, options

    def judge(self, what, costs, note=""):
        """Prints the highest costs among some pages, and each bad page; returns whether none is bad."""
        most = [max(getattr(cost, name) for cost in costs.values()) for name in Cost._fields[:3]]
        slowest = max(costs, key=lambda page: costs[page].milliseconds)
        where = f" ({slowest})" if len(costs) > 1 else ""
        figures = "{} statements, {:.0f} ms of the database{}, {:,} rows read by one".format(*most[:2], where, most[2])
        say(f"{what}: at most {figures}{note}")
        bad = {page: cost for page, cost in costs.items() if not cost.is_good}
        for page, cost in bad.items():
            say(f"  BAD {page}: {cost.statements} statements, {cost.milliseconds:.0f} ms, {cost.read:,} rows read")
            for scanned in cost.scanned:
                say(f"    scanned {scanned[:2000]}")
        return not bad

    def desk(self):
        """Measures each list with its links and searches, and the page of one row; returns whether all are good."""
        from django.contrib import admin  # noqa: PLC0415 once Django is set up

        self.client = owner()
        lists = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
        home = self.get("/admin/")[1]
        good = [self.judge("/admin/", {"/admin/": home}) and home.statements <= MOST_AT_HOME]
        good += [self.judge(url, self.around(url)) for url in lists]
        return all([*good, self.judge("/admin/search/", self.search())])

    def around(self, url):
        """Returns the cost of a list and of each place it leads to, by URL."""
        page, cost = self.get(url)
        links = queries(page)[:LINKS]
        rows = re.findall(rf'href="({re.escape(url)}[^"?]+/(?:change/)?)[?"]', page)[-1:]
        searches = [f"?q={quote(term)}" for term in TERMS]
        places = [*(url + query for query in links + searches), *rows]
        costs = {url: cost} | {place: self.get(place)[1] for place in places}
        chips = re.findall(r'<a href="(\?[^"]+)"', page.partition('class="chips"')[2].partition("</nav>")[0])
        for query in chips:  # each with all that is offered beside it: heads, other filters, the next page
            beside = queries(self.get(url + query)[0])[:LINKS]
            costs |= {url + further: self.get(url + further)[1] for further in beside if url + further not in costs}
        return costs

    def search(self):
        """Returns the cost of the search over people and invitations, by what is typed."""
        return {f"?q={term}": self.get(f"/admin/search/?q={quote(term)}")[1] for term in TERMS}

    def get(self, url):
        with Meter() as meter:
            answer = self.client.get(url)
        if answer.status_code not in {200, 302, 403}:
            sys.exit(f"{url} answered {answer.status_code}")
        body = b"".join(answer) if answer.streaming else answer.content
        return body.decode(), meter.cost

    def commands(self):
        """Measures what each command reads before it does its first row; returns whether all are good."""
        from django.core.management import CommandError, call_command  # noqa: PLC0415

        good = []
        cache.clear()  # it holds what the desk has just looked up
        for argv in COMMANDS:
            with Meter() as meter:
                started = time.monotonic()
                try:
                    call_command(*argv, stdout=StringIO(), stderr=StringIO())
                except CommandError as error:
                    say(f"  {error}")
                took = time.monotonic() - started
            good.append(self.judge(" ".join(argv), {"it": meter.cost}, f", {took:.1f} s in all"))
        return all(good)

    def csv(self):
        """Sends a long list, interrupted at half and run again. Returns whether each got one mail, within 200 MB."""
        from invites.models import Invite  # noqa: PLC0415
        from outbox.models import OutboxMessage  # noqa: PLC0415

        file = self.folder / "people.csv"
        lines = self.options.lines
        file.write_text("email,name\n" + "".join(f"csv{n}@example.org,Guest {n}\n" for n in range(lines)))
        sent = Invite.objects.filter(created_at__gte=timezone.now())

        def half_way():
            return sent.count() >= lines // 2

        for stop_at, what in ((half_way, "interrupted at half"), (None, "again")):
            seconds, code, megabytes, before = self.send(file, stop_at, sent)
            done = sent.count() - before
            say(
                f"send_invites, {what}: {done:,} invited in {seconds:.0f} s, {done / seconds:.0f} a second, "
                f"{megabytes:.0f} MB at most, exit code {code}"
            )
        mails = OutboxMessage.objects.filter(recipient__endswith="@example.org")
        twice = mails.count() - mails.values("recipient").distinct().count()
        say(f"send_invites: {sent.count():,} of {lines:,} invited, {twice} mailed twice")
        return sent.count() == lines and not twice and megabytes < 200

    def send(self, file, stop_at, sent):
        before, started = sent.count(), time.monotonic()
        argv = [sys.executable, "manage.py", "send_invites", "--csv", str(file), "--format", "json"]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            time.sleep(0.2)
            if stop_at and stop_at():
                process.send_signal(signal.SIGINT)
                stop_at = None
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return time.monotonic() - started, process.returncode, most, before


COMMANDS = [
    ("list_invites", "--limit", "10"),
    *(("list_invites", "--limit", "10", "--state", state) for state in ("pending", "expired", "declined", "accepted")),
    ("list_invites", "--limit", "10", "--source", "csv"),
    ("list_invites", "--email", "person77@example.com"),
    ("list_invites", "--limit", "10", "--older-than", "300d"),
    ("resend_invites", "--dry-run", "--limit", "10"),
    *(("resend_invites", "--dry-run", "--limit", "10", "--state", state) for state in ("pending", "bounced")),
    ("revoke_invites", "--dry-run", "--limit", "10", "--state", "pending"),
    ("remind_invites", "--dry-run"),
    ("invite_report",),
    ("mail_queue",),
    ("mail_queue", "--email", "person77@example.com"),
    ("retry_mail", "--dry-run", "--given-up", "--all"),
    ("end_sessions", "--user", "person77"),
    ("export_user", "person77"),
    ("doctor", "person77@example.com"),
    ("doctor",),
    ("prune", "--dry-run"),
]


def owner():
    """Returns the browser of a new owner, who may do everything."""
    from accounts.models import User  # noqa: PLC0415

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("olga", "olga@example.net"))
    return client


if __name__ == "__main__":
    main()
