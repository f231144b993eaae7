"""What the Dockerfile, compose.yaml, the proxy and their page promise, as far as reading them can tell.

deploy/try_image.sh builds and runs the image.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml

from config import secret_files
from config.edge import bodies
from config.keys import is_weak
from embedded import folders, postgres
from embedded.servers import Place

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


def read(name):
    return (ROOT / name).read_text()


def block(text, start):
    """Returns the indented lines below the line `start` of YAML."""
    lines = text.partition(f"\n{start}\n")[2].splitlines()
    depth = len(start) - len(start.lstrip())
    inside = [not line.strip() or len(line) - len(line.lstrip()) > depth for line in lines]
    return "\n".join(lines[: inside.index(False)] if False in inside else lines)


def images():
    dockerfile = re.findall(r"^ARG BASE=(\S+)", read("Dockerfile"), re.MULTILINE)
    return dockerfile + re.findall(r"^\s+image: (\S+)", read("compose.yaml"), re.MULTILINE)


def test_the_image_runs_as_a_user_that_an_orchestrator_can_see_is_not_root():
    final_stage = read("Dockerfile").rpartition("\nFROM ")[2]
    users = re.findall(r"^USER (\S+)", final_stage, re.MULTILINE)

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])


def test_the_image_holds_all_rooms_and_no_tests():
    allowed = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    rooms = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["root_packages"]
    needed = {*rooms, "locale", "manage.py", "requirements.lock", "static", "templates"}

    assert "*" in read(".dockerignore").splitlines()
    assert allowed == needed | {"deploy/healthcheck.py"}


def test_libraries_are_those_of_the_lock():
    installed = re.findall(r"pip install .*", read("Dockerfile"))

    assert len(installed) == 1
    assert "--require-hashes" in installed[0]
    assert "requirements.lock" in installed[0]


def test_images_are_named_without_their_host():
    assert images()
    assert not [image for image in images() if "." in image.partition("/")[0] and "/" in image]


def test_images_of_others_have_a_version():
    assert all(":" in image and not image.endswith(":latest") for image in images() if image != "frontdoor")


def test_only_the_proxy_is_published_and_only_on_this_machine():
    compose = read("compose.yaml")
    published = re.findall(r'^ +- "(\S+:\d+)"$', block(compose, "    ports:"), re.MULTILINE)

    assert compose.count("ports:") == block(compose, "  proxy:").count("ports:") == 1
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert "network_mode" not in compose


# What each process must not do without, and nothing else.
NEEDED = {
    "web": {"secret_key", "encryption_key", "database_url", "redis_url"},
    "worker": {"secret_key", "database_url", "amqp_url", "email_url"},
    "relay": {"database_url", "amqp_url"},
    "webhooks": {"database_url", "encryption_key"},
    "housekeeping": {"secret_key", "encryption_key", "database_url", "redis_url"},
    "migrate": {"database_owner_url"},
}


def test_each_process_gets_the_secrets_that_it_needs_and_only_as_files():
    compose = yaml.safe_load(read("compose.yaml"))

    for name, needed in NEEDED.items():
        service = compose["services"][name]
        files = [value for key, value in service["environment"].items() if key.endswith("_FILE")]
        assert set(service["secrets"]) == needed
        assert {file.removeprefix("/run/secrets/") for file in files} == needed
    for service in compose["services"].values():
        values = {value for key, value in service.get("environment", {}).items() if not key.endswith("_FILE")}
        assert not re.search(r"(?i)secret|password|key|://[^/]*:[^/]*@", " ".join(map(str, values)))


def test_every_secret_of_compose_is_made(tmp_path):
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    secrets = yaml.safe_load(read("compose.yaml"))["secrets"]

    for _ in range(2):
        subprocess.run([tmp_path / "deploy/make_secrets.sh"], check=True)
        made = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}

    assert set(secrets) <= set(made)
    assert all(secrets[name]["file"] == f"secrets/{name}" for name in secrets)
    assert not is_weak(made["secret_key"].strip())
    assert not is_weak(made["encryption_key"].strip())
    assert made["secret_key"] != made["encryption_key"]
    assert made["database_password"].strip() in made["database_url"]
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert "secrets/" in read(".gitignore").splitlines()


def test_the_site_works_as_a_database_user_that_is_no_superuser(tmp_path):
    if not shutil.which("psql"):
        pytest.skip("no psql")
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    subprocess.run([tmp_path / "deploy/make_secrets.sh"], check=True)
    secrets = {file.name: file.read_text().strip() for file in (tmp_path / "secrets").iterdir()}
    with folders.scratch() as folder, ExitStack() as stack:
        server = urlsplit(postgres.start(stack, Place(folder, durable=False)).url)
        with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as superuser:
            superuser.execute("DROP DATABASE frontdoor")
        given = {"SECRETS": f"{tmp_path}/secrets", "PGHOST": server.hostname, "PGPORT": str(server.port)}
        given |= {"PGPASSWORD": server.password, "POSTGRES_USER": server.username}
        subprocess.run([tmp_path / "deploy/make_roles.sh"], env=os.environ | given, check=True)
        owner, site = (
            os.environ
            | {"DATABASE_URL": secrets[name].replace("postgres:5432", f"{server.hostname}:{server.port}")}
            | {"DJANGO_SETTINGS_MODULE": "config.settings"}
            for name in ("database_owner_url", "database_url")
        )
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=owner, check=True)
        done = subprocess.run(
            [sys.executable, "-c", LIVES], cwd=ROOT, env=site, capture_output=True, text=True, check=True
        )

    assert done.stdout.splitlines()[-1] == "False 302 /account refused"


LIVES = """
import django
django.setup()
from django.core.management import call_command
from django.db import ProgrammingError, connection
from django.test import Client
from django.conf import settings
from accounts.models import User
settings.ALLOWED_HOSTS = ["testserver"]
with connection.cursor() as cursor:
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    (is_superuser,) = cursor.fetchone()
ada = User.objects.create_user("ada", "ada@example.com", "a password of ada's own")
asked = Client().post("/", {"email": "grace@example.com"})
call_command("deliver_mail", once=True)
call_command("prune")
entered = Client().post("/login", {"login": "ada", "password": "a password of ada's own"})
ada.end_sessions()
try:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_migrations")
    refused = ""
