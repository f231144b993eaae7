"""`make example`: the site with two products behind nginx, everything real, as a newcomer meets it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

import embedded
from embedded import example, folders, servers
from tests.browser.axe import violations
from tests.tools.factories import PASSWORD

NGINX = shutil.which("nginx", path=example.PATH)
PATIENCE = 60_000  # milliseconds that an event, or a mail, may take on a busy machine


@contextmanager
def running(state, port, out=subprocess.PIPE, **given):
    forgotten = {*embedded.CONFIGURED, "EMAIL_URL", "DEV_MAILBOX", "MAKELEVEL", "WEBHOOKS_ALLOWED_NETWORKS"}
    environ = {name: value for name, value in os.environ.items() if name not in forgotten}
    with subprocess.Popen(
        [sys.executable, "-m", "embedded.example"],
        env=environ | {"FRONTDOOR_STATE": str(state), "PORT": str(port)} | given,
        cwd=folders.BASE_DIR,
        stdout=out,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.fixture
def site(tmp_path):
    """The address of the site that `make example` has started."""
    port, log = servers.free_port(), tmp_path / "log"
    with log.open("w") as out, running(tmp_path / "state", port, out) as process:
        while "\nBoard " not in log.read_text():
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        assert f"\nNotes      http://localhost:{port}/notes/\n" in log.read_text()
        with running(tmp_path / "state", servers.free_port()) as second:  # waits for its turn meanwhile, in vain
            said, _ = second.communicate(timeout=60)
            assert re.search(r"\nmake example \(process \d+\) uses the servers in .*\. Stop it first\.\n$", said)
        yield f"http://localhost:{port}"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, log.read_text()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def visit(chromium, site):
    """A function that opens a page in a new browser profile, with scripts off."""
    profiles = []

    def visit(*, scripts=False, **options):
        profile = chromium.new_context(java_script_enabled=scripts, base_url=site, **options)
        profile.set_default_timeout(20_000)
        profiles.append(profile)
        return profile.new_page()

    yield visit
    for profile in profiles:
        profile.close()


def heading(page):
    return page.locator("h1").inner_text()


def reload_until(page, is_so):
    """Reloads the page until it is so: an event is on its way."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not is_so(page):
        assert time.monotonic() < deadline, page.locator("body").inner_text()
        page.wait_for_timeout(100)
        page.goto(page.url)


def sign_up(page, name):
    """Comes to the notes as a stranger, and makes an account by a mailed link. Ends where that leads."""
    page.goto("/notes/")
    assert page.url.endswith("/login?next=/notes/")
    page.get_by_role("link", name="Email me a link instead").click()
    page.fill("#id_email", f"{name}@example.com")
    page.locator("main form button").first.click()
    page.goto(newest_link(page, name))
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.locator("main form button").first.click()


def newest_link(page, name):
    mailbox = page.context.new_page()
    mailbox.goto("/dev/mail/")
    reload_until(mailbox, lambda page: page.locator("li", has_text=f"{name}@example.com").count())
    mailbox.locator("li", has_text=f"{name}@example.com").locator("a").first.click()
    link = re.search(r"http://localhost:\d+/signup\?token=\S+", mailbox.locator("pre").first.inner_text())[0]
    mailbox.close()
    return link


def sign_in(page, name):
    page.fill("#id_login", name)
    page.fill("#id_password", PASSWORD)
    page.locator("main form button").first.click()


def write(page, text):
    page.fill("[name=text]", text)
    page.get_by_role("button", name="Write it down").click()


@pytest.mark.skipif(not NGINX, reason="no nginx")
def test_two_people_meet_at_two_products_and_one_leaves(visit, site):
    ada, bob = visit(), visit()

    a_stranger_is_greeted_where_she_wanted_to_go(ada, site)
    there = the_next_one_reads_her_note_and_may_not_change_it(ada, bob)
    both_have_just_arrived(ada, bob)
    she_changes_her_note_by_keyboard(ada, there)
    her_new_name_stands_beside_it_before_she_comes_back(ada, bob)
    signing_out_elsewhere_counts_with_the_next_request(ada, visit())
    she_is_greeted_by_her_name_once_she_has_one(ada, bob)
    with_her_account_her_note_and_her_arrival_go(ada, bob)
    the_pages_are_accessible(bob, visit)


def a_stranger_is_greeted_where_she_wanted_to_go(ada, site):
    ada.goto("/dev/mail/")
    assert "No email yet." in ada.locator("main").inner_text()
    sign_up(ada, "ada")
    assert ada.url == f"{site}/notes/"
    assert heading(ada) == "Hello, ada"
    write(ada, "Bread at six")
    expect(ada.locator("li", has_text="Bread at six")).to_contain_text("ada, ")


