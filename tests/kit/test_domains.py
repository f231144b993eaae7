"""Patterns of mail domains: one spelling for each, what fits them, and which mailboxes are thrown away."""

import pytest

from kit import addresses, disposable, domains


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("example.com", "example.com"),
        (" Example.COM ", "example.com"),
        ("example.com.", "example.com"),
        ("\u200bexample.com", "example.com"),
        ("*.edu", "*.edu"),
        ("*.EDU.", "*.edu"),
        ("*.x.example.com", "*.x.example.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("*.MÜNCHEN.de", "*.xn--mnchen-3ya.de"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("пример。рф", "xn--e1afmkfd.xn--p1ai"),
        ("*.рф", "*.xn--p1ai"),
    ],
)
def test_a_domain_has_one_spelling_however_it_is_typed(typed, spelled):
    assert domains.spell(typed) == spelled


@pytest.mark.parametrize(
    "typed",
    [
        *("", "edu", "*", "*.", "*.*.edu", "*example.com", "ex*mple.com", "@example.com", "ada@example.com", "a b.com"),
        *("https://example.com", "example.com/", "10.0.0.1", "*.0.0.1", "x_y.com", "-a.com", "a..com", ".com"),
        *("localhost", "ex\u0430mple.com", "stra\u00dfe.de", f"{'a' * 64}.com"),
    ],
)
def test_what_is_no_domain_is_refused_with_the_two_forms(typed):
    with pytest.raises(
        ValueError, match=r"is no domain\. Write example\.com for that one, or \*\.example\.com for all"
    ):
        domains.spell(typed)


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("example.com", ["example.com"], ["mail.example.com", "anexample.com", "example.com.evil.net", "com"]),
        (
            "*.example.com",
            ["mail.example.com", "a.b.example.com"],
            ["example.com", "anexample.com", "mail.example.org"],
        ),
        ("*.edu", ["mit.edu", "cs.mit.edu"], ["edu", "edu.evil.net", "mitedu", "education"]),
    ],
)
def test_a_pattern_takes_in_that_domain_alone_or_all_below_it(pattern, inside, outside):
    assert all(domains.fits(domain, {pattern}) for domain in inside)
    assert not any(domains.fits(domain, {pattern}) for domain in outside)


def test_a_pattern_can_lie_within_another():
    assert domains.fits("*.cs.mit.edu", {"*.edu"})
    assert domains.fits("*.edu", {"*.edu"})
    assert not domains.fits("*.edu", {"mit.edu"})
    assert not domains.fits("*.edu", {"*.mit.edu"})


@pytest.mark.parametrize(
    "typed", ["ada@MÜNCHEN.de", "ada@xn--mnchen-3ya.de", "Ada <ada@münchen.de.>", "ada@ｍünchen.de"]
)
def test_an_address_fits_however_it_and_the_domain_are_typed(typed):
    domain = domains.domain_of(addresses.normalize(typed))

    assert domains.fits(domain, {domains.spell("München.de")})


def test_people_read_how_addresses_end():
    assert domains.readable("example.com") == "@example.com"
    assert domains.readable("*.edu") == ".edu"
    assert domains.readable("xn--mnchen-3ya.de") == "@münchen.de"
    assert domains.readable("*.xn--p1ai") == ".рф"


def test_disposable_mailboxes_are_known_below_their_domain_too():
    assert disposable.is_disposable("mailinator.com")
    assert disposable.is_disposable("my.own.mailinator.com")
    assert not disposable.is_disposable("example.com")
    assert not disposable.is_disposable("notmailinator.example.com")


def test_no_provider_that_most_people_use_is_taken_for_disposable():
    assert not [domain for domain in (*addresses.POPULAR, *addresses.ALSO_REAL) if disposable.is_disposable(domain)]
