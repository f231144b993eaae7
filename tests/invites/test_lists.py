"""Reading lists of people: each line of any file becomes a person or a problem in words."""

from datetime import timedelta
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invites.batch import encodings, lists, rows
from invites.batch.leads import Leads
from invites.models import Entry


def read(content: bytes | str, groups=None, said=None):
    raw = content.encode() if isinstance(content, str) else content
    lines = rows.of_lines(encodings.decode(BytesIO(raw), encodings.UTF8), is_file=True)
    return list(lists.read(lines, Leads(groups or {}), said.append if said is not None else lambda _remark: None))


def remarks(content):
    said = []
    read(content, said=said)
    return said


def entries(content, groups=None):
    return [line.entry for line in read(content, groups)]


def problems(content, groups=None):
    return [(line.number, line.problem) for line in read(content, groups) if line.problem]


FILES = [
    "ada@example.com,Ada,Привет,ru,/account",
    "\ufeffemail;name;message;language;next\r\nada@example.com;Ada;Привет;RU;/account\r\n",
    "Имя\tПочта\tЯзык\tnext\tСообщение\nAda\tADA@Example.com\tru-RU\t/account\tПривет",
    'E-mail,Phone,Note,Lang,Name,Next\r\r\n\r\nada@example.com,"1\n2","Привет",ru,"Ada",/account',
    'Ada <ada@example.com>,,Привет,"ru","/account"',
]


def test_a_file_in_any_format_gives_the_same_person(subtests):
    ada = Entry("ada@example.com", name="Ada", note="Привет", language="ru", next="/account")
    for content in FILES:
        with subtests.test(content=content):
            assert entries(content) == [ada]


PASTED = [
    "ada@example.com\n\n  grace@example.com  ",
    "ada@example.com\rgrace@example.com",
    "ada@example.com, grace@example.com",
    "Email\nada@example.com;x\ngrace@example.com,x",
    '"Lovelace, Ada" <ada@example.com>; Grace <grace@example.com>;',
]


def test_addresses_are_read_as_people_paste_them(subtests):
    for content in PASTED:
        with subtests.test(content=content):
            assert [entry.email for entry in entries(content)] == ["ada@example.com", "grace@example.com"]


PROBLEMS = {
    b"not an address": "Enter an email address in the correct format, like name@example.com",
    "аda@example.com".encode(): (
        "“а” before the @ is not a plain Latin letter, though it may look like one. Type it again"
    ),
    "n@еxample.com".encode(): "“е” after the @ is from another alphabet than the letters around it. Type it again",
    b",Ada": "There is no email address in this line",
    b"a@b.example,\xff\xfe": "The line is not UTF-8 text. Save the file as “CSV UTF-8”",
    b"a@b.example,\0": "The line is not UTF-8 text. Save the file as “CSV UTF-8”",
    b"a@b.example," + b"x" * 101: "The name is longer than 100 characters",
    b"a@b.example,," + b"x" * 201: "The note is longer than 200 characters",
    b"a@b.example,,\x1b[1m": "The note must be one line of plain text, without invisible characters",
    b"a@b.example,,see www.evil.example": (
        "The note has a link in it; links are not sent. If it has none, put a space after each full stop"
    ),
    b"a@b.example,,,xx": "The language “xx” is not one that the site speaks; use en, de, es, fr, pt-br, ru, uk, ar",
    b"a@b.example,,,,//evil.example": "It must lead to a path of this site, like /account",
    b"a@b.example,,,,,Staff": "There is no group called “Staff”",
    b'a@b.example,"Ada': "A quotation mark is not closed",
    b"x" * 30_000: "The line is longer than 10,000 characters",
}


def test_an_unreadable_line_is_named_and_the_rest_is_read():
    found = read(b"\n\n".join([b"ada@example.com", *PROBLEMS, b"grace@example.com"]))

    said = [(row.number, row.problem) for row in found if row.problem]
    assert said == [(2 * place + 1, problem) for place, problem in enumerate(PROBLEMS.values(), 1)]
    assert [row.entry.email for row in found if row.entry] == ["ada@example.com", "grace@example.com"]
    assert all(row.text.isprintable() and len(row.text) <= 201 for row in found)


