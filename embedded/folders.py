"""Folders of ours, and which process holds them.

A hold is a lock the kernel lets go when the last process that has it open is gone, kill -9 included.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[1]

type Environ = MutableMapping[str, str]


def state_folder(environ: Environ) -> Path:
    """The folder FRONTDOOR_STATE, or .frontdoor beside manage.py: ours alone, it holds a key and mailed links."""
    folder = Path(environ.get("FRONTDOOR_STATE") or BASE_DIR / ".frontdoor").absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"Cannot make {folder} ({error.strerror}). FRONTDOOR_STATE names another place.") from None
    if os.geteuid() not in {0, folder.stat().st_uid}:
        raise SystemExit(f"{folder} belongs to another user. FRONTDOOR_STATE names another place.")
    return folder


def keep(path: Path, secret: str) -> str:
    """Writes down a secret for the owner of its folder alone, unless one is there; gives the one that is kept."""
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as new:
            new.write(secret)
            new.flush()
            os.fchown(new.fileno(), path.parent.stat().st_uid, -1)  # root may be at work in the folder of another
            with suppress(FileExistsError):  # of two first starts one wins, and nobody reads half a secret
                os.link(new.name, path)
    return path.read_text()


def hold(path: Path, how: int = fcntl.LOCK_EX) -> int | None:
    """Takes the lock of a file or folder and gives its descriptor, or None while another process has it."""
    file = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder; what killed processes left of theirs goes when the next one is made."""
    _sweep()
    new = Path(tempfile.mkdtemp(prefix="new-frontdoor-"))
    lock = hold(new)
    folder = new.rename(new.with_name(new.name.removeprefix("new-")))  # never seen without its holder
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def open_to_all(folder: Path) -> None:
    """Lets every user read what is in a folder of ours."""
    for path in [folder, *folder.rglob("*")]:
        mode = path.lstat().st_mode
        if not path.is_symlink():
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))


def _sweep() -> None:
    for folder in Path(tempfile.gettempdir()).glob("frontdoor-*"):
        with suppress(OSError):  # another process may be at it too
            if folder.lstat().st_uid == os.geteuid() and (lock := hold(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
