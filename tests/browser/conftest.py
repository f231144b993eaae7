"""A real Chromium against a real server. Scripts are off unless a test turns them on."""

import os
import shutil
import threading

import pytest
from django.db import connections
from playwright.sync_api import sync_playwright

# The first of these draws no windows, and takes a quarter of the time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SWITCHES += ["--disable-component-update", "--disable-sync"]

# Playwright runs an event loop in this thread, so Django would refuse every query as one of async code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="no Chromium"))


@pytest.fixture(scope="session")
def chromium(django_db_setup):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()
        connections.close_all()  # While its loop runs, this thread has others than before and after it.
    # The server's threads end once no browser is connected. Only then may their database be dropped.
    for thread in threading.enumerate():
        if thread.name.endswith("(process_request_thread)"):
            thread.join(timeout=10)


@pytest.fixture
def db(committed):
    """A database whose rows are committed, so that the server's threads see them."""


@pytest.fixture
def site(server, settings, google):
    """The URL of the running site, which its mails and the stand-in for Google also use."""
    settings.SITE_URL = server.url
    google.register(server.url)
    return server.url


@pytest.fixture
def visit(chromium, site):
    """A function that opens a page in a new browser profile: `visit(scripts=False, locale="ru", …)`."""
    profiles = []

    def visit(*, scripts=False, **options):
        profile = chromium.new_context(java_script_enabled=scripts, base_url=site, **options)
        profile.set_default_timeout(10_000)
        profiles.append(profile)
        return profile.new_page()

    yield visit
    for profile in profiles:
        profile.close()