def test_a_group_must_be_among_those_that_may_be_named():
    assert entries("ada@example.com,,,,,Staff", {"Staff": 7}) == [Entry("ada@example.com", groups=(7,))]
    assert problems("ada@example.com,,,,,Stuff", {"Staff": 7}) == [(1, "There is no group called “Stuff”")]
    said = "Only a superuser may put people into “Staff”: the group gives rights at the desk"
    assert problems("ada@example.com,,,,,Readers;Staff", {"Staff": None, "Readers": 8}) == [(1, said)]


KNOWN = {"Staff": 7, "Readers": 8, "Sales, EU": 9}


@pytest.mark.parametrize(
    ("cell", "groups"),
    [
        ("Staff;Readers", (7, 8)),
        ("Readers | Staff|", (8, 7)),
        ('"Staff, Readers"', (7, 8)),
        ('"Sales, EU"', (9,)),
        ('"Sales, EU; Staff"', None),
        ("Staff;Staff", (7,)),
        (" ; ", ()),
    ],
)
def test_a_cell_names_several_groups(cell, groups):
    (line,) = read(f"email,group\nada@example.com,{cell}", KNOWN)
    assert (line.entry and line.entry.groups) == groups


@pytest.mark.parametrize("heading", ["expires", "Valid", "срок", "Срок действия"])
@pytest.mark.parametrize(
    ("cell", "lasts"),
    [
        ("36h", timedelta(hours=36)),
        ("10 days", timedelta(days=10)),
        ("30", timedelta(days=30)),
        ("2 weeks", timedelta(days=14)),
        ("10\u00a0дней", timedelta(days=10)),
        ("36 ч.", timedelta(hours=36)),
        ("1 Неделя", timedelta(days=7)),
        ("1 hour", timedelta(hours=1)),
        ("90 days", timedelta(days=90)),
        ("", None),
    ],
)
def test_a_line_may_say_how_long_its_invitation_lasts(heading, cell, lasts):
    assert entries(f"email;{heading}\nada@example.com;{cell}") == [Entry("ada@example.com", lifetime=lasts)]


@pytest.mark.parametrize("cell", ["91 days", "0h", "2161 hours", "13 недель", "99999 weeks"])
def test_no_invitation_lasts_longer_or_shorter_than_the_site_allows(cell, settings):
    said = "An invitation works from 1 hour to 90 days"
    assert problems(f"email;expires\nada@example.com;{cell}") == [(2, said)]
    settings.INVITE_MAX_LIFETIME = timedelta(hours=36)
    assert problems("email;expires\nada@example.com;37h") == [(2, "An invitation works from 1 hour to 36 hours")]


@pytest.mark.parametrize(
    "cell", ["soon", "-3 days", "10 years", "1.5 days", "2026-12-24", "１００００００ days", "3d 4h"]
)
def test_what_is_no_length_of_time_is_named_in_words(cell):
    said = f"“{cell}” is not a length of time. Write it like 36 hours, 10 days or 2 weeks"
    assert problems(f"email;expires\nada@example.com;{cell}") == [(2, said)]


def test_a_likely_typo_is_read_as_a_person_with_a_doubt():
    assert [(line.entry.email, line.meant) for line in read("ada@gmial.com\nada@gmail.com")] == [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmail.com", ""),
    ]


@given(st.binary() | st.text(alphabet='",;\t\r\n\0@<>a.é\ud7ff=').map(str.encode))
def test_any_bytes_give_lines_and_never_an_exception(raw):
    for line in read(raw, {}):
        assert line.number > 0
        assert bool(line.entry) != bool(line.problem)
        assert line.text.isprintable()


@pytest.mark.parametrize("first", ["line,text,reason", "строка;текст;причина"])
def test_the_file_of_bad_lines_can_be_mended_and_given_back(first):
    delimiter = "," if "," in first else ";"
    mended = f'3{delimiter}"Grace <grace@example.com>"{delimiter}Enter an address'
    (line,) = read(f"{first}\n{mended}")
    assert (line.entry.email, line.number) == ("grace@example.com", 2)


