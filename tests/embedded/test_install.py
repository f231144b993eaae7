"""scripts/install.sh, which fills .venv: with pip, a real virtual environment, and small packages of our own."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from embedded.folders import BASE_DIR

ROOT = os.geteuid() == 0
NOBODY = 65534
NEEDED = ("sh", "awk", "cat", "cmp", "cp", "date", "df", "dirname", "find", "grep", "id", "ls", "mkdir", "rm", "tail")


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A PATH with no Python and no uv."""
    folder = tmp_path_factory.mktemp("programs")
    for name in NEEDED:
        (folder / name).symlink_to(shutil.which(name))
    return folder


class Clone:
    """A folder with the script and two locks: `first` is in both, `second` only in that of tests."""

    def __init__(self, folder: Path, programs: Path):
        self.folder = folder
        self.venv = folder / ".venv"
        self.wheels = folder / "wheels"
        self.environ = {
            "PATH": str(programs),
            "HOME": str(folder),
            "PYTHON": sys.executable,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
        }
        self.wheels.mkdir()
        shutil.copytree(BASE_DIR / "scripts", folder / "scripts")
        self.lock("run", "first==1.0")
        self.lock("dev", "first==1.0", "second==1.0")

    def lock(self, name: str, *packages: str) -> None:
        lines = [f"{package} --hash=sha256:{self.wheel(*package.split('=='))}\n" for package in packages]
        (self.folder / f"requirements-{name}.lock").write_text("".join(lines))

    def wheel(self, name: str, version: str) -> str:
        """Makes a wheel of a package with one module, and returns its hash."""
        path = self.wheels / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        files = {
            f"{name}.py": f"version = {version!r}\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
        with zipfile.ZipFile(path, "w") as wheel:
            for file, text in files.items():
                wheel.writestr(zipfile.ZipInfo(file), text)  # with a fixed date, so that the hash stays
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def install(self, what: str, **options) -> str:
        """Returns all that was said. Raises AssertionError if it fails."""
        done = self.run(what, **options)
        assert done.returncode == 0, done
        return done.stdout + done.stderr

    def fail(self, what: str, **options) -> str:
        """Returns the one line on stderr. Raises AssertionError if nothing fails, or if it says more or less."""
        done = self.run(what, **options)
        assert done.returncode == 1, done
        assert done.stderr.count("\n") == 1, done
        return done.stderr

    def run(self, what: str, *, user: int | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "scripts/install.sh", what],
            cwd=self.folder,
            env=self.environ | environ,
            user=user,
            capture_output=True,
            text=True,
            check=False,
        )

    def packages(self) -> dict[str, str]:
        files = self.venv.glob("lib/python*/site-packages/[fs]*.py")
        return {file.stem: file.read_text() for file in files}


@pytest.fixture
def clone(tmp_path, programs):
    return Clone(tmp_path, programs)


def test_tests_add_to_what_running_needs_and_then_nothing_is_left_to_install(clone):
    said = clone.install("run").splitlines()
    assert said[0] == "Installing what Frontdoor needs to run: about half a minute …"
    assert said[-1].startswith("Installed in ")
    assert list(clone.packages()) == ["first"]
    assert clone.install("run") == ""

    mark = clone.venv / "lib" / "mark"
    mark.touch()
    assert "tests and checks" in clone.install("dev")
    assert sorted(clone.packages()) == ["first", "second"]
    assert mark.exists()
    assert clone.install("run") == clone.install("dev") == ""

    clone.lock("run", "first==2.0")
    clone.install("run")
    assert clone.packages() == {"first": "version = '2.0'\n"}  # and no package of the older locks


def test_an_install_that_broke_halfway_begins_again(clone):
    clone.install("run")
    wheel = clone.wheels / "second-1.0-py3-none-any.whl"
    hidden = wheel.rename(clone.folder / wheel.name)
    assert "could not be installed" in clone.fail("dev")
    half = clone.venv / "lib" / "half"
    half.touch()

    hidden.rename(wheel)
    clone.install("dev")
    assert sorted(clone.packages()) == ["first", "second"]
    assert not half.exists()


