"""The catalogues of translations, and which of their strings are looked up."""

import ast
import re
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation.trans_real import TranslationCatalog

LOCALE = Path(settings.BASE_DIR, "locale")
NAMES = sorted(folder.name for folder in LOCALE.iterdir())
FIELD = re.compile(r'^(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:".*"\n?)+)', re.MULTILINE)


@cache
def read(name):
    """Returns the entries of a catalogue, such as "pt_BR": what stands before each in its .po file.

    Their keys are the strings as gettext knows them: with their context before them. The values are dicts with
    "msgid", perhaps "msgid_plural", and "msgstr", or one "msgstr[N]" for each plural.
    """
    text = (LOCALE / name / "LC_MESSAGES" / "django.po").read_text()
    entries = {}
    for block in text.split("\n\n")[1:]:
        fields = {field: "".join(map(ast.literal_eval, said.splitlines())) for field, said in FIELD.findall(block)}
        context = f"{fields['msgctxt']}\x04" if "msgctxt" in fields else ""
        entries[context + fields["msgid"]] = fields
    return entries


@cache
def of_the_desk():
    """Returns the strings that only the desk has, and so only the Russian catalogue, as read() writes them."""
    return frozenset(read("ru").keys() - read("de").keys())


class LookedUp(set):
    """Strings that were looked up in catalogues, as read() writes them.

    Those that have no translation, while another language than English was active, are `missing`.
    """

    def __init__(self):
        super().__init__()
        self.missing = set()

    def miss(self, key):
        if get_language() != "en":
            self.missing.add(key)


@contextmanager
def looked_up():
    """Yields the LookedUp of its block."""
    found, get, plural = LookedUp(), TranslationCatalog.get, TranslationCatalog.plural

    def get_and_note(self, key, default=None):
        said = get(self, key, default)
        if not isinstance(key, tuple):
            found.add(key)
        elif said is default:  # gettext asks at last whether the string is the singular of another
            found.miss(key[0])
        return said

    def plural_and_note(self, key, number):
        found.add(key)
        try:
            return plural(self, key, number)
        except KeyError:
            found.miss(key)
            raise

    with patch.multiple(TranslationCatalog, get=get_and_note, plural=plural_and_note):
        yield found
