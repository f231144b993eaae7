"""Addresses: the one in a pasted text, two are no guess, and the form in which people read them."""

import pytest
from django.core.exceptions import ValidationError

from kit import addresses

ONE = [
    "ada@example.com.",
    "ada@example.com,",
    "ada@example.com;",
    "ada@example.com…",
    "<ada@example.com>",
    "<ada@example.com",
    "ada@example.com>",
    "ada@example.com)",
    "_ada@example.com_",
    "<ada@example.com>,",
    "(ada@example.com)",
    "'ada@example.com'",
    '"ada@example.com"',
    "“ada@example.com”.",
    "«ada@example.com»",
    "*ada@example.com*",
    "Ada <ada@example.com>",
    '"Ada, Countess of Lovelace" <ada@example.com>',
    "Ada @home <ada@example.com>",
    "Ada (ada@example.com)",
    "ada@example.com (Ada)",
    "Ada [mailto:ada@example.com]",
    "Email: ada@example.com",
    "ada@example.com <ADA@example.com>",
    "ada@example.com<mailto:ada@example.com>",
    "mailto:ada@example.com",
    "e-mail:ada@example.com",
    "Почта:ada@example.com",
    "[ada@example.com](mailto:ada@example.com?subject=Hi)",
    "MAILTO:ada%40example.com?subject=x&cc=eve%40example.com",
    "\t ada@example.com \r\n",
    "ada@example.com\u200b",
    "\u202aada@example.com\u202c",
    "\ufeffada@example.com",
    "a\u00adda@exam\u200bple.com",
    "\u2068ada\u200d@example.com\u2069",
    "ada@example.com\u00a0",
    "ada＠example.com",
    "ada﹫example.com",
    "ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ",
    "ada@example。com",
    "ada@example｡com",
    "𝐚𝐝𝐚@example.com",
    "「ada@example.com」",
    "(work)ada@example.com",
    "Ada(ada@example.com)Lovelace",
    '"Ada"ada@example.com',
    "«Ада»ada@example.com",
    '"Ada (ada@example.com)"',
    '{"email":"ada@example.com"}',
    ">ada@example.com",
    "To:ada@example.com",
    "x" * 300 + " <ada@example.com>",
]


@pytest.mark.parametrize("text", ONE)
def test_the_one_address_in_a_text_is_taken(text):
    assert addresses.normalize(text) == "ada@example.com"


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com, eve@example.com",
        "ada@example.com eve@example.com",
        "ada@example.com\neve@example.com",
        "Ada <ada@example.com>; Eve <eve@example.com>",
        "ada@example.com <eve@example.com>",
        "mailto:ada@example.com,eve@example.com",
    ],
)
def test_two_addresses_are_no_guess(text):
    with pytest.raises(ValidationError) as refused:
        addresses.normalize(text)

    assert refused.value.code == "several"


@pytest.mark.parametrize(
    "text",
    [
        "ada lovelace@example.com",
        "ada@mail.exam ple.com",
        "ada\t@example.com",
        "ada\tlovelace@example.com",
        "ada,lovelace@example.com",
        "ada:lovelace@example.com",
        'ada"lovelace@example.com',
        "ada(lovelace@example.com",
        "ada(countess)lovelace@example.com",
        "ada(countess)-lovelace@example.com",
        'ada"countess"lovelace@example.com',
        "ada>lovelace@example.com",
        "ada.mail:lovelace@example.com",
        "ada@example.co(home).uk",
        "ada@example.co>uk",
        "ada@example.co:uk",
        "%(name)s@example.com",
        "ada@mail.example,com",
        "ada@mail.example;com",
        "ada@@example.com",
        "https://ada@example.com",
        "https://example.com/?who=ada@example.com",
        "ada@example.com/eve@example.com",
        "ada@exam\ufffdple.com",
        "bo\u017fs@example.com",
        "ada²@example.com",
        "ada@نامه\u200cای.com",  # without the joiner this is another domain
        "<>",
        "mailto:",
    ],
)
def test_what_could_be_another_address_is_refused(text):
    with pytest.raises(ValidationError) as refused:
        addresses.normalize(text)

    assert refused.value.code == "invalid"


OTHER_LETTERS = {
    "а": ["аda@example.com", "Ada <аda@example.com>", "аdа@example.com"],  # Cyrillic
    "е": ["n@еxample.com", "n@mail.еxample.com", "n@example.еdu"],
    "о": ["n@gооgle.com"],
    "α": ["αda@example.com", "n@αpple.com"],  # Greek
    "é": ["adé@example.com"],
    "k": ["n@яндеkс.рф"],  # one Latin letter among Cyrillic ones
    "и": ["иван@почта.рф"],
}


@pytest.mark.parametrize(
    ("letter", "text"), [(letter, text) for letter in OTHER_LETTERS for text in OTHER_LETTERS[letter]]
)
def test_a_letter_that_only_looks_like_another_is_named(letter, text):
    with pytest.raises(ValidationError) as refused:
        addresses.normalize(text)

    assert refused.value.code == "invalid"
    assert f"“{letter}”" in refused.value.messages[0]


@pytest.mark.parametrize("domain", ["日本mail.jp", "mail.пример.рф", "пример.example.com", "l·l.cat"])
def test_letters_that_are_written_together_are_taken(domain):
    assert addresses.normalize(f"ada@{domain}").isascii()


def test_words_beside_an_address_are_no_look_alikes():
    with pytest.raises(ValidationError, match="correct format"):
        addresses.normalize("Ада ada@example.com")


def test_a_program_may_write_an_address_in_one_way_only():
    assert addresses.spell("Ada@BÜCHER.example") == "ada@xn--bcher-kva.example"
    for text in ("<ada@example.com>", "ａda@example.com", "ada@example.com.", "mailto:ada@example.com"):
        with pytest.raises(ValidationError):
            addresses.spell(text)


@pytest.mark.parametrize(
    "domain",
    ["münchen.de", "пример.рф", "пример.com", "例え.jp", "日本ひらカタ.jp", "한국.kr", "παράδειγμα.gr", "مثال.com"],
)
def test_a_domain_is_read_in_its_own_script(domain):
    stored = addresses.normalize(f"ada@{domain}")

    assert stored.isascii()
    assert addresses.readable(stored) == f"ada@{domain}"
    assert addresses.mask(stored) == f"a•••@{domain}"


@pytest.mark.parametrize(
    "domain",
    [
        "g\u043e\u043egle.com",  # two Cyrillic letters among Latin ones
        "\u0430\u0440\u0440\u04cf\u0435.com",  # "apple" in Cyrillic letters alone
        "\u03bf\u03c5.com",  # "ou" in Greek ones
        "\u0251pple.com",  # a phonetic letter
        "gmáil.com",
        "gma\u0131l.com",
        "💩.la",
        "x\u0304y.example",
    ],
)
def test_a_domain_that_could_pass_for_another_one_stays_in_ascii(domain):
    stored = f"ada@{domain.encode('idna').decode()}"

    assert addresses.readable(stored) == stored


@pytest.mark.parametrize(
    "text", ["", "ada", "ada@example.com", "ada@xn--", "ada@xn--zzzzzz.com", "ada@xn--strae-oqa.de"]
)
def test_any_other_text_is_read_as_it_is(text):
    assert addresses.readable(text) == text