def test_a_venv_of_another_tool_or_place_or_without_its_python_is_made_again(clone):
    clone.venv.mkdir()
    for name in ("pyvenv.cfg", "of-another-tool"):
        (clone.venv / name).touch()
    clone.install("run")
    assert not (clone.venv / "of-another-tool").exists()

    (clone.venv / "bin" / "python").unlink()
    assert "Installed" in clone.install("run")

    clone.folder = clone.folder.rename(clone.folder.with_name("moved"))
    clone.environ["PIP_FIND_LINKS"] = str(clone.folder / "wheels")
    clone.venv = clone.folder / ".venv"
    assert "Installed" in clone.install("run")
    assert f"{clone.folder}/.venv/bin/python" in (clone.venv / "bin" / "pip").read_text()


def test_a_folder_of_somebody_else_is_kept(clone):
    theirs = clone.venv / "letter.txt"
    clone.venv.mkdir()
    theirs.touch()
    assert clone.fail("run").endswith("or delete it with: make clean\n")
    assert theirs.exists()


def test_a_link_to_another_folder_is_kept_with_what_it_leads_to(clone, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    theirs = tmp_path / "elsewhere" / "pyvenv.cfg"
    theirs.touch()
    clone.venv.symlink_to(tmp_path / "elsewhere")
    assert clone.fail("run").endswith("Delete the link: rm .venv\n")
    assert theirs.exists()


def test_without_a_python_it_says_how_to_get_one(clone):
    said = clone.fail("run", PYTHON="")
    assert said.startswith("Python 3.12 or newer is needed")
    for remedy in ("apt install python3-venv", "brew install python", "uv"):
        assert remedy in said


def test_a_python_that_is_too_old_is_none(clone, tmp_path):
    old = tmp_path / "old"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 11, 7); $2"\n')
    old.chmod(0o755)
    assert clone.fail("run", PYTHON=str(old)) == f"PYTHON={old} is not Python 3.12 or newer.\n"


def test_a_python_without_venv_is_one_line_with_the_package_that_brings_it(clone, tmp_path):
    (tmp_path / "ensurepip.py").write_text("raise ImportError\n")  # as on Debian
    assert "`sudo apt install python3-venv`" in clone.fail("run", PYTHONPATH=str(tmp_path))


def test_without_a_network_it_says_so(clone, closed_port):
    host, port = closed_port
    mirror = {"PIP_NO_INDEX": "0", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": f"http://{host}:{port}", "PIP_RETRIES": "1"}
    assert clone.fail("run", **mirror).startswith("The packages could not be fetched. Check the network")


def test_another_package_than_the_locked_one_is_not_installed(clone):
    lock = clone.folder / "requirements-run.lock"
    lock.write_text(f"first==1.0 --hash=sha256:{'0' * 64}\n")
    assert clone.fail("run").startswith("A package is not the one that requirements-run.lock names")
    assert clone.packages() == {}


def test_a_full_disk_is_one_line(clone, tmp_path):
    df = tmp_path / "df"
    df.write_text("#!/bin/sh\necho Filesystem\necho tmpfs 100000 98976 1024 99% /\n")
    df.chmod(0o755)
    said = clone.fail("run", PATH=f"{tmp_path}:{clone.environ['PATH']}")
    assert said.endswith("has only 1 MB left, and this needs 300 MB. Free some space and start again.\n")


def test_a_folder_that_is_not_ours_is_one_line(programs):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clone = Clone(folder, Path(os.defpath.split(":")[0]))
        folder.chmod(0o555)
        said = clone.fail("run", user=NOBODY if ROOT else None, PATH=os.defpath)
        folder.chmod(0o755)
    assert said.startswith(f"You may not write to {folder.resolve()}. Make the folder yours")
