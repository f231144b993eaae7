"""What the operator lays over the site: apps and templates. What cannot be loaded ends the start with one line."""

import sys
import traceback
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from django.conf import settings

# The settings import this file, and shall be read quickly: what only later functions need is imported there.
if TYPE_CHECKING:
    from django.urls import URLResolver

TEMPLATES = ("*.html", "*.txt", "*.svg")


def check_apps(extra: Mapping[str, Path], ours: Iterable[str]) -> None:
    """Ends the process if an app in `extra`, names with folders, cannot be loaded or has the label of another.

    `ours` are the other INSTALLED_APPS. An app's label names its tables, so two apps cannot share one.
    """
    from django.apps import AppConfig  # noqa: PLC0415

    # Ours are not loaded for it: they may read settings. A label is the last part of the name, or all of it.
    names = [name.removesuffix(".apps.AdminConfig") for name in ours]
    taken = {name.rpartition(".")[2] for name in names} | {name.replace(".", "_") for name in names} | {"admin"}
    for name, folder in extra.items():
        try:
            label = AppConfig.create(name).label
        except Exception as error:  # noqa: BLE001 the code of the operator may fail in any way
            _refuse(name, error, folder)
        if label in taken:
            sys.exit(
                f"EXTRA_APPS: {name!r} has the label {label!r} of another app. Give it one in {folder / 'apps.py'}: "
                f"a subclass of AppConfig with name = {name!r} and label = {name.replace('.', '_') + '_app'!r}."
            )
        taken.add(label)


def urls_of(app: str) -> "list[URLResolver]":
    """Returns the pages of an app in EXTRA_APPS; [] if it has no urls.py. Ends the process if that cannot be loaded."""
    from django.urls import include, path  # noqa: PLC0415

    spec = find_spec(f"{app}.urls")
    if spec is None or spec.origin is None:
        return []
    try:
        pages: URLResolver = path("", include(f"{app}.urls"))
        _ = pages.url_patterns  # read, as Django would only at the first request
    except Exception as error:  # noqa: BLE001 the code of the operator may fail in any way
        _refuse(app, error, Path(spec.origin).parent)
    return [pages]


def check_templates() -> None:
    """Ends the process if a template or a template tag of the operator cannot be read.

    To be called once all apps are loaded.
    """
    from django.template import Engine  # noqa: PLC0415

    try:
        engine = Engine.get_default()
    except Exception as error:  # noqa: BLE001 it imports the template tags of all apps
        sys.exit(f"EXTRA_APPS: a template tag can't be loaded. {_failed(error)}. Mend it, or leave it out.")
    theirs = set(map(Path, engine.dirs)) - {settings.BASE_DIR / "templates"}
    files = (file for folder in theirs for pattern in TEMPLATES for file in folder.rglob(pattern))
    for file in sorted(filter(Path.is_file, files)):
        try:
            engine.from_string(file.read_text(encoding="utf-8"))
        except Exception as error:  # noqa: BLE001 template tags of the operator may fail in any way
            token = getattr(error, "token", None)  # Django's parser notes where it was
            line = f", line {token.lineno}" if token else ""
            said = f"{file}{line}: {_one_line(error)}."
            sys.exit(f"A template of yours can't be read. {said} Mend it, or take it away to have ours.")


def _refuse(app: str, error: Exception, folder: Path) -> NoReturn:
    """Ends the process with one line that says where in `folder` an app could not be loaded, and why."""
    sys.exit(f"EXTRA_APPS: {app!r} can't be loaded. {_failed(error, folder)}. Mend it, or leave it out.")


def _failed(error: Exception, folder: Path = Path("/")) -> str:
    """Returns the last place in `folder` that an error came through, and what it says."""
    if isinstance(error, SyntaxError):
        where, said = f"{error.filename}, line {error.lineno}", error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        frame = next((frame for frame in reversed(frames) if Path(frame.filename).is_relative_to(folder)), None)
        where = f"{frame.filename}, line {frame.lineno}" if frame else str(folder)
        said = _one_line(error)
    return f"{where}: {type(error).__name__}: {said}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