def test_only_the_first_line_can_name_the_columns():
    found = read("grace@example.com\nname,email\nalan@example.com,Alan")
    assert [line.entry.email if line.entry else None for line in found] == [
        "grace@example.com",
        None,
        "alan@example.com",
    ]


HEADINGS = [
    "E-Mail-Adresse;Vorname;Nachname\nada@example.com;Ada;Lovelace",
    "First Name,Last Name,E-mail 1 - Label,E-mail 1 - Value\nAda,Lovelace,* Work,ada@example.com",
    "Name,Given Name,Family Name,E-mail 1 - Value\nAda Lovelace,Ada,Lovelace,ada@example.com",
    "First Name [Required]\tLast Name [Required]\tEmail Address [Required]\nAda\tLovelace\tada@example.com",
    "Фамилия;Имя;Почта\nLovelace;Ada;ada@example.com",
    "ФИО;Телефон;Эл. почта\nAda Lovelace;+7 900;ada@example.com",
    "Имя,Фамилия,E-mail:\nAda,Lovelace,ada@example.com",
    "Address,Name,User Email\n12 Square,Ada Lovelace,ada@example.com",
    "sep=;\nName;Email\nAda Lovelace;ada@example.com",
    '"sep=|"\nName|Mail\nAda Lovelace|ada@example.com',
    "Members of 2026\n\nE-Mail,Name\nada@example.com,Ada Lovelace",
    "Name;Kontakt\nAda Lovelace;ada@example.com",
    "Prénom,Nom,Adresse électronique\nAda,Lovelace,ada@example.com",
]


def test_a_list_is_read_by_the_headings_that_programs_and_people_write(subtests):
    for content in HEADINGS:
        with subtests.test(content=content):
            assert [entry for entry in entries(content) if entry] == [Entry("ada@example.com", name="Ada Lovelace")]


CELLS = {
    "ada@example.com bob@example.com": [("ada@example.com", ""), ("bob@example.com", "")],
    "ada@example.com|bob@example.com": [("ada@example.com", ""), ("bob@example.com", "")],
    "ada@example.com / bob@example.com": [("ada@example.com", ""), ("bob@example.com", "")],
    "Ada (ada@example.com)": [("ada@example.com", "Ada")],
    "Ada [mailto:ada@example.com]": [("ada@example.com", "Ada")],
    "ada@example.com (Ada)": [("ada@example.com", "Ada")],
    "Ada <ada@example.com>; Bob <bob@example.com>": [("ada@example.com", "Ada"), ("bob@example.com", "Bob")],
    "Ada <ada@example.com>, Bob <bob@example.com>": [("ada@example.com", "Ada"), ("bob@example.com", "Bob")],
    "Lovelace, Ada <ada@example.com>; Bob <bob@example.com>": [
        ("ada@example.com", "Ada Lovelace"),
        ("bob@example.com", "Bob"),
    ],
    "[ada@example.com](mailto:ada@example.com?subject=Hi)": [("ada@example.com", "")],
    "1. Ada Lovelace – ada@example.com": [("ada@example.com", "Ada Lovelace")],
    "'ada@example.com' <ada@example.com>": [("ada@example.com", "")],
    "E-Mail: ada@example.com": [("ada@example.com", "")],
    "Ada,ada@example.com": [("ada@example.com", "Ada")],
    "Ada,Lovelace,ada@example.com": [("ada@example.com", "Ada Lovelace")],
    "Müller, Hans;hans@example.com": [("hans@example.com", "Hans Müller")],
    "name,address\nAda Lovelace,ada@example.com": [("ada@example.com", "Ada Lovelace")],
    "Email\nLovelace, Ada <ada@example.com>": [("ada@example.com", "Ada Lovelace")],
    "Lovelace, Ada <ada@example.com>": [("ada@example.com", "Ada Lovelace")],
    "Lovelace, Ada (ada@example.com)": [("ada@example.com", "Ada Lovelace")],
    "Lovelace, Ada ada@example.com": [("ada@example.com", "Ada Lovelace")],
    "Lovelace, Ada (Sales) <ada@example.com>": [("ada@example.com", "Ada Lovelace (Sales)")],
    "Lovelace, PhD\tada@example.com": [("ada@example.com", "Lovelace, PhD")],
    'ada@example.com,"Ada, Bob and Eve"': [("ada@example.com", "Ada, Bob and Eve")],
    'ada@example.com,"Ada ""Countess"" Lovelace"': [("ada@example.com", 'Ada "Countess" Lovelace')],
    "[Ada](mailto:ada%40example.com?subject=Hi)": [("ada@example.com", "Ada")],
    "mailto:ada%2Bx@example.com": [("ada+x@example.com", "")],
    "mailto:ada%40example.com?subject=Hi": [("ada@example.com", "")],
    "e-mail:ada@example.com": [("ada@example.com", "")],
    "ada@example.com/": [("ada@example.com", "")],
    "Ada <ada @ example.com>": [("ada@example.com", "Ada")],
    "ada@ example.com, bob @ example.com.": [("ada@example.com", ""), ("bob@example.com", "")],
    "Name,Email\nada@example.com,ada@example.com": [("ada@example.com", "")],
}


