"""Headings of a list: which column each cell of a line belongs to."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

from accounts import profile_fields
from invites.batch.cells import has_address
from invites.batch.columns import COLUMNS
from invites.batch.names import is_name
from invites.batch.rows import Row
from kit import each_language
from kit.each_language import lazily

SAMPLE = 50  # first rows, among whose cells the addresses are looked for if no heading names them
TITLES = 10  # rows above the headings, at most
LONGEST = 100  # characters of a heading: putting marks above letters in order takes the square of their number

# The headings that people give each column; plain() makes them alike. "first" and "last" are parts of the name.
HEADINGS = {
    "email": {
        *("почта", "эл почта", "электронная почта", "электронный адрес", "адрес электронной почты", "адрес эл почты"),
        *("имейл", "емейл", "мейл", "адрес почты", "рабочая почта", "личная почта", "корпоративная почта"),
        *("електронна пошта", "пошта", "adresse e mail", "adresse mail", "courriel", "adresse electronique"),
        *("correo", "correo electronico", "direccion de correo electronico", "indirizzo email", "indirizzo e mail"),
        *("endereco de email", "endereco de e mail", "adres e mail", "adres email", "e mailadres", "emailadres"),
        *("e posta", "eposta", "e post", "epost", "mailadresse", "elektronische adresse"),
    },
    "name": {
        *("name", "full name", "fullname", "display name", "your name", "имя и фамилия", "фамилия и имя", "фио"),
        *("фамилия имя", "имя фамилия", "фамилия имя отчество", "полное имя", "имя участника", "vollständiger name"),
        *("anzeigename", "nom complet", "nombre completo", "nome completo"),
    },
    "first": {
        *("first name", "firstname", "given name", "forename", "first", "имя", "vorname", "prénom", "nombre", "nome"),
        *("imię", "voornaam", "ім’я"),
    },
    "last": {
        *("last name", "lastname", "surname", "family name", "last", "фамилия", "nachname", "familienname", "nom"),
        *("nom de famille", "apellido", "apellidos", "cognome", "sobrenome", "nazwisko", "achternaam", "soyad"),
        *("прізвище",),
    },
    "note": {"note", "message", "comment", "сообщение", "примечание", "комментарий", "заметка", "записка"},
    "language": {
        *("language", "lang", "locale", "preferred language", "язык", "язык письма", "язык общения", "sprache"),
        *("langue", "idioma", "lingua", "język", "taal", "мова"),
    },
    "next": {"next", "leads to", "path", "page", "страница", "ведёт на"},
    "group": {"group", "groups", "группа", "группы", "gruppe", "gruppen"},
    "app": {"app", "application", "приложение", "anwendung", "aplicación", "aplicativo", "застосунок"},
    "lifetime": {
        *("expires", "expires in", "expires after", "expiry", "valid", "valid for", "lifetime", "works for"),
        *("срок", "срок действия", "действует", "gultig", "gueltig", "validite"),
    },
}
# "E-Mail-Adresse", "E-mail 1 - Value", "User Email": an address, with or without saying whose or which.
EMAIL = re.compile(
    r"((user|attendee|guest|work|business|home|primary|personal|contact|your) )?(e ?mails?|mail)"
    r"( (address(es)?|adressen?|adresse|id))?( [1-9])?( (value|address))?"
)
# These are an address in the mail's sense only where no other heading is one.
DOUBTFUL = {"address", "адрес", "адреса", "adresse"}


# How the first line of the file of bad lines begins and ends, in each language (invites/desk/compose_again.py writes
# it). Between stand the columns that the lines have beside their addresses.
BAD_LINES = (["line", "text", "reason"], ["строка", "текст", "причина"])


@dataclass(frozen=True)
class Headings:
    """The line of a list that names its columns."""

    place: int  # among the rows, from 0
    said: list[str]
    columns: list[str]  # of columns.every(), "first" or "last"; "" for cells that are not read
    is_guess: bool = False  # no heading names the addresses: their cells did


def find(rows: Sequence[Row]) -> Headings | None:
    """Returns the headings among the first rows of a list, or None: if it has none, each line stands for itself.

    They stand above the first address. A line is headings if one cell names the column of addresses. It also is if a
    cell names another column, or all are words, and most addresses below stand in a column of words.
    """
    addressed = [[index for index, cell in enumerate(row.cells) if has_address(cell)] for row in rows]
    for place, row in enumerate(rows[: TITLES + 1]):
        if addressed[place]:
            return None
        columns = of_cells(row.cells)
        if "email" in columns:
            return Headings(place, row.cells, columns)
        column = fullest(addressed[place + 1 :])
        if column is not None and is_heading(row.cells, columns, column):
            columns[column] = "email"
            return Headings(place, row.cells, columns, is_guess=True)
    return None


def is_heading(cells: list[str], columns: list[str], column: int) -> bool:
    """Returns whether these cells may be headings, with that of the addresses at the index `column`."""
    said = [cell for cell in cells if cell]
    words = len(said) > 1 and all(map(is_name, said))
    return column < len(cells) and not columns[column] and (any(columns) or words)


def fullest(addressed: Sequence[Sequence[int]]) -> int | None:
    """Returns the index of the column with the most addresses, the first of equals; None if none has.

    `addressed` holds, for each row, the indexes of its cells with an address.
    """
    counted = Counter(index for indexes in addressed for index in indexes)
    return min(counted, key=lambda index: (-counted[index], index), default=None)


def of_cells(cells: list[str]) -> list[str]:
    """Returns the column that each of these headings names, "" for an unknown one."""
    names, asked = [plain(cell) for cell in cells], own()
    columns = [asked.get(name) or ("email" if EMAIL.fullmatch(name) else known().get(name, "")) for name in names]
    if "email" not in columns:
        columns = ["email" if is_doubtful(name) else column for name, column in zip(names, columns, strict=True)]
    return columns


def is_doubtful(heading: str) -> bool:
    """Returns whether a heading, as plain() writes it, names the addresses where no other does so for sure.

    That may be a field of the site that is called like one, such as "work email".
    """
    return heading in DOUBTFUL or EMAIL.fullmatch(heading) is not None


def own() -> dict[str, str]:
    """Returns the columns of what the site asks about people, by the headings that plain() makes of name and label.

    The labels are those in the desk's languages. A label that is the name of a column of ours is left out: so the
    files that we give out are read again as they were.
    """
    asked = profile_fields.by_form_name()
    labels = {
        plain(label): column
        for column, field in asked.items()
        for label in each_language.write(lazily(partial(getattr, field, "label"))).values()
    }
    labels = {label: column for label, column in labels.items() if label not in COLUMNS}
    return labels | {plain(field.name): column for column, field in asked.items()}


def plain(heading: str) -> str:
    """Returns a heading in lower case, without accents, marks and the word "required": "e mail" for "E-Mail*"."""
    letters = unicodedata.normalize("NFKD", heading[:LONGEST].lower())
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[\W_]+", " ", letters).split()).removesuffix(" required")


def is_bad_lines(cells: list[str]) -> bool:
    """Returns whether these cells are the first line of the file of bad lines that we give out to be mended."""
    return [cell.lower() for cell in [*cells[:2], *cells[2:][-1:]]] in BAD_LINES


def of_bad_lines(cells: list[str]) -> Headings | None:
    """Returns what the cells between the first and the last are in the file of bad lines that begins with `cells`.

    Returns None if that is only "text": each of its lines then stands for itself.
    """
    said = cells[1:-1]
    return Headings(0, said, of_cells(["email", *said[1:]])) if len(said) > 1 else None


@cache
def known() -> dict[str, str]:
    """Returns the column that each of HEADINGS names, by the heading as plain() writes it."""
    return {plain(said): column for column, names in HEADINGS.items() for said in names}
