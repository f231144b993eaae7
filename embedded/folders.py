"""The folders of the embedded servers, and locks that tell which process uses one.

The kernel releases a lock when the last process that has its file open is gone, even after kill -9.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[1]
MEGABYTE = 1024 * 1024
SPACE = 100  # megabytes that a new database takes, and a little

type Environ = MutableMapping[str, str]


def state_folder(environ: Environ) -> Path:
    """Returns the folder for data, FRONTDOOR_STATE or .frontdoor beside manage.py, and makes it if need be.

    It is made for our user alone, as it holds a key and mailed links. Raises SystemExit if it cannot be made or written
    to, or belongs to another user.
    """
    folder = Path(environ.get("FRONTDOOR_STATE") or BASE_DIR / ".frontdoor").absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"Cannot make {folder} ({error.strerror}). FRONTDOOR_STATE names another place.") from None
    if os.geteuid() not in {0, folder.stat().st_uid}:
        raise SystemExit(f"{folder} belongs to another user. FRONTDOOR_STATE names another place.")
    if not os.access(folder, os.W_OK):
        raise SystemExit(f"Cannot write to {folder}. FRONTDOOR_STATE names another place.")
    return folder


def require_space(folder: Path) -> None:
    """Raises SystemExit if the disk of `folder` has less than SPACE left: a server there would end halfway."""
    free = shutil.disk_usage(folder).free // MEGABYTE
    if free < SPACE:
        raise SystemExit(
            f"The disk of {folder} has only {free} MB left, and the database needs {SPACE} MB. "
            "Free some space, or FRONTDOOR_STATE names another place."
        )


def read_or_create(path: Path, secret: str) -> str:
    """Returns the text in the file `path`; writes `secret` there first if there is no such file.

    A new file can be read only by the owner of its folder. Raises OSError if the file cannot be read or made.
    """
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as new:
            new.write(secret)
            new.flush()
            os.fchown(new.fileno(), path.parent.stat().st_uid, -1)  # root may run this in another user's folder
            with suppress(FileExistsError):  # if two processes start at once one wins, and neither reads half a secret
                os.link(new.name, path)
    return path.read_text()


def try_lock(path: Path, how: int = fcntl.LOCK_EX) -> int | None:
    """Locks a file or folder and returns its descriptor, or None if another process holds a lock that excludes ours.

    `how` is flock's LOCK_EX or LOCK_SH. Closing the descriptor releases the lock. Raises OSError if there is no such
    file.
    """
    file = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


@contextmanager
def scratch() -> Iterator[Path]:
    """Context manager: makes a temporary folder, yields it, and deletes it at the end.

    It first deletes the temporary folders that killed processes have left.
    """
    _sweep()
    new = Path(tempfile.mkdtemp(prefix="new-frontdoor-"))
    lock = try_lock(new)
    folder = new.rename(new.with_name(new.name.removeprefix("new-")))  # so that _sweep() finds only locked ones
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def open_to_all(folder: Path) -> None:
    """Lets every user of the machine read `folder` and all in it, and run its programs."""
    for path in [folder, *folder.rglob("*")]:
        mode = path.lstat().st_mode
        if not path.is_symlink():
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))


def _sweep() -> None:
    for folder in Path(tempfile.gettempdir()).glob("frontdoor-*"):
        with suppress(OSError):  # another process may be deleting it, too
            if folder.lstat().st_uid == os.geteuid() and (lock := try_lock(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
