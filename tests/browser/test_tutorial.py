"""docs/tutorial.md as a newcomer walks it: its commands are run, its outputs compared, its buttons pressed."""

import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

import embedded
from embedded import example, folders, servers
from tests.browser.test_example import heading, newest_link
from tests.tools.factories import PASSWORD

TUTORIAL = (folders.BASE_DIR / "docs" / "tutorial.md").read_text()
# Each command, and what the tutorial says that it prints.
STEPS = re.findall(r"```sh\n(.*?)```.*?```text\n(.*?)```", TUTORIAL, re.DOTALL)

pytestmark = pytest.mark.skipif(not shutil.which("nginx", path=example.PATH), reason="no nginx")


@pytest.fixture
def terminal(tmp_path):
    """The environment of a newcomer's terminal, with a port and a state folder that disturb nobody."""
    forgotten = {
        *embedded.CONFIGURED,
        "EMAIL_URL",
        "DEV_MAILBOX",
        "MAKELEVEL",
        "MAKEFLAGS",
        "WEBHOOKS_ALLOWED_NETWORKS",
    }
    given = {name: value for name, value in os.environ.items() if name not in forgotten}
    return given | {"FRONTDOOR_STATE": str(tmp_path / "state"), "PORT": str(servers.free_port())}


@pytest.fixture
def visit(chromium):
    """A function that opens a new browser profile, with scripts off."""
    profiles = []

    def visit(site):
        profile = chromium.new_context(java_script_enabled=False, base_url=site)
        profile.set_default_timeout(20_000)
        profiles.append(profile)
        return profile.new_page()

    yield visit
    for profile in profiles:
        profile.close()


def told(step, environ):
    """Returns what the tutorial says that a step prints, as a pattern: "…" stands for anything within a line."""
    lines = STEPS[step][1].replace("localhost:8000", f"localhost:{environ['PORT']}").splitlines()
    return ".*".join(re.escape(line).replace("…\\", "…").replace("…", ".*") for line in lines)


@contextmanager
def started(step, environ, tmp_path):
    """Runs the command of a step until the block ends, as soon as it has printed what the tutorial says."""
    log = tmp_path / f"log{step}"
    with log.open("w") as out:
        process = subprocess.Popen(
            ["/bin/sh", "-c", STEPS[step][0]],
            cwd=folders.BASE_DIR,
            env=environ,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not re.search(told(step, environ), log.read_text(), re.DOTALL):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield log.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


def ran(step, environ):
    """Runs the command of a step to its end, and returns what it printed."""
    done = subprocess.run(
        ["/bin/sh", "-c", STEPS[step][0]],
        cwd=folders.BASE_DIR,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    assert re.search(told(step, environ), done.stdout, re.DOTALL), done.stdout
    return done.stdout


def test_the_tutorial_leads_to_a_colleague_whom_the_product_greets_by_name(terminal, visit, tmp_path):
    assert len(STEPS) == 5
    site = f"http://localhost:{terminal['PORT']}"

    with started(0, terminal, tmp_path):
        visitor = visit(site)
        visitor.goto("/")
        expect(visitor.get_by_role("textbox")).to_have_count(1)
    ran(1, terminal)
    with started(2, terminal, tmp_path) as printed:
        visitor.goto("/")
        assert visitor.locator(".brand").inner_text() == "Northlight"
        become_owner(owner := visit(site), re.search(r"Owner +(\S+)", printed)[1])
        ran(3, terminal)
        be_the_colleague(grace := visit(site), site)
        see_what_became_of_it(owner)
        ran(4, terminal)
        sign_out_everywhere(grace)


def become_owner(owner, link):
    owner.goto(link)
    for name, value in {"email": "ada@example.com", "username": "ada", "password": PASSWORD}.items():
        owner.fill(f"#id_{name}", value)
    owner.get_by_role("button", name="Create account").click()
    assert owner.url.endswith("/admin/")
    owner.get_by_role("button", name="Send me a test mail").click()


def be_the_colleague(grace, site):
    grace.goto(newest_link(grace, "grace"))
    grace.fill("#id_username", "grace")
    grace.fill("#id_password", PASSWORD)
    grace.get_by_role("button", name="Create account").click()
    assert grace.url == f"{site}/notes/"
    assert heading(grace) == "Hello, Grace"
    grace.fill("[name=text]", "Bread at six")
    grace.get_by_role("button", name="Write it down").click()


def see_what_became_of_it(owner):
    owner.goto("/admin/invites/invite/")
    expect(owner.locator("tr", has_text="grace@example.com")).to_contain_text("Accepted")


def sign_out_everywhere(grace):
    grace.goto("/logout")
    grace.locator("main form button").first.click()
    grace.goto("/notes/")
    assert "/login" in grace.url