def the_next_one_reads_her_note_and_may_not_change_it(ada, bob):
    sign_up(bob, "bob")
    assert heading(bob) == "Hello, bob"
    assert "Change" not in bob.locator("li", has_text="Bread at six").inner_text()
    there = ada.get_by_role("link", name="Change").get_attribute("href")
    assert bob.goto(there).status == 403
    return there


def both_have_just_arrived(ada, bob):
    bob.goto("/board/")
    assert heading(bob) == "Hello, bob"
    reload_until(bob, lambda page: page.get_by_role("button", name="Wave at ada").count())
    bob.get_by_role("button", name="Wave at ada").click()
    expect(bob.locator("li", has_text="ada")).to_contain_text("1 wave")
    ada.goto("/board/")
    expect(ada.locator("li", has_text="ada").first).to_contain_text("1 wave")


def she_changes_her_note_by_keyboard(ada, there):
    ada.goto(there)
    ada.fill("[name=text]", "Bread at seven")
    ada.keyboard.press("Tab")
    ada.keyboard.press("Enter")
    ada.wait_for_url("**/notes/")
    expect(ada.locator("ul.rows")).to_contain_text("Bread at seven")


def her_new_name_stands_beside_it_before_she_comes_back(ada, bob):
    ada.goto("/account/username")
    ada.fill("#id_username", "countess")
    ada.locator("main form button").first.click()
    bob.goto("/notes/")
    reload_until(bob, lambda page: "countess, " in page.locator("ul.rows").inner_text())


def signing_out_elsewhere_counts_with_the_next_request(ada, other):
    other.goto("/login")  # from which the notes are the way on (SIGNED_IN_URL)
    sign_in(other, "countess")
    assert heading(other) == "Hello, countess"
    other.goto("/logout")
    other.get_by_role("button", name="Sign out everywhere").click()
    ada.goto("/notes/")
    assert ada.url.endswith("/login?next=/notes/")
    # The board remembers her for a moment: it is told.
    ada.goto("/board/")
    reload_until(ada, lambda page: page.url.endswith("/login?next=/board/"))


def she_is_greeted_by_her_name_once_she_has_one(ada, bob):
    sign_in(ada, "countess")
    assert ada.url.endswith("/board/")
    ada.goto("/account/profile")
    ada.fill("#id_name", "Ada Łovelace, 100%")
    ada.locator("main form button").first.click()
    reload_until(bob, lambda page: "Ada Łovelace, 100%, " in page.locator("ul.rows").inner_text())
    ada.goto("/notes/")
    assert heading(ada) == "Hello, Ada Łovelace, 100%"


def with_her_account_her_note_and_her_arrival_go(ada, bob):
    ada.goto("/account/delete")
    ada.get_by_label("Now", exact=True).check()
    ada.fill("#id_password", PASSWORD)
    ada.locator("main form button").first.click()
    reload_until(bob, lambda page: "Bread" not in page.locator("main").inner_text())
    bob.goto("/board/")
    reload_until(bob, lambda page: "Łovelace" not in page.locator("main").inner_text())
    expect(bob.locator("ul.rows")).to_contain_text("bob")


def the_pages_are_accessible(bob, visit):
    bob.goto("/notes/")
    write(bob, "Milk")
    seen = visit(scripts=True, storage_state=bob.context.storage_state())
    for path in ("/notes/", "/board/", bob.get_by_role("link", name="Change").get_attribute("href")):
        seen.goto(path)
        assert heading(seen)
        assert seen.url.endswith(path)
        assert violations(seen) == []


def say(state, port, **given):
    """Returns what the command says before it ends with status 1."""
    with running(state, port, **given) as process:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 1
        return said


def test_without_nginx_it_says_how_to_get_it():
    code = "from embedded import example; example.PATH = '/nowhere'; example.main()"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folders.BASE_DIR, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr, done.returncode) == ("", f"{example.NO_NGINX}\n", 1)


@pytest.mark.skipif(not NGINX, reason="no nginx")
def test_a_port_in_use_is_one_line_with_the_way_out(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = say(tmp_path, port)

    assert re.fullmatch(rf"Port {port} cannot be used .*\. Try: make example PORT={port + 1}\n", said)


@pytest.mark.skipif(not NGINX, reason="no nginx")
def test_a_site_elsewhere_is_one_line(tmp_path):
    said = say(tmp_path, servers.free_port(), SITE_URL="https://example.com")

    assert said == "make example is at http://localhost:PORT. Unset SITE_URL, and try again.\n"