def test_every_address_of_a_line_is_found_with_its_name(subtests):
    for content, people in CELLS.items():
        with subtests.test(content=content):
            assert [(entry.email, entry.name) for entry in entries(content)] == people
            assert remarks(content) == []


OF_MAIL_PROGRAMS = [
    "Lovelace, Ada <ada@example.com>, Hopper, Grace <grace@example.com>",
    "Lovelace, Ada <ada@example.com>; Hopper, Grace <grace@example.com>;",
    "Lovelace, Ada <ada@example.com>\tHopper, Grace <grace@example.com>",
    "Lovelace, Ada <ada@example.com>,\nHopper, Grace <grace@example.com>,",
    '"Lovelace, Ada" <ada@example.com>, "Hopper, Grace" <grace@example.com>',
    "'Lovelace, Ada' <ada@example.com>; 'Hopper, Grace' <grace@example.com>",
    "Lovelace, Ada [mailto:ada@example.com]; Hopper, Grace [mailto:grace@example.com]",
]


def test_last_names_before_a_comma_are_read_as_mail_programs_write_them(subtests):
    for content in OF_MAIL_PROGRAMS:
        with subtests.test(content=content):
            assert [(entry.email, entry.name) for entry in entries(content)] == [
                ("ada@example.com", "Ada Lovelace"),
                ("grace@example.com", "Grace Hopper"),
            ]
            assert remarks(content) == []


@pytest.mark.parametrize(
    "content",
    [
        "Lovelace, Ada <ada@example.com>; Hopper, Grace <grace@example.com>; Turing; alan@example.com",
        "Lovelace, Ada <ada@example.com>; Turing; Hopper, Grace <grace@example.com>; alan@example.com",
        "Lovelace, Ada <ada@example.com>, Hopper, Grace <grace@example.com>, alan@example.com, Turing",
    ],
)
def test_a_name_without_an_address_among_copied_people_is_named(content):
    found = read(content)
    assert sorted((line.entry.email, line.entry.name) for line in found if line.entry) == [
        ("ada@example.com", "Ada Lovelace"),
        ("alan@example.com", ""),
        ("grace@example.com", "Grace Hopper"),
    ]
    assert [(line.text, line.problem) for line in found if line.problem] == [
        ("Turing", "There is no email address beside this name")
    ]


GLUED = [
    "ada(work)lovelace@example.com",
    "ada(at work)lovelace@example.com",
    "ada(work)-lovelace@example.com",
    "ada(work)lovelace@example.com, grace",
    "ada[at]lovelace@example.com",
    "ada(lovelace@example.com",
    "ada)lovelace@example.com",
    "ada>lovelace@example.com",
    "ada,lovelace@example.com",
    "ada:lovelace@example.com",
    "ada|lovelace@example.com",
    "ada`lovelace@example.com",
    "ada.mail:lovelace@example.com",
    "http://lovelace@example.com",
    "ada@example.com(work)lovelace",
    "ada@example.co(home).uk",
    "ada@example.co>uk",
    "ada@example.co,uk",
    "ada@example.co:uk",
]


