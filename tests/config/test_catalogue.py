"""What people read can be translated: gettext finds every string in the source, and catalogues fit it."""

import ast
import gettext
import re
from pathlib import Path

import django
import pytest
from django.conf import settings

from tests.tools import catalogues

ROOMS = ("accounts", "config", "invites", "kit", "operations", "outbox")
MARKS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}


@pytest.mark.parametrize("room", ROOMS)
def test_no_string_to_translate_stands_in_an_f_string_where_xgettext_does_not_look(room):
    sources = sorted(Path(settings.BASE_DIR, room).rglob("*.py"))
    assert sources

    assert [place for path in sources for place in hidden_strings(path)] == []


def hidden_strings(path):
    """Returns file and line of each call in an f-string that marks a string to be translated."""
    texts = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)]
    calls = [node for text in texts for node in ast.walk(text) if isinstance(node, ast.Call)]
    return [f"{path}:{call.lineno}" for call in calls if isinstance(call.func, ast.Name) and call.func.id in MARKS]


TAGS = re.compile(r"<[^>]*>")
BLANKS = re.compile(r"%(?:\((\w+)\))?[a-z%]")


@pytest.mark.parametrize("name", catalogues.NAMES)
def test_a_translation_has_the_tags_and_the_blanks_of_its_string_and_no_other(name):
    found = 0
    for fields in catalogues.read(name).values():
        strings = [fields["msgid"], fields.get("msgid_plural", fields["msgid"])]
        for said in (fields[field] for field in fields if field.startswith("msgstr") and fields[field]):
            found += 1
            assert any(sorted(TAGS.findall(said)) == sorted(TAGS.findall(one)) for one in strings), said
            assert set(BLANKS.findall(said)) <= set(BLANKS.findall("".join(strings))), said
    assert found


@pytest.mark.parametrize("name", catalogues.NAMES)
def test_plurals_are_chosen_as_by_djangos_own_catalogue(name):
    # Strings of both stand on one page, and a reader must not meet two ways of counting.
    ours, djangos = (
        gettext.translation("django", folder, [name])
        for folder in (catalogues.LOCALE, Path(django.__file__).parent / "conf" / "locale")
    )

    for number in (*range(200), 1000, 1_000_000, 1_000_001):
        assert ours.plural(number) == djangos.plural(number)


def test_no_article_stands_before_a_name_of_which_nobody_knows_how_it_begins():
    articles = re.compile(r"\ban? (<[^>]*>)*%\((site|site_name|product_name|inviter|username)\)s", re.IGNORECASE)

    assert [text for text in catalogues.read("ru") if articles.search(str(text))] == []


def test_all_catalogues_but_the_russian_one_have_the_same_strings():
    public = catalogues.read("de").keys()

    assert {name: catalogues.read(name).keys() ^ public for name in catalogues.NAMES if name != "ru"} == {
        name: set() for name in catalogues.NAMES if name != "ru"
    }
    assert public < catalogues.read("ru").keys()
