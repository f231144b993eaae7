"""What an operator puts over the site: templates, translations, apps; and a project that installs its rooms."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.template import engines
from django.template.loader import get_template

from config import loading
from tests.config.test_start import GOOD, manage

ROOT = Path(__file__).parent.parent.parent
MSGFMT = shutil.which("msgfmt")
DOCS = ROOT / "docs" / "customise.md"

# Asks the site of this environment for pages, and prints what it answers. Whatever lies over it, the policy stays.
ASK = """
import json, sys, django
django.setup()
from django.conf import settings
from django.test import Client
from django.utils.csp import build_policy
settings.ALLOWED_HOSTS.append("testserver")
client = Client(headers={"accept-language": "en"})
answers = [client.get(path, secure=True) for path in sys.argv[1:]]
body = lambda answer: b"".join(answer) if answer.streaming else answer.content
policies = {answer.get("Content-Security-Policy") for answer in answers}
assert policies <= {None, build_policy(settings.SECURE_CSP)}, policies
print(json.dumps([[answer.status_code, body(answer).decode()] for answer in answers]))
"""


def ask(*paths, **environment):
    """Returns the status and the text of each page of a site with these settings."""
    known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = known | GOOD | {"DJANGO_SETTINGS_MODULE": "config.settings"} | environment
    command = [sys.executable, "-W", "error", "-c", ASK, *paths]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A function that writes a module of a package on the Python path, and returns its path."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def put(name, text):
        write(tmp_path, {"shop/__init__.py": "", f"{Path(name).parent}/__init__.py": "", name: text})
        return tmp_path / name

    yield put
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("shop/accounts/apps.py", "", "'shop.accounts' has the label 'accounts' of another app. Give it one in {}: "),
        ("shop/door/urls.py", "urlpatterns = [\n}", "'shop.door' can't be loaded. {}, line 2: SyntaxError: "),
    ],
)
def test_an_app_that_cannot_be_loaded_stops_the_start_with_one_line(packages, tmp_path, name, text, said):
    file = packages(name, text)

    done = manage("check", **GOOD, EXTRA_APPS=said.split("'")[1], PYTHONPATH=str(tmp_path))

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"EXTRA_APPS: {said.format(file)}")


def test_an_app_may_read_settings_as_it_is_loaded(packages, tmp_path):
    packages("shop/door/apps.py", "import sys\nfrom django.conf import settings\nsys.stdout.write(settings.TIME_ZONE)")

    done = manage("check", **GOOD, EXTRA_APPS="shop.door", PYTHONPATH=str(tmp_path))

    assert (done.returncode, done.stdout[:3]) == (0, "UTC"), done.stderr


def test_a_template_tag_that_cannot_be_loaded_stops_the_start_with_one_line(packages, tmp_path):
    packages("shop/door/templatetags/__init__.py", "")
    tags = packages("shop/door/templatetags/shop.py", "\n1 / 0")

    done = manage("check", **GOOD, EXTRA_APPS="shop.door", PYTHONPATH=str(tmp_path))

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(
        f"EXTRA_APPS: a template tag can't be loaded. {tags}, line 2: ZeroDivisionError: division by zero."
    )


def test_the_line_names_the_place_that_fails_in_the_code_of_the_operator(packages):
    broken = packages("shop/broken/apps.py", "\nlabel")
    with pytest.raises(SystemExit, match=re.escape(f"'shop.broken' can't be loaded. {broken}, line 2: NameError: ")):
        loading.check_apps({"shop.broken": broken.parent}, [])

    far = packages("shop/far/urls.py", "\nfrom django.urls import include\ninclude('shop.nothing')")
    with pytest.raises(SystemExit, match=re.escape(f"{far}, line 3: ModuleNotFoundError: No module named 'shop.")):
        loading.urls_of("shop.far")

    packages("shop/none/urls.py", "pages = []")
    with pytest.raises(SystemExit, match=r"^EXTRA_APPS: 'shop.none' can't be loaded. .* does not appear to have any"):
        loading.urls_of("shop.none")


def test_every_label_of_ours_is_taken_and_an_app_may_have_one_of_its_own(packages):
    ours = settings.INSTALLED_APPS
    for app in apps.get_app_configs():
        packages(f"shop/{app.label}/__init__.py", "")
        with pytest.raises(SystemExit, match=f"has the label '{app.label}' of another app"):
            loading.check_apps({f"shop.{app.label}": Path("shop")}, ours)

    code = (
        "from django.apps import AppConfig\nclass Config(AppConfig):\n name = 'shop.second'\n label = 'accounts_two'\n"
    )
    packages("shop/second/apps.py", code)
    loading.check_apps({"shop.second": Path("shop")}, ours)


def test_a_template_that_cannot_be_read_stops_every_process_with_one_line(tmp_path):
    write(tmp_path, {"mail/base.html": "\n{% if %}"})

    done = manage("deliver_mail", "--once", **GOOD, TEMPLATE_DIRS=str(tmp_path))

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(
        f"A template of yours can't be read. {tmp_path / 'mail/base.html'}, line 2: Unexpected"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{{ x|nothing }}", ", line 1: Invalid filter: 'nothing'"),
        (b"{% load nothing %}", ", line 1: 'nothing' is not"),
        (b"\xff", ": 'utf-8' codec can't decode"),
    ],
)
def test_the_line_says_what_is_wrong_with_a_template(tmp_path, settings, text, said):
    (tmp_path / "new.txt").write_bytes(text)
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [str(tmp_path)]}]

    with pytest.raises(SystemExit, match=re.escape(f"{tmp_path / 'new.txt'}{said}")):
        loading.check_templates()


def test_a_template_of_the_operator_comes_first_and_may_extend_ours(tmp_path):
    write(tmp_path, {"door.html": '{% extends "door.html" %}{% block notes %}<p>Closed on Sunday</p>{% endblock %}'})

    [[status, html]] = ask("/login", TEMPLATE_DIRS=str(tmp_path))

    assert status == 200
    assert "<p>Closed on Sunday</p>" in html
    assert 'name="password"' in html


@pytest.mark.skipif(not MSGFMT, reason="no gettext")
def test_words_of_the_operator_come_first(tmp_path):
    folder = tmp_path / "en" / "LC_MESSAGES"
    words = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Sign in"\nmsgstr "Step inside"\n'
    write(folder, {"django.po": words})
    subprocess.run([MSGFMT, "django.po", "-o", "django.mo"], cwd=folder, check=True)

    [[_, html]] = ask("/login", LOCALE_DIRS=str(tmp_path))

    assert "Step inside</button>" in html


def test_an_app_of_the_operator_brings_pages_templates_and_files(tmp_path):
    write(
        tmp_path / "acme_door",
        {
            "__init__.py": "",
            "urls.py": "from django.urls import path\nfrom django.views.generic import TemplateView\n"
            'urlpatterns = [path("imprint", TemplateView.as_view(template_name="imprint.html")),'
            ' path("login", TemplateView.as_view(template_name="imprint.html"))]\n',
            "templates/imprint.html": '{% extends "door.html" %}{% block heading %}Imprint{% endblock %}',
            "templates/errors/404.html": "Nothing of ours",
            "static/acme.txt": "from the app",
        },
    )

    imprint, login, missing, file = ask(
        "/imprint", "/login", "/nothing", "/static/acme.txt", EXTRA_APPS="acme_door", PYTHONPATH=str(tmp_path)
    )

    assert imprint[0] == 200
    assert "Imprint</h1>" in imprint[1]
    assert 'name="password"' in login[1], "a page of ours was replaced"
    assert missing == [404, "Nothing of ours"]
    assert file == [200, "from the app"]


def test_another_project_installs_the_rooms(tmp_path):
    settings = 'from config.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, "shop"]\nROOT_URLCONF = "shop.urls"\n'
    urls = (
        "from config.urls import *\nfrom django.http import HttpResponse\nfrom django.urls import path\n"
        'urlpatterns = [path("shop/", lambda request: HttpResponse("Open")), *urlpatterns]\n'
    )
    write(tmp_path / "shop", {"__init__.py": "", "settings.py": settings, "urls.py": urls})

    shop, login, missing = ask(
        "/shop/", "/login", "/nothing", DJANGO_SETTINGS_MODULE="shop.settings", PYTHONPATH=f"{tmp_path}:{ROOT}"
    )

    assert shop == [200, "Open"]
    assert 'name="password"' in login[1]
    assert missing[0] == 404
    assert "errors" not in missing[1]


def stable_blocks():
    """Returns the blocks that docs/customise.md calls stable, by their templates."""
    rows = re.findall(r"^\| `([\w/]+\.html)` \| (.+?) \|", DOCS.read_text(), re.MULTILINE)
    return {template: re.findall(r"`(\w+)`", blocks) for template, blocks in rows}


def test_the_blocks_that_are_called_stable_are_there():
    listed = stable_blocks()

    assert set(listed) == {"base.html", "door.html", "page.html", "mail/base.html"}
    for template, blocks in listed.items():
        source = get_template(template).template.source
        assert blocks
        assert set(blocks) == set(re.findall(r"{% block (\w+) %}", source)), template


@pytest.mark.parametrize("name", ["base.html", "door.html", "page.html", "mail/base.html"])
def test_the_stable_templates_are_found(name):
    assert engines["django"].get_template(name)
