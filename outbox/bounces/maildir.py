"""Maildirs: one file for each message, new ones in new/, known ones in cur/ with their flags in their names.

We do not use mailbox.Maildir of the standard library. It reads a message wherever its file is by then, so it would read
a message again that another process has just read and marked. It has no order, takes a pipe for a message, and does not
return the file to rename. To set a flag, it writes the whole message again up to Python 3.12; since 3.13 it leaves the
message in new/, where no mail program looks at flags.
"""

from contextlib import suppress
from pathlib import Path

INFO = ":2,"
SEEN, FLAGGED = "S", "F"


def is_maildir(folder: Path) -> bool:
    return all((folder / name).is_dir() for name in ("new", "cur"))


def unseen(folder: Path) -> list[Path]:
    """Returns the files of the messages without the flag for "seen", first those in new/.

    Each folder is in the order of the names, which begin with the time. Raises OSError if a folder cannot be read.
    """
    files = [file for name in ("new", "cur") for file in sorted((folder / name).iterdir())]
    return [file for file in files if file.is_file() and not file.name.startswith(".") and SEEN not in _flags(file)]


def mark_seen(file: Path, *, flagged: bool) -> None:
    """Moves a message to cur/ in one rename, and marks it as seen. With `flagged` it stands out in mail programs.

    Does nothing if another process has moved it. Raises OSError if it cannot be moved.
    """
    flags = {*_flags(file), SEEN, *(FLAGGED if flagged else "")}
    name = file.name.partition(INFO)[0] + INFO + "".join(sorted(flags))
    with suppress(FileNotFoundError):  # another process has done it
        file.rename(file.parent.parent / "cur" / name)


def _flags(file: Path) -> str:
    return file.name.partition(INFO)[2]
