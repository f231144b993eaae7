"""Finding rows by how the words of a name or an address begin, or by a domain, with one index for all of it.

"hop" finds "Grace Hopper" and grace.hopper@example.com, "@example" everybody at example.com, and "gr hop" whoever has
words that begin so. Accents and the kind of an apostrophe or a dash make no difference: "zoe" finds "Zoë".
"""

from itertools import chain
from typing import Any
from unicodedata import normalize

from django.db.models import BooleanField, Func, Index, QuerySet, Value

from kit import addresses
from kit.typed import fold

FOUND = 1000  # rows of one search, at most; the index gives them in no order
# What stands between words, besides spaces: also what word processors and phones write for ' " and -.
BETWEEN = "._+-'\"(),;:/&" + "‘’‚‛“”„«»‹›ʼʹ‐‒–—―−"
# Combining accents of Latin, Cyrillic and Greek letters, as NFKD splits them off. Those of other scripts are letters.
ACCENTS = "".join(map(chr, chain(range(0x300, 0x315), (0x31B, 0x323, 0x324, 0x325, 0x326, 0x327, 0x328, 0x342, 0x345))))
TO_WORDS = str.maketrans(BETWEEN, " " * len(BETWEEN), ACCENTS)
LONGEST = 100  # characters of a word that are looked for; the database refuses some thousands
# Both sides are folded by the database: Python lower-cases some letters otherwise.
FOLD = "lower(normalize({}, NFKD))"


class Words(Func):
    """An SQL expression for a GIN index: all words of names and of an address before its "@", and "@" with its domain.

    Takes the columns of one or more names, and last that of the address.
    """

    def as_sql(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, tuple[Any, ...]]:  # type: ignore[override]
        """Returns the SQL; it has no parameters, as columns have none."""
        *names, email = (compiler.compile(column)[0] for column in self.source_expressions)
        text = FOLD.format(" || ' ' || ".join([*names, f"split_part({email}, '@', 1)"]))
        between = BETWEEN.replace("'", "''")
        # translate() deletes the characters that have no counterpart.
        words = f"string_to_array(translate({text}, '{between}{ACCENTS}', '{' ' * len(BETWEEN)}'), ' ')"
        return f"array_to_tsvector(array_remove({words} || ('@' || split_part({email}, '@', 2)), ''))", ()


class WordIndex(Index):
    """The index of Words, in which new rows wait in a short list until there are enough to be sorted in together.

    Each row at once would cost a list of invitations a tenth more. After a long list, one visitor would wait for all.
    """

    suffix = "words"

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **kwargs: Any) -> Any:
        """Returns the statement that creates the index."""
        statement: Any = super().create_sql(model, schema_editor, using=" USING gin", **kwargs)
        statement.parts["extra"] = " WITH (gin_pending_list_limit = 512)"  # kB
        return statement


class Begin(Func):
    """An SQL condition: each word of a search, which query() has prepared, is the beginning of one of these Words."""

    arity = 2
    arg_joiner = " @@ "
    template = "%(expressions)s"
    output_field = BooleanField()


class Query(Func):
    arity = 1
    template = f"{FOLD.format('%(expressions)s::text')}::tsquery"


def find[Rows: QuerySet[Any]](rows: Rows, words: Words, typed: str) -> tuple[Rows, bool]:
    """Returns those of these rows whose column `email` is the address that was typed, and True: there are no others.

    If no row has that address, returns those whose `words` begin as all that were typed; none without a letter or a
    digit. If more than FOUND rows of the table fit, and `rows` are more than FOUND, too, returns only those among
    FOUND that fit, and False.
    """
    everybody: Any = rows.model._default_manager  # noqa: SLF001 the public way to a manager
    address = addresses.key(legible(typed))
    if "@" in typed and everybody.filter(email=address).exists():
        return rows.filter(email=address), True
    asked = query(typed)
    if not asked:
        return rows.none(), True
    fitting = everybody.filter(Begin(words, Query(Value(asked))))
    # Read at once: the planner might join the index of words by reading all of the table.
    found = first_ids(fitting)
    if len(found) <= FOUND:
        return rows.filter(pk__in=found), True
    if rows.query.has_filters() and len(few := first_ids(rows)) <= FOUND:
        return rows.filter(Begin(words, Query(Value(asked))), pk__in=few), True
    return rows.filter(pk__in=found[:FOUND]), False


def first_ids(rows: QuerySet[Any]) -> list[Any]:
    """Returns the ids of these rows in no order, one more than FOUND at most."""
    return list(rows.order_by().values_list("pk", flat=True)[: FOUND + 1])


def query(typed: str) -> str:
    """Returns what was typed as PostgreSQL's tsquery: "'gr':* & 'hop':*"; "" if there is no word in it."""
    found = [word for part in fold(legible(typed)).split() for word in split(part)]
    return " & ".join(f"{quote(word[:LONGEST])}:*" for word in found if any(map(str.isalnum, word)))


def legible(typed: str) -> str:
    """Returns a typed text without what no row can hold: the character NUL, and halves of characters."""
    return typed.encode(errors="ignore").decode().replace("\0", "")


def split(part: str) -> list[str]:
    """Returns the words of a text without spaces: of an address those before its "@", and its domain with the "@"."""
    before, at, domain = part.rpartition("@")
    text = normalize("NFKD", before if at else domain).replace("@", " ").translate(TO_WORDS)
    return [*text.split(), *([f"@{in_ascii(domain)}"] if at and domain else [])]


def in_ascii(domain: str) -> str:
    """Returns a domain, or the beginning of one, as addresses are stored: in ASCII (IDNA), if it has such a form."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def quote(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