@pytest.mark.parametrize("typed", GLUED)
def test_an_address_that_is_a_part_of_what_was_typed_is_no_guess(typed):
    glued = "Something beside the address, without a space, could be part of it. Write the address alone"
    found = read(f"Name\tEmail\nAda\t{typed}\nBob\tbob@example.com")
    assert [(line.number, line.problem) for line in found if line.problem] == [(2, glued)]
    assert [line.entry.email for line in found if line.entry] == ["bob@example.com"]


def test_a_whole_address_is_read_whatever_mark_is_glued_to_it(subtests):
    both = ["ada@example.com;bob@example.com", "<ada@example.com>bob@example.com", "ada@example.com,,<bob@example.com>"]
    one = ["Ada(ada@example.com)", "<ada@example.com>", "ada@example.com(work)", "(work)ada@example.com"]
    for typed in [*one, '"Ada"ada@example.com', '"Ada";"""Ada""ada@example.com"', '"ada@example.com"Ada', *both]:
        with subtests.test(typed=typed):
            people = ["ada@example.com", "bob@example.com"] if typed in both else ["ada@example.com"]
            assert [line.entry.email for line in read(typed) if line.entry] == people
            assert problems(typed) == []


NO_NAMES = {
    '<a href="mailto:ada@example.com">Ada</a>': "",
    '[{"email":"ada@example.com","name":"Ada"}]': "",
    "EMAIL;TYPE=work:ada@example.com": "",
    '"Ada "the great" Lovelace",ada@example.com': "Ada the great Lovelace",
    "name: Ada, email: ada@example.com": "Ada",
    "ada@example.com,{{ first_name }}": "",
    "ada@example.com,*|FNAME|*": "",
    'ada@example.com,=HYPERLINK("x")': "",
    "ada@example.com,#N/A": "",
    "ada@example.com,&lt;Ada&gt;": "",
    "ada@example.com,2026-01-02": "",
    "ada@example.com,02.01.2026": "",
    "ada@example.com,3": "",
    "ada@example.com,TRUE": "",
    "First name,Last name,Email\n7,Lovelace,ada@example.com": "Lovelace",
}


def test_what_is_no_name_is_not_used_as_one_and_that_is_said(subtests):
    for content, name in NO_NAMES.items():
        with subtests.test(content=content):
            assert [(entry.email, entry.name) for entry in entries(content)] == [("ada@example.com", name)]
            line = 1 + content.count("\n")
            said = f"the name was left out or cleaned, because it does not look like a name: line {line}."
            assert remarks(content)[-1] == f"In 1 line {said}"


def test_what_stands_around_a_name_or_an_address_is_told_apart_from_it():
    assert problems("Ada Lovelace @ example.com") == [
        (1, "Something is missing beside the “@”, or there is a space. Write the address as one word")
    ]
    second = "There is a second address in this line. Give each person a line of their own"
    assert problems("ada@example.com,Ada,bob@example.com") == [(1, second)]
    typo = "ada@example, bob@example.com"
    assert problems(typo) == [(1, "Enter an email address in the correct format, like name@example.com")]
    assert [entry.email for entry in entries(typo) if entry] == ["bob@example.com"]
    both = "Name,Email\nLovelace,Ada <ada@example.com>"
    assert [entry.name for entry in entries(both)] == ["Lovelace"]
    assert remarks(both) == ["In 1 line something beside the address was not read: line 2."]


LANGUAGES = {
    "ru": ["русский", "Рус.", "Russian", "ru-RU", "ru_RU", "RUS", "Русский язык", "Russian (Russia)"],
    "en": ["English", "англ", "Английский", "en-GB", "en_US", "eng", "English (UK)", "Englisch"],
    "de": ["Deutsch", "German", "de-AT", "немецкий", "Allemand"],
    "pt-br": ["pt", "pt_BR", "Português Brasileiro", "Brazilian Portuguese", "portuguese"],
    "ar": ["العربيّة", "Arabic", "ar-EG", "арабский"],
    "uk": ["Українська", "ukr", "украинский"],
}


