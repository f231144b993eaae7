"""What the Dockerfile, compose.yaml, the proxy and their page promise, as far as reading them can tell.

deploy/try_image.sh builds and runs the image.
"""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]+")
READERS = re.compile(r"read|env\.\w+|(environment\.)?(one_of|required|number)|os\.environ\.get")


def read(name):
    return (ROOT / name).read_text()


def block(text, start):
    """Returns the indented lines below the line `start` of YAML."""
    lines = text.partition(f"\n{start}\n")[2].splitlines()
    depth = len(start) - len(start.lstrip())
    inside = [not line.strip() or len(line) - len(line.lstrip()) > depth for line in lines]
    return "\n".join(lines[: inside.index(False)] if False in inside else lines)


def variables(name):
    """Returns the names of the environment variables that a module reads."""
    calls = [node for node in ast.walk(ast.parse(read(name))) if isinstance(node, ast.Call)]
    readers = [call for call in calls if READERS.fullmatch(ast.unparse(call.func))]
    values = [arg.value for call in readers for arg in call.args if isinstance(arg, ast.Constant)]
    return {value for value in values if isinstance(value, str) and VARIABLE.fullmatch(value)}


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


def test_secrets_come_from_the_environment_or_stop_the_start():
    secrets = re.findall(r"^ +\w*(?:SECRET|PASS)\w*: (\$\{(\w*).*)$", read("compose.yaml"), re.MULTILINE)

    assert [name for _, name in secrets] == ["SECRET_KEY", "POSTGRES_PASSWORD", "RABBITMQ_PASSWORD"]
    assert all(value.startswith(f"${{{name}:?") for value, name in secrets)


def test_web_and_worker_write_nowhere_but_in_tmp():
    site = block(read("compose.yaml"), "x-site: &site")

    assert "read_only: true" in site
    assert "tmpfs: [/tmp]" in site
    for service in ("web", "worker", "relay", "webhooks", "housekeeping", "migrate"):
        ours = block(read("compose.yaml"), f"  {service}:")
        assert "<<: *site" in ours
        assert "read_only" not in ours
        assert "volumes" not in ours


def test_housekeeping_prunes_daily_and_reminds_hourly():
    service = block(read("compose.yaml"), "  housekeeping:")
    script = block(service, "      - |").replace("$$", "$")
    # The second prune fails, which ends the script's endless loop.
    acted = "python() { echo $2; calls=$((calls + 1)); [ $calls != 26 ]; }; sleep() { echo sleep $1; }"

    said = subprocess.run(["/bin/sh", "-ec", f"{acted}\n{script}"], capture_output=True, text=True, check=True).stdout

    assert said.splitlines() == ["prune", *["remind_invites", "sleep 3600"] * 24, "prune"]
    assert "init: true" in service


def test_the_proxy_writes_no_tokens_down():
    nginx = read("deploy/nginx.conf")
    logged = "".join(re.findall(r"log_format [^;]+;", nginx))
    unsafe = {"request", "request_uri", "uri", "document_uri", "args", "query_string", "http_referer", "request_body"}

    assert logged
    assert unsafe.isdisjoint(re.findall(r"\$\{?(\w+)", logged))
    assert not re.search(r"\$\{?(arg|http|cookie)_", logged)
    assert re.findall(r"^\s*access_log (.*);", nginx, re.MULTILINE) == ["/dev/stdout without_query", "off"]
    # Error lines quote the request, and with it the token, so only alerts are written.
    assert re.findall(r"^\s*error_log (.*);", nginx, re.MULTILINE) == ["/dev/stderr alert"]


def test_the_proxy_takes_whole_requests_and_says_whose_they_are():
    nginx = read("deploy/nginx.conf")

    assert "proxy_request_buffering on;" in nginx
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in nginx
    assert "TRUSTED_PROXY_COUNT: ${TRUSTED_PROXY_COUNT:-1}" in read("compose.yaml")


def test_the_proxy_lets_bodies_pass_that_the_site_refuses_on_a_page_of_its_own():
    limit = re.search(r"client_max_body_size (\d+)m;", read("deploy/nginx.conf"))
    ours = re.search(r"MAX_BODY = (\d+) \* 1024 \* 1024", read("config/edge/middleware.py"))

    assert int(limit[1]) > int(ours[1])


def test_every_setting_is_explained():
    names = variables("config/settings.py") | variables("config/environment.py") | variables("config/gunicorn.py")
    explained = re.findall(r"^\| (`.*?) \|", read("docs/deploy.md"), re.MULTILINE)
    explained = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", " ".join(explained)))

    assert {"SECRET_KEY", "SIGNUP", "TRUSTED_PROXY_COUNT", "BIND"} <= names
    assert explained == names
