"""Apps, words and languages that an operator lays over ours."""

from collections.abc import Sequence
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path

from django.conf.locale import LANG_INFO
from django.utils.translation import get_language_info, to_locale

from config.environment.variables import env, folders, read, refuse


def extra_apps() -> dict[str, Path]:
    """Returns EXTRA_APPS: the names of Django apps and their folders. Raises SystemExit if one can't be imported."""
    found = {}
    for name in filter(None, (text.strip() for text in read(env.list, "EXTRA_APPS", default=[]))):
        try:
            spec = find_spec(name)
        except (ImportError, ValueError):  # a package around it is missing, or it has an odd name
            spec = None
        if spec is None or not spec.submodule_search_locations:
            refuse(f"EXTRA_APPS: there is no package {name!r} on the Python path. Name its folder in PYTHONPATH.")
        found[name] = Path(next(iter(spec.submodule_search_locations)))
    return found


def catalogues(name: str) -> list[Path]:
    """Returns a variable that is paths of folders with compiled catalogues, with commas between them.

    Raises SystemExit if one is no folder, or has no LANGUAGE/LC_MESSAGES/django.mo.
    """
    found = folders(name)
    for folder in found:
        if not any(folder.glob("*/LC_MESSAGES/django.mo")):
            refuse(f"{name}: there is no LANGUAGE/LC_MESSAGES/django.mo in {str(folder)!r}. Compile it with msgfmt.")
    return found


def languages(folders: Sequence[Path]) -> list[tuple[str, str]]:
    """Returns the languages of the site: each as its code and its own name for itself, the site's default first.

    They are those of LANGUAGES, or else all that have a catalogue in one of `folders`, English before the others.
    Raises SystemExit if LANGUAGES names none, one twice, or one that has no catalogue or is unknown to Django.
    """
    there = ["en", *(code for code in LANG_INFO if code != "en" and has_catalogue(code, folders))]
    typed: list[str] = [text.strip().lower().replace("_", "-") for text in read(env.list, "LANGUAGES", default=[])]
    if "LANGUAGES" not in env.ENVIRON:
        others = [(code, own_name(code)) for code in there[1:]]
        return [("en", own_name("en")), *sorted(others, key=itemgetter(1))]
    codes = [code for code in typed if code]
    if not codes:
        refuse("LANGUAGES must name one language or more, with commas between them, like en,de.")
    for code in codes:
        if code not in there:
            why = "has no catalogue" if code in LANG_INFO else "is no code of a language that Django knows"
            refuse(f"LANGUAGES names {code!r}, which {why}. There are catalogues for {', '.join(sorted(there))}.")
    if len(set(codes)) < len(codes):
        refuse("LANGUAGES names a language twice.")
    return [(code, own_name(code)) for code in codes]


def has_catalogue(code: str, folders: Sequence[Path]) -> bool:
    """Returns whether one of these folders has a compiled catalogue of a language."""
    return any((folder / to_locale(code) / "LC_MESSAGES" / "django.mo").exists() for folder in folders)


def own_name(code: str) -> str:
    """Returns what a language that Django knows calls itself, with a capital letter: "Español"."""
    name: str = get_language_info(code)["name_local"]
    return name[:1].upper() + name[1:]
