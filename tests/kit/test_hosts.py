"""Names that mail programs take for a web address."""

import pytest

from kit import hosts

HOSTS = ["www.paypa1-login.com", "paypa1-login.com", "x.io", "x.co.uk", "www.anything", "www2.anything", "https.bank"]
HOSTS += [
    f"paypal.{name}"
    for name in "kiwi ink town gay holdings menu feedback cab camp ceo nrw cymru taipei eus gal tips express".split()
]
HOSTS += ["10.0.0.1", "secure.support", "paypal.com-login", "paypal.com_x", "bank.zip", "ada.xn--p1ai", "ftp.site"]


@pytest.mark.parametrize("name", [*HOSTS, *map(str.upper, HOSTS)])
def test_a_web_address_is_recognised(name):
    assert hosts.reads_as_host(name)


NAMES = "ph.d st.john j.r.r.tolkien anna.maria ada.townsend ada.gallo kiwi.fruit ink.ada maria.gaya".split()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_dots_is_none(name):
    assert not hosts.reads_as_host(name)


def test_a_name_is_written_without_a_dot_that_makes_a_link():
    assert hosts.unlinked("www.paypa1-login.com") == "www paypa1-login com"
    assert hosts.unlinked("ada.newtopleveldomain") == "ada newtopleveldomain"
    assert hosts.unlinked("ada") == "ada"