def test_languages_are_read_by_their_names_and_codes(subtests):
    for code, names in LANGUAGES.items():
        for name in names:
            with subtests.test(name=name):
                assert [entry.language for entry in entries(f"Почта;Язык\na@b.example;{name}")] == [code]
    assert "“китайский” is not one" in problems("Почта;Язык\na@b.example;китайский")[0][1]


def test_an_unreadable_character_that_was_pasted_is_worded_so():
    (line,) = lists.read(rows.of_lines(["Ad\ufffda"]))
    assert line.problem == "There is an unreadable character (�) in this line. Type the line again"


@pytest.mark.parametrize("content", ["\t\u200b", "\ufeff\n\u200b\u2060 \n\u00ad", "\u200b,\u200b;"[:1]])
def test_lines_in_which_nothing_can_be_seen_name_nobody(content):
    assert read(content) == []
    assert entries(f"{content}\nada@example.com,\u200b") == [Entry("ada@example.com")]


LONG = [
    "a@" + "." * 9990 + "@",
    "a@" + "a." * 4000 + "@",
    "a" * 9990 + "@",
    "ada @" + " " * 9990 + "@",
    "<" * 9990 + "@",
    "(" + " " * 9980 + "a@a",
    "mailto:" * 1400 + "@",
    "e" + "\u0345\u0301" * 4990,
    '"' * 9990,
    "a@b.example," + "'" * 9900,
    ("> " * 4990) + "@,;",
]


def test_long_lines_are_read_in_one_go(subtests):
    """Tries lines of which each took seconds when a pattern began again in their middle."""
    for text in LONG:
        with subtests.test(text=text[:20]):
            found = read("\n".join([text] * 100 + ["ada@example.com"]))
            assert "ada@example.com" in [line.entry.email for line in found if line.entry]
            assert len(found) > 90 or '"' in text


def test_a_cell_below_a_heading_may_hold_several_people_as_well():
    content = "Team;E-Mail\nRed;ada@example.com bob@example.com\nBlue;Eve (eve@example.com)"
    assert [(entry.email, entry.name) for entry in entries(content)] == [
        ("ada@example.com", ""),
        ("bob@example.com", ""),
        ("eve@example.com", "Eve"),
    ]


def test_what_is_guessed_or_left_out_is_said():
    contacts = "Kontakt;Telefon;Name;;\n" + "ada@example.com;+49 1;Ada;x;\n" * 2
    assert remarks(contacts) == [
        "No heading says “email”: the addresses were found under “Kontakt”.",
        "Columns we don’t use: Telefon, D.",
    ]
    assert remarks("Email;Phone\nada@example.com;") == []
    two = "E-mail 1 - Value,E-mail 2 - Value\nada@example.com,a@example.com\n,bob@example.com"
    assert remarks(two) == ["In 1 line something beside the address was not read: line 2 (a@example.com)."]
    assert [entry.email for entry in entries(two)] == ["ada@example.com", "bob@example.com"]
    loose = "7,ada@example.com,Acme\nplease write to bob@example.com\nname,eve@example.com"
    assert remarks(loose) == ["In 2 lines something beside the address was not read: lines 1 (7, Acme), 2."]
    assert [entry.name for entry in entries(loose)] == ["", "", "name"]


def test_a_line_that_is_no_heading_is_not_swallowed():
    assert problems("Members of 2026\nada@example.com") == [
        (1, "Enter an email address in the correct format, like name@example.com")
    ]
    assert [number for number, _problem in problems("ada.example.com,Ada\nbob@example.com,Bob")] == [1]


def test_a_second_line_is_read_although_the_first_has_an_open_quotation_mark():
    assert [entry.email for entry in entries('bob@example.com,"Bob\n' + "ada@example.com\n" * 9) if entry] == [
        "ada@example.com"
    ] * 9
