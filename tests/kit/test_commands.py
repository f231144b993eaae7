"""What all commands share: colours, help, and a clean standard output."""

import os
import re
import shlex
import subprocess
import sys

import pytest
from django.core.management import call_command, get_commands, load_command_class

from embedded.folders import BASE_DIR
from kit.commands import command

pytestmark = pytest.mark.slow

ROOMS = {"accounts", "invites", "operations", "outbox"}


def test_every_help_has_examples_that_can_be_typed():
    commands = {name: load_command_class(room, name) for name, room in get_commands().items() if room in ROOMS}
    minded = {name: one for name, one in commands.items() if isinstance(one, command.Command)}

    assert {"doctor", "end_sessions", "mail_queue", "prune", "resend_invites"} <= minded.keys()
    for name, one in minded.items():
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
