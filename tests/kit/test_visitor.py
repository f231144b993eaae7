"""The visitor's address and device: decided once, for limits and logs alike."""

import pytest
from django.test import RequestFactory

from kit import visitor

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)


def request(peer="192.0.2.1", forwarded=None):
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)


FORWARDED = [
    (0, None, "192.0.2.1"),
    (0, "203.0.113.7", "192.0.2.1"),  # anyone may write this header
    (1, "203.0.113.7", "203.0.113.7"),
    (1, "10.0.0.1, 203.0.113.7", "203.0.113.7"),  # the first is the visitor's own claim
    (2, "6.6.6.6, 203.0.113.7, 198.51.100.1", "203.0.113.7"),
    (2, "203.0.113.7", "192.0.2.1"),  # the request did not pass both proxies
    (1, None, "192.0.2.1"),
    (1, "", "192.0.2.1"),
    (1, "nonsense", "192.0.2.1"),
    (1, "203.0.113.7:4711", "203.0.113.7"),
    (1, "[2001:db8::1]:4711", "2001:db8::1"),
    (1, "2001:db8::1", "2001:db8::1"),
    (1, "fe80::1%eth0", "fe80::1"),
    (1, "::ffff:203.0.113.7", "203.0.113.7"),
    (1, "<script>", "192.0.2.1"),
]


def test_the_address_is_what_our_own_proxies_saw(settings, subtests):
    for count, forwarded, ip in FORWARDED:
        with subtests.test(count=count, forwarded=forwarded):
            settings.TRUSTED_PROXY_COUNT = count

            assert visitor.ip(request(forwarded=forwarded)) == ip


def test_a_unix_socket_has_no_address_and_is_no_error():
    assert visitor.ip(request(peer="")) == "0.0.0.0"


NETWORKS = [("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::1", "::/64")]


def test_a_whole_64_is_one_visitor(subtests):
    for peer, network in NETWORKS:
        with subtests.test(peer=peer):
            assert visitor.network(request(peer=peer)) == network


def test_the_site_of_an_ipv6_address_is_its_48():
    for peer, site in [("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"), ("::1", "::/48")]:
        assert visitor.site(request(peer=peer)) == site


@pytest.mark.django_db
def test_the_limit_of_a_64_holds_for_all_its_addresses(client):
    for n in range(30):
        assert client.post("/signup", {"token": "x"}, REMOTE_ADDR=f"2001:db8::{n:x}").status_code == 404
    assert client.post("/signup", {"token": "x"}, REMOTE_ADDR="2001:db8::ffff").status_code == 429
    assert client.post("/signup", {"token": "x"}, REMOTE_ADDR="2001:db8:0:1::1").status_code == 404


DEVICES = [
    (IPHONE, "Safari on iOS"),
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        "Chrome on Linux",
    ),
    ("", ""),
    ("Your account is locked - sign in at evil.example/1.0 CFNetwork/1 Darwin/16", ""),
    ("x" * 100_000, ""),
    ("\x00\ud800", ""),
]


def test_a_device_is_named_as_its_browser_does(subtests):
    for agent, device in DEVICES:
        with subtests.test(agent=agent):
            asking = RequestFactory().get("/")
            asking.META["HTTP_USER_AGENT"] = agent

            assert visitor.device_in_words(visitor.device(asking)) == device
