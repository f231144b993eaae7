"""The behaviour that all commands share: colours, help, reports of what they did, and a clean standard output."""

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from embedded.folders import BASE_DIR
from kit.commands import arguments, command, worker
from kit.worker_loop import Worker

pytestmark = pytest.mark.slow

ROOMS = {"accounts", "invites", "operations", "outbox"}


def test_every_help_has_examples_that_can_be_typed():
    commands = {name: load_command_class(room, name) for name, room in get_commands().items() if room in ROOMS}

    assert {"doctor", "end_sessions", "mail_queue", "prune", "resend_invites"} <= commands.keys()
    for name, one in commands.items():
        assert isinstance(one, command.Command), name
        parser = one.create_parser("manage.py", name)
        assert "examples:\n  manage.py" in parser.format_help(), name
        for example in one.examples:
            parser.parse_args(shlex.split(re.split(" [<>] ", example)[0]))


def test_no_color_is_minded(monkeypatch):
    seen = []

    class Command(command.Command):
        requires_system_checks = ()

        def handle(self, **options):
            seen.append(not options["no_color"])

    for value in ("1", ""):
        monkeypatch.setenv("NO_COLOR", value)
        call_command(Command())
    assert seen == [False, True]


def test_what_is_logged_does_not_get_between_the_results():
    code = (
        "import logging, django; django.setup();"
        "from kit.commands import command\n"
        "with command.logs_on_stderr(): logging.getLogger('x').warning('noise'); print('result')\n"
        "logging.getLogger('x').warning('after')"
    )
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    ended = subprocess.run([sys.executable, "-c", code], cwd=BASE_DIR, env=environ, capture_output=True, check=True)

    assert ended.stdout.splitlines()[0] == b"result"
    assert b"noise" in ended.stderr
    assert b"after" in ended.stdout


class Sweep(command.Command):
    requires_system_checks = ()

    def add_arguments(self, parser):
        arguments.rehearsal(parser)
        arguments.answer(parser, ["text", "json", "csv"])

    def handle(self, **options):
        report = {"rooms": 2, "swept_at": datetime(2026, 11, 21, 14, tzinfo=UTC)}
        self.tell(report, "2 rooms swept", [["room", "swept"], ["kit", "yes, all"]])


class Look(Sweep):
    def handle(self, **options):
        self.show({"rooms": 2}, "2 rooms")


def printed(one, *options):
    out = io.StringIO()
    call_command(one, *options, stdout=out)
    return out.getvalue()


def test_what_was_done_is_told_as_it_was_asked_for():
    assert printed(Sweep()) == "2 rooms swept\n"
    assert printed(Sweep(), "--dry-run") == "DRY RUN  2 rooms swept\n"
    assert printed(Sweep(), "--format", "csv", "--dry-run") == 'room,swept\nkit,"yes, all"\n'
    for dry_run in (False, True):
        assert json.loads(printed(Sweep(), "--format", "json", *["--dry-run"] * dry_run)) == {
            "command": "test_commands",
            "dry_run": dry_run,
            "rooms": 2,
            "swept_at": "2026-11-21T14:00:00Z",
        }


def test_who_wants_to_hear_of_failures_only_is_told_what_was_asked_and_not_what_was_done():
    assert printed(Sweep(), "--verbosity", "0") == ""
    assert json.loads(printed(Sweep(), "--verbosity", "0", "--format", "json"))["rooms"] == 2
    assert printed(Look(), "--verbosity", "0") == "2 rooms\n"


class Counting(Worker):
    """Counts to three, and is told to stop then."""

    done, rests = 0, 0

    def next(self):
        if self.done == 3:
            signal.raise_signal(signal.SIGTERM)
            return False
        self.done += 1
        return True

    def rest(self):
        self.rests += 1


def at_work(one):
    class Work(worker.Command):
        requires_system_checks = ()

        def worker(self):
            return one

        def work_once(self):
            raise KeyboardInterrupt

    return Work()


def test_a_worker_goes_on_until_it_is_told_to_stop_and_rests_at_its_end(db):
    counting = Counting()

    call_command(at_work(counting))

    assert (counting.done, counting.rests) == (3, 1)


def test_a_worker_that_is_interrupted_while_nobody_listens_says_so():
    with pytest.raises(CommandError, match="Interrupted") as stopped:
        call_command(at_work(Counting()), "--once")

    assert stopped.value.returncode == 130


def test_what_a_worker_logs_stays_on_its_standard_output():
    code = (
        "import logging, django; django.setup();"
        "from kit.commands import worker\n"
        "from django.core.management import call_command\n"
        "class Work(worker.Command):\n"
        "    requires_system_checks = ()\n"
        "    def work_once(self): logging.getLogger('x').warning('delivered')\n"
        "call_command(Work(), '--once')"
    )
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    ended = subprocess.run([sys.executable, "-c", code], cwd=BASE_DIR, env=environ, capture_output=True, check=True)

    assert b"delivered" in ended.stdout
    assert ended.stderr == b""
