"""Rules about rooms and locked packages that import-linter cannot check."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from embedded import local

ROOT = Path(__file__).parent.parent.parent
ANSWERS_HTTP = {"desk", "pages.py"}  # files of the outbox that may see a request
WITHOUT_A_REQUEST = [
    *ROOT.glob("*/models/*.py"),
    *(path for path in ROOT.glob("outbox/**/*.py") if not ANSWERS_HTTP & set(path.parts)),
    *(ROOT / "kit" / f"{name}.py" for name in ("addresses", "encryption", "findings", "ids", "plain_line", "times")),
    *(ROOT / "kit" / f"{name}.py" for name in ("tokens", "worker_loop")),
    *(ROOT / "accounts" / f"{name}.py" for name in ("limits", "names", "notices", "preferences")),
    *(ROOT / "accounts" / name for name in ("password/rules.py", "privacy/erase.py", "privacy/export.py")),
    *(ROOT / "invites" / f"{name}.py" for name in ("limits", "mails", "privacy", "purposes")),
    *(ROOT / "invites" / name for name in ("ask_for_link/webmail.py", "batch/lists.py", "funnel/count.py")),
]


def test_models_tokens_and_mail_never_see_a_request(subtests):
    assert len(WITHOUT_A_REQUEST) > 80
    for path in WITHOUT_A_REQUEST:
        with subtests.test(path=str(path.relative_to(ROOT))):
            assert not re.search(r"django\.http|HttpRequest|\brequest[.,:]\w", path.read_text("utf-8"))


def test_the_settings_and_the_embedded_servers_mean_the_same_machine_by_this_one():
    assert settings.THIS_MACHINE == local.THIS_MACHINE


LOCKS = ("requirements.lock", "requirements-run.lock", "requirements-dev.lock")


def packages(lock):
    """Returns each package of a lock file, with its version and hashes."""
    return re.split(r"\n(?=\S)", (ROOT / lock).read_text("utf-8").strip())


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_pin_every_package_by_hash_and_name_no_address(lock):
    assert "://" not in (ROOT / lock).read_text("utf-8")
    for package in packages(lock):
        assert re.match(r"[a-z0-9.-]+==\S+", package), package
        assert "--hash=sha256:" in package, package


def test_what_production_needs_is_in_what_make_run_needs_and_that_in_what_tests_need():
    # Of each package the version and the hashes, without the condition in which a lock needs it.
    production, run, tests = ({re.sub(r" ; [^\\]+", " ", package) for package in packages(lock)} for lock in LOCKS)
    assert production < run < tests
