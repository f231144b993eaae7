"""Files of people to be invited: workbooks, text in any encoding, and what can't be read."""

import re
import struct
import tracemalloc
import zlib
from datetime import date, datetime
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from invites.batch import encodings, files, lists, workbook

ADA = ("ada@example.com", "Ada")


def read(raw, encoding=""):
    said = []
    lines = list(lists.read(files.read_rows(BytesIO(raw), encoding, said.append), lists.NOWHERE, said.append))
    return lines, said


def people(raw, encoding=""):
    return [(line.entry.email, line.entry.name) if line.entry else line.problem for line in read(raw, encoding)[0]]


def refusal(raw):
    with pytest.raises(ValidationError) as refused:
        read(raw)
    return refused.value.messages[0]


def saved(book):
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def xlsx(*rows):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    return saved(book)


def changed(raw, name, change, **options):
    """Returns a workbook with the bytes of one part changed."""
    file = BytesIO()
    with ZipFile(BytesIO(raw)) as before, ZipFile(file, "w", **options) as after:
        for part in before.namelist():
            after.writestr(part, change(before.read(part)) if part == name else before.read(part))
    return file.getvalue()


def appended(part, more):
    """Returns a sheet with more rows at its end."""
    return part.replace(b"</sheetData>", more + b"</sheetData>")


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1251", "koi8-r"])
def test_a_cyrillic_file_is_read_in_any_encoding(encoding):
    raw = "Почта;Имя;Фамилия\r\nada@example.com;Ада;Лавлейс\r\n".encode(encoding)

    chosen = "koi8-r" if encoding == "koi8-r" else ""
    assert people(raw, chosen) == [("ada@example.com", "Ада Лавлейс")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_a_western_file_is_read_in_any_encoding(encoding):
    raw = "E-Mail-Adresse\tVorname\tNachname\nada@example.com\tJürgen\tMüller-Größe\n".encode(encoding)

    assert people(raw) == [("ada@example.com", "Jürgen Müller-Größe")]


@pytest.mark.parametrize("name", ["Łukasz Żółć", "Michał Nowak", "Małgorzata Wąs", "Ľubomír Šťastný", "Ewa Żak"])
def test_a_central_european_file_is_told_by_its_letters(name):
    raw = f"Email;Name\nada@example.com;{name}\n".encode("cp1250")
    assert people(raw) == [("ada@example.com", name)]
    assert "Windows-1250 (Central European)" in read(raw)[1][0]


@pytest.mark.parametrize("name", ["Lætitia Sœur", "Nuño Peña", "João Gonçalves", "Åse Ødegård", "Strauß", "Élodie"])
def test_a_western_file_is_not_taken_for_another(name):
    raw = f"Email;Name;Message\nada@example.com;{name};£5, 7 m³, ¿Cómo? 1º\n".encode("cp1252")
    assert people(raw) == [("ada@example.com", name)]


def test_unicode_text_of_excel_with_its_other_byte_order_is_read():
    assert people(b"\xfe\xff" + "ada@example.com\tAda".encode("utf-16-be")) == [ADA]


def test_a_guess_is_said_and_can_be_overruled():
    raw = "Email;Name\nada@example.com;Jiří Dvořák\n".encode("cp1250")

    (said,) = read(raw)[1]
    assert "The file was in Windows-1252 (Western)." in said
    assert read(raw, "cp1250")[1] == []
    assert people(raw, "cp1250") == [("ada@example.com", "Jiří Dvořák")]
    assert read("ada@example.com,Jürgen".encode())[1] == []


def test_one_broken_line_does_not_change_the_encoding_of_the_others():
    raw = "a@b.example,Ä\nb@b.example,Ö\n".encode() + b"c@b.example,\xff\xfe\n"

    assert people(raw)[:2] == [("a@b.example", "Ä"), ("b@b.example", "Ö")]
    assert people(raw)[2] == "The line is not UTF-8 text. Save the file as “CSV UTF-8”"
    assert "not UTF-8" in people("a@b.example,M\ufffdller".encode())[0]


def test_a_workbook_is_read_with_numbers_dates_and_line_ends_in_its_cells():
    raw = xlsx(
        ["Mitglieder"],
        [],
        ["E-Mail-Adresse", "Vorname", "Nachname", "message", "Geburtstag"],
        ["ada@example.com", "Ada", "Lovelace\nKing", date(2026, 11, 20), date(1815, 12, 10)],
        ["bob@example.com\nEve <eve@example.com>", 7.0, True, datetime(2026, 11, 20, 9, 30), None],  # noqa: DTZ001 as in Excel
    )

    lines, said = read(raw)
    found = [line.entry for line in lines if line.entry]
    assert [(e.email, e.name, e.note) for e in found] == [
        ("ada@example.com", "Ada Lovelace King", "2026-11-20"),
        ("bob@example.com", "", "2026-11-20T09:30:00"),
        ("eve@example.com", "Eve", "2026-11-20T09:30:00"),
    ]
    assert [(line.number, bool(line.entry)) for line in lines] == [(4, True), (5, True), (5, True)]
    assert said == [
        "Above the headings, this was not read: “Mitglieder”.",
        "Columns we don’t use: Geburtstag.",
        "In 1 line the name was left out or cleaned, because it does not look like a name: line 5.",
    ]


def test_dates_numbers_and_truths_of_a_workbook_are_no_names():
    raw = xlsx(
        ["ada@example.com", date(2026, 1, 2)],
        ["bob@example.com", 3],
        ["eve@example.com", True],
        [2.5, "mallory@example.com"],
    )
    lines, said = read(raw)
    assert [line.entry.name for line in lines] == ["", "", "", ""]
    assert said == [
        "In 1 line something beside the address was not read: line 4 (2.5).",
        "In 3 lines names were left out or cleaned, because they do not look like names: lines 1, 2, 3.",
    ]


def linked(raw, **links):
    """Returns a workbook whose cells of these names have these links."""
    book = load_workbook(BytesIO(raw))
    for cell, link in links.items():
        book.active[cell].hyperlink = link
    return saved(book)


def test_the_address_in_a_link_under_a_cell_is_read():
    raw = xlsx(["write me"], ["Bob"], ["Contact"], ["Site"], ["dan@example.com"])
    links = {
        "A1": "mailto:ada%2Bx@example.com?subject=Hi",
        "A2": "mailto:bob@example.com",
        "A3": "MAILTO:eve@example.com",
        "A4": "https://example.com/?mail=mallory@example.com",
        "A5": "mailto:mallory@example.com",
    }
    assert people(linked(raw, **links)) == [
        ("ada+x@example.com", ""),
        ("bob@example.com", "Bob"),
        ("eve@example.com", ""),
        "Enter an email address in the correct format, like name@example.com",
        ("dan@example.com", ""),
    ]
    below = xlsx(["Name", "E-mail"], ["Ada", "write me"], ["Bob", "bob@example.com"])
    assert people(linked(below, B2="mailto:ada@example.com", A3="mailto:mallory@example.com")) == [
        ADA,
        ("bob@example.com", "Bob"),
    ]


def test_damaged_links_under_cells_are_told():
    raw = linked(xlsx(["write me"]), A1="mailto:ada@example.com")
    assert people(raw) == [("ada@example.com", "")]
    links = "xl/worksheets/_rels/sheet1.xml.rels"
    assert refusal(changed(raw, links, lambda part: part[:-9])) == DAMAGED
    assert people(changed(raw, links, lambda part: part.replace(b"rId", b"x"))) == [
        "Enter an email address in the correct format, like name@example.com"
    ]


def test_the_first_visible_sheet_with_content_is_read_and_the_others_are_named():
    book = Workbook()
    book.active.title = "Empty"
    hidden = book.create_sheet("Secret")
    hidden.append(["mallory@example.com"])
    hidden.sheet_state = "hidden"
    people_sheet = book.create_sheet("People")
    people_sheet.append(["ada@example.com", "Ada"])
    people_sheet.row_dimensions[1].hidden = True
    book.create_sheet("Old").append(["bob@example.com"])
    book.create_sheet("Hidden and empty").sheet_state = "hidden"

    lines, said = read(saved(book))

    assert [line.entry.email for line in lines] == ["ada@example.com"]
    assert said == [
        "Read from the sheet “People”.",
        "Sheets that were not read: Old.",
        "Hidden sheets, which are not read: Secret.",
        "Rows that are hidden or filtered out were read, too.",
    ]


STRINGS = """<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>ada@example.com</t></si>
<si><r><t xml:space="preserve">Ada </t></r><r><t>Love_x000D_lace</t></r><rPh sb="0" eb="1"><t>x</t></rPh></si></sst>"""
LINK = (
    b'<Relationship Id="s" Target="/xl/s.xml" '
    b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/></Relationships>'
)
TWO = b'<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>'


def with_strings(raw):
    """Returns a workbook with a part of shared strings, as Excel writes them, and a row that refers to these."""
    raw = changed(raw, "xl/_rels/workbook.xml.rels", lambda part: part.replace(b"</Relationships>", LINK))
    file = BytesIO(changed(raw, SHEET, lambda part: appended(part, TWO)))
    with ZipFile(file, "a") as archive:
        archive.writestr("xl/s.xml", STRINGS)
    return file.getvalue()


def named_often(text, rows):
    """Returns a workbook in which each of these rows is as many cells, all of which name one text."""
    sheet = "".join(f"<row>{'<c t="s"><v>0</v></c>' * cells}</row>" for cells in rows)
    raw = changed(ONE, SHEET, lambda part: appended(part, sheet.encode()), compression=ZIP_DEFLATED)
    strings = STRINGS.replace("ada@example.com", text)
    return changed(with_strings(raw), "xl/s.xml", lambda _part: strings.encode(), compression=ZIP_DEFLATED)


TOO_LONG = "The line is longer than 10,000 characters"


@pytest.mark.parametrize(
    ("text", "rows"),
    [("x" * 2_000_000, [100]), ("x" * 9_000, [1_000] * 5), ("_x0020_" * 1_400, [1_000] * 5), (" " * 9_000, [1_000])],
)
def test_a_row_whose_cells_name_one_long_text_again_and_again_is_never_put_together(text, rows):
    raw = named_often(text, rows)
    assert len(raw) < 30_000
    tracemalloc.start()
    try:
        found = people(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert found[:-1] == [("ada@example.com", "")] + [TOO_LONG] * len(rows)
    assert peak < 30_000_000  # bytes


def test_a_sheet_whose_rows_name_one_long_text_again_and_again_is_too_large():
    assert refusal(named_often("x" * 9_000, [1] * 500)) == TOO_MUCH
    assert refusal(named_often(" " * 9_000, [1] * 500)) == TOO_MUCH
    assert len(people(named_often("x" * 9_000, [1] * 400))) == 402


def test_a_format_of_a_number_that_opens_brackets_without_end_is_read():
    styles = b'<numFmts><numFmt numFmtId="200" formatCode="' + b"[" * 500_000 + b'"/></numFmts>'
    raw = changed(
        ONE, "xl/styles.xml", lambda part: re.sub(b"<numFmts.*?/>|(?=<fonts)", styles, part, count=1, flags=re.DOTALL)
    )
    assert people(raw) == [("ada@example.com", "")]


def test_shared_strings_of_excel_are_read_without_how_they_sound():
    assert people(with_strings(xlsx(["eve@example.com"]))) == [
        ("eve@example.com", ""),
        ("ada@example.com", "Ada Love lace"),
    ]


def test_of_a_formula_its_result_is_read_and_one_without_a_result_is_named():
    raw = xlsx(["email", "name"], ["ada@example.com", "=A1&B1"], ['=LOWER("BOB@EXAMPLE.COM")', "Bob"])
    assert people(raw) == ["A formula in this line has no stored result. Open the file in Excel and save it again"] * 2

    empty = changed(raw, SHEET, lambda part: part.replace(b'<c r="B2">', b'<c r="B2" t="str">'))
    assert people(empty)[0] == ("ada@example.com", "")
    stored = changed(empty, SHEET, lambda part: re.sub(b"(?<=</f>)<v ?/>|<v></v>", b"<v>Ada</v>", part, count=1))
    assert people(stored)[0] == ADA


def test_a_workbook_that_lies_about_its_size_is_read_whole():
    raw = changed(
        xlsx(*[[f"guest{n}@example.com"] for n in range(9)]), SHEET, lambda part: part.replace(b"A1:A9", b"A1:A1")
    )
    assert len(people(raw)) == 9


def understated(raw, name):
    """Returns an archive that says of one part, where it unpacks to more, that it unpacks to ten bytes."""
    with ZipFile(BytesIO(raw)) as archive:
        size = archive.getinfo(name).file_size
    return raw.replace(struct.pack("<L", size), struct.pack("<L", 10))


TOO_MUCH = "There is too much in this Excel file. Save the sheet with the addresses as CSV."
DAMAGED = "This file is not a spreadsheet we can read. Save it as .xlsx or CSV."
ONE = xlsx(["ada@example.com"])


def test_a_workbook_is_unpacked_only_within_bounds():
    bomb = changed(ONE, SHEET, lambda part: appended(part, b"<row></row>" * 2_000_000), compression=ZIP_DEFLATED)
    assert len(bomb) < 200_000
    assert refusal(bomb) == TOO_MUCH
    assert refusal(understated(bomb, SHEET)) == DAMAGED
    assert refusal(changed(ONE, SHEET, lambda part: part, compression=ZIP_BZIP2)) == DAMAGED


def test_a_sheet_is_read_whole_up_to_a_thousand_columns():
    rows = b'<row r="1048576"><c r="ALL1048576" t="inlineStr"><is><t>bob@example.com</t></is></c></row>'
    assert people(changed(ONE, SHEET, lambda part: appended(part, rows))) == [
        ("ada@example.com", ""),
        ("bob@example.com", ""),
    ]
    wide = rows.replace(b"ALL", b"ALM")
    assert "more than 1,000 columns" in refusal(changed(ONE, SHEET, lambda part: appended(part, wide)))
    many = b"<row>" + b"<c/>" * 100_002 + b"</row>"
    assert refusal(changed(ONE, SHEET, lambda part: appended(part, many))) == DAMAGED


@pytest.mark.parametrize(
    "change",
    [
        lambda part: part[: len(part) // 2],
        lambda part: b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]>" + part,
        lambda part: part.replace(b"<v>0</v>", b"<v>9</v>"),
        lambda part: part.replace(b"<v>0</v>", b"<v>x</v>"),
        lambda _part: b"",
    ],
)
@pytest.mark.parametrize("name", [SHEET, "xl/workbook.xml", "xl/s.xml", "xl/_rels/workbook.xml.rels"])
def test_a_damaged_workbook_is_told_and_never_an_error(change, name):
    whole = with_strings(ONE)
    raw = changed(whole, name, change)
    if raw != changed(whole, name, lambda part: part):
        assert refusal(raw) == DAMAGED


def test_a_sheet_that_a_workbook_names_often_is_read_once(monkeypatch):
    empty = xlsx()
    again = changed(empty, "xl/workbook.xml", lambda part: re.sub(b"(<sheet [^>]*/>)", rb"\1" * 1000, part))
    read_sheets = []
    monkeypatch.setattr(workbook.sheet, "elements", lambda part, *_names: read_sheets.append(part) or iter(()))
    assert people(again) == []
    assert len(read_sheets) == 1


@pytest.mark.parametrize("share", [0.001, 0.5, 0.9, 0.9999])
def test_a_workbook_of_which_the_end_is_missing_is_told(share):
    assert refusal(ONE[: max(4, int(len(ONE) * share))]) == DAMAGED


@given(st.floats(0, 1), st.binary(min_size=1, max_size=40))
def test_any_bytes_in_a_workbook_give_lines_or_a_message(share, put):
    place = int(share * len(ONE))
    raw = ONE[:place] + put + ONE[place + len(put) :]
    try:
        assert isinstance(read(raw)[0], list)
    except ValidationError as refused:
        assert refused.messages


@given(st.binary(max_size=300))
def test_any_bytes_give_lines_or_a_message(raw):
    try:
        assert isinstance(read(raw)[0], list)
    except ValidationError as refused:
        assert refused.messages


def archive(*names):
    file = BytesIO()
    with ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, "ada@example.com")
    return file.getvalue()


KINDS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1ada@example.com": "an old Excel file (.xls), or one with a password",
    b"%PDF-1.7\nada@example.com": "PDF",
    b"\xef\xbb\xbf\n<html><table><td>ada@example.com": "a web page",
    b"begin:vcard\nEMAIL:ada@example.com": "an address card (vCard)",
    archive("mimetype", "content.xml"): "an OpenDocument file (.ods, .odt)",
    archive("[Content_Types].xml", "word/document.xml"): "a Word document",
    archive("xl/workbook.xml", "xl/workbook.bin"): ".xlsb",
    archive("people.csv"): "ZIP",
}


@pytest.mark.parametrize(("raw", "kind"), KINDS.items(), ids=KINDS.values())
def test_a_file_of_another_kind_is_named_with_what_to_do(raw, kind):
    assert refusal(raw) == f"This file is {kind}. Save it as .xlsx or CSV."


def test_a_picture_or_a_program_is_no_list():
    assert refusal(b"\x89PNG\r\n" + zlib.compress(bytes(range(256)) * 99) + bytes(5000)) == DAMAGED
    assert encodings.guess(b"") == encodings.UTF8


def test_a_long_line_or_a_nul_is_named_and_the_rest_is_read():
    raw = b"a@b.example\n" + b"x" * 1_000_000 + b"\nb@b.example\nc@b.example,\0\nd@b.example\n" + b'"' * 9001
    lines = read(raw)[0]

    assert [line.entry.email for line in lines if line.entry] == ["a@b.example", "b@b.example", "d@b.example"]
    assert [line.number for line in lines if line.problem] == [2, 4, 6]
