"""Maildirs: one file for each message, new ones in new/, known ones in cur/ with their flags in their names.

Not by mailbox.Maildir of the standard library. It looks a message up where it is by now, so what another process has
just read and marked would be read again here; it keeps no order, takes a pipe for a message, and names no file to
rename: up to Python 3.12 it sets a flag by writing the whole message again, since then it leaves it in new/, where no
mail program looks at flags.
"""

from contextlib import suppress
from pathlib import Path

INFO = ":2,"
SEEN, FLAGGED = "S", "F"


def is_maildir(folder: Path) -> bool:
    return all((folder / name).is_dir() for name in ("new", "cur"))


def unseen(folder: Path) -> list[Path]:
    """The messages that nobody has seen, in the order of their names, which begin with the time."""
    files = [file for name in ("new", "cur") for file in sorted((folder / name).iterdir())]
    return [file for file in files if file.is_file() and not file.name.startswith(".") and SEEN not in _flags(file)]


def mark_seen(file: Path, *, flagged: bool) -> None:
    """Moves a message to cur/, in one step; flagged ones stand out in any mail program."""
    flags = {*_flags(file), SEEN, *(FLAGGED if flagged else "")}
    name = file.name.partition(INFO)[0] + INFO + "".join(sorted(flags))
    with suppress(FileNotFoundError):  # another process has done it
        file.rename(file.parent.parent / "cur" / name)


def _flags(file: Path) -> str:
    return file.name.partition(INFO)[2]