except ProgrammingError:
    refused = "refused"
print(is_superuser, asked.status_code, entered.url, refused)
"""


def test_web_and_worker_write_nowhere_but_in_tmp():
    site = block(read("compose.yaml"), "x-site: &site")

    assert "read_only: true" in site
    assert "tmpfs: [/tmp]" in site
    for service in ("web", "worker", "relay", "webhooks", "housekeeping", "migrate"):
        ours = block(read("compose.yaml"), f"  {service}:")
        assert "<<: *site" in ours
        assert "read_only" not in ours
        assert "volumes" not in ours


def test_housekeeping_prunes_and_tells_inviters_daily_and_reminds_hourly():
    service = block(read("compose.yaml"), "  housekeeping:")
    script = block(service, "      - |").replace("$$", "$")
    # The second prune fails, which ends the script's endless loop.
    acted = "python() { echo $2; calls=$((calls + 1)); [ $calls != 27 ]; }; sleep() { echo sleep $1; }"

    said = subprocess.run(["/bin/sh", "-ec", f"{acted}\n{script}"], capture_output=True, text=True, check=True).stdout

    assert said.splitlines() == ["prune", "tell_inviters", *["remind_invites", "sleep 3600"] * 24, "prune"]
    assert "init: true" in service


@pytest.mark.parametrize(
    ("name", "access", "errors"),
    [
        ("nginx", "/dev/stdout", "/dev/stderr"),
        ("nginx-tls", "/var/log/nginx/frontdoor.log", "/var/log/nginx/frontdoor.error.log"),
    ],
)
def test_the_proxy_writes_no_tokens_down(name, access, errors):
    nginx = read(f"deploy/{name}.conf")
    logged = "".join(re.findall(r"log_format [^;]+;", nginx))
    unsafe = {"request", "request_uri", "uri", "document_uri", "args", "query_string", "http_referer", "request_body"}

    assert logged
    assert unsafe.isdisjoint(re.findall(r"\$\{?(\w+)", logged))
    assert not re.search(r"\$\{?(arg|http|cookie)_", logged)
    assert {*re.findall(r"^\s*access_log (.*);", nginx, re.MULTILINE)} - {"off"} == {f"{access} without_query"}
    # Error lines quote the request, and with it the token, so only alerts are written.
    assert re.findall(r"^\s*error_log (.*);", nginx, re.MULTILINE) == [f"{errors} alert"]


def test_the_page_of_settings_says_which_process_needs_which_secret():
    page = read("docs/settings.md").partition("\n## Which process needs which secret\n")[2].partition("\n## ")[0]
    header, _line, *rows = re.findall(r"^\| (.*) \|$", page, re.MULTILINE)
    columns = [cell.strip() for cell in header.split("|")][1:]
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    table = {row[0].strip("`"): row[1:] for row in cells}

    assert set(table) == {name for name in secret_files.SECRETS if not name.endswith("FALLBACKS")}
    for name in ("SECRET_KEY", "ENCRYPTION_KEY", "REDIS_URL", "EMAIL_URL", "AMQP_URL"):
        for column, process in enumerate(columns):
            needs = name.lower() in {secret.replace("owner_", "") for secret in NEEDED[process]}
            assert table[name][column].startswith("yes") == needs, (name, process)


@pytest.mark.parametrize("name", ["nginx", "nginx-tls"])
def test_the_proxy_takes_whole_requests_and_says_whose_they_are(name):
    nginx = read(f"deploy/{name}.conf")

    assert "proxy_request_buffering on;" in nginx
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in nginx
    assert "TRUSTED_PROXY_COUNT: ${TRUSTED_PROXY_COUNT:-1}" in read("compose.yaml")


@pytest.mark.parametrize("name", ["nginx", "nginx-tls"])
def test_the_proxy_lets_bodies_pass_that_the_site_refuses_on_a_page_of_its_own(name):
    limit = re.search(r"client_max_body_size (\d+)m;", read(f"deploy/{name}.conf"))

    assert int(limit[1]) * 1024 * 1024 >= max(bodies.MAX_LIST + 1, bodies.MAX_DRAIN)
