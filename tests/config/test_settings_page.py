"""docs/settings.md has every variable that the code reads, with the default with which it is read."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config import secret_files

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/settings.md"
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]+")
READERS = re.compile(r"read|(os\.)?environ\.get|env\.\w+|[a-z_]+")
# What make and the shell set, what names the settings themselves, and what a request brings.
NOT_SETTINGS = {"MAKELEVEL", "PATH", "DJANGO_SETTINGS_MODULE", "CONTENT_TYPE"}
# An environment in which nothing has a value but what must.
BARE = {
    "PATH": os.environ["PATH"],
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "SITE_URL": "https://frontdoor.example",
    "DATABASE_URL": "postgres://frontdoor@localhost/frontdoor",
    "REDIS_URL": "redis://localhost/0",
}
RECORD = "from config import reference; from config.environment.variables import env; print(ascii(env.defaults))"


def run(*argv, **environ):
    return subprocess.run(
        [sys.executable, *argv], cwd=ROOT, env=BARE | environ, text=True, capture_output=True, check=True, timeout=60
    ).stdout


@pytest.fixture(scope="module")
def read_at_start():
    """Returns the variables that a start reads, with the defaults with which it reads them."""
    return ast.literal_eval(run("-c", RECORD))


@pytest.fixture(scope="module")
def rows():
    """Returns the rows of the page: the name of each variable, and the cell with its default."""
    tables = PAGE.read_text().partition("a test compares -->")[2]
    return dict(re.findall(r"^\| `([A-Z][A-Z0-9_]+)`.* \| ([^|]*) \|$", tables, re.MULTILINE))


def named_in(folder):
    """Returns the variables that the calls in a folder's modules name, as their first argument."""
    calls = (
        node
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and node.args and READERS.fullmatch(ast.unparse(node.func))
    )
    values = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    return {value for value in values if isinstance(value, str) and VARIABLE.fullmatch(value)} - NOT_SETTINGS


def test_the_page_shows_what_the_command_prints():
    shown = PAGE.read_text().partition("a test compares -->")[2].strip()

    assert shown == run("-m", "config.reference").strip(), (
        "put what `python -m config.reference` prints at the end of docs/settings.md; a new variable needs its line in "
        "config/reference.py"
    )


def test_every_variable_has_a_row_and_every_row_a_variable(rows, read_at_start):
    embedded = named_in("embedded")

    assert {"PORT", "FRONTDOOR_STATE"} <= embedded
    assert {"SECRET_KEY", "SIGNUP", "BIND", "WEB_CONCURRENCY", "HSTS_PRELOAD", "BRAND_LOGO"} <= set(read_at_start)
    assert set(rows) == set(read_at_start) | embedded


def test_no_variable_is_read_only_sometimes(read_at_start):
    assert named_in("config") <= set(read_at_start)


def test_each_row_has_the_default_of_the_code(rows, read_at_start):
    for name, value in read_at_start.items():
        written = str(value).lower() if isinstance(value, bool) else str(value)
        if value in ("", []):
            assert re.search(r"\w", rows[name]), f"{name} needs words for what holds without it"
        elif "frontdoor.example" not in written:
            assert rows[name].startswith(f"`{written}`"), name


def test_the_rows_of_required_variables_say_so(rows):
    readers = [*(ROOT / "config/environment").glob("*.py"), ROOT / "config/keys.py"]
    calls = [node for file in readers for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    required = {call.args[0].value for call in calls if ast.unparse(call.func) == "required"}

    assert {"SECRET_KEY", "SITE_URL"} <= required
    assert {name for name, default in rows.items() if default == "**required**"} == required


def test_the_defaults_of_make_run_are_those_of_the_code(rows):
    code = "".join(path.read_text() for path in (ROOT / "embedded").glob("*.py"))
    defaults = re.findall(r"environ\.get\(['\"](\w+)['\"]\) or [^\"\d\n]*\"?([.\w]+)", code)

    assert {name for name, _default in defaults} == {"PORT", "FRONTDOOR_STATE"}
    assert all(f"`{default}`" in rows[name] for name, default in defaults)


def test_a_secret_is_named_with_its_file():
    named = re.findall(r"^\| `([A-Z_]+)`, `([A-Z_]+)` \|", PAGE.read_text(), re.MULTILINE)

    assert dict(named) == {name: f"{name}_FILE" for name in secret_files.SECRETS}


def test_the_command_prints_what_this_site_would_have_by_default():
    assert "| `9`: four fifths" in run("-m", "config.reference", WEB_THREADS="12")
