"""The columns that a list of people may have, and what may stand in them."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import get_supported_language_variant
from django.utils.translation import gettext as _

from kit import addresses, plain_line
from kit.form import same_site

# What people call them, in the first line of a file.
COLUMNS = {
    "email": {
        *("email", "e-mail", "mail", "email address", "e-mail address", "address"),
        *("почта", "эл. почта", "электронная почта", "адрес", "адрес электронной почты", "имейл", "емейл"),
    },
    "name": {"name", "full name", "имя", "фио", "имя и фамилия"},
    "note": {"note", "message", "comment", "сообщение", "примечание", "комментарий", "заметка", "записка"},
    "language": {"language", "lang", "locale", "язык"},
    "next": {"next", "leads to", "path", "page", "страница", "ведёт на", "ведет на"},
    "group": {"group", "группа"},
}


# What the file of bad lines begins with, in each language.
BAD_LINES = (["line", "text", "reason"], ["строка", "текст", "причина"])


def header(cells: list[str]) -> list[str]:
    """The column of each cell if this is the line that names them, "" for one nobody knows; else nothing."""
    known = {said: column for column, names in COLUMNS.items() for said in names}
    columns = [known.get(cell.lower(), "") for cell in cells]
    return columns if "email" in columns else []


def is_bad_lines(cells: list[str]) -> bool:
    """Whether this is the first line of the file of lines that could not be read."""
    return [cell.lower() for cell in cells] in BAD_LINES


def email_of(typed: str) -> str:
    """The address, normalized. Raises ValidationError."""
    if not typed.strip():
        raise ValidationError(_("There is no email address in this line"))
    return addresses.normalize(typed)


def fields(row: Mapping[str, str], groups: Mapping[str, int] | None) -> dict[str, Any]:
    """What a line says beside the address, as Entry has it. Raises ValidationError."""
    return {
        "name": plain_line.plain(row.get("name", ""), 100, _("The name")),
        "note": plain_line.plain(row.get("note", "")),
        "language": language(row.get("language", "")),
        "next": path(row.get("next", "")),
        "group_id": group(row.get("group", ""), groups),
    }


def language(text: str) -> str:
    try:
        return get_supported_language_variant(text.lower()) if text else ""
    except LookupError:
        said = _("The language “%(language)s” is not one that the site speaks; use en or ru")
        raise ValidationError(said % {"language": text[:20]}) from None


def path(text: str) -> str:
    if text != same_site(text):
        raise ValidationError(_("It must lead to a path of this site, like /account"))
    return text


def group(name: str, groups: Mapping[str, int] | None) -> int | None:
    if not name:
        return None
    if groups is None:
        raise ValidationError(_("Only a superuser may put people into groups"))
    if name not in groups:
        raise ValidationError(_("There is no group called “%(name)s”") % {"name": name[:50]})
    return groups[name]
