"""The addresses that webhooks may call: nobody at the desk can make the site call what only the site can reach."""

import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.environment import servers
from config.environment.variables import env
from outbox.models import OutboxEvent, Webhook, WebhookDelivery
from outbox.webhooks import targets
from outbox.webhooks.deliver import deliver_due
from tests.outbox.test_webhooks import hook
from tests.tools.receiver import Receiver

ADD = "/admin/outbox/webhook/add/"

PRIVATE = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.1.2.3 169.254.169.254 172.16.0.1 192.0.0.1 192.0.2.1 192.168.0.1
    198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
    64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1
    fc00::1 fd00:ec2::254 fe80::1 fe80::1%1 fec0::1 ff02::1 ff0e::1 4000::1
""".split()
PUBLIC = "93.184.216.34 8.8.8.8 2606:2800:220:1::1 ::ffff:8.8.8.8 64:ff9b::808:808".split()


@pytest.fixture
def names(monkeypatch):
    """A function that sets the answers of the name server: one list of addresses after another, the last for ever."""

    def mean(*answers):
        asked = []

        def getaddrinfo(host, port, **_kwargs):
            asked.append(host)
            found = answers[min(len(asked), len(answers)) - 1]
            return [(0, 0, 0, "", (address, port)) for address in found]

        monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
        return asked

    return mean


def allow(settings, *networks):
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network(network) for network in networks]


def refusal(url):
    with pytest.raises(targets.Unfit) as refused:
        targets.addresses(targets.read(url), 5)
    return str(refused.value)


def test_only_public_addresses_are_called(names):
    for address in PRIVATE:
        names([address])
        assert "not a public address" in refusal("https://hooks.example/"), address
    for address in PUBLIC:
        names([address])
        assert targets.addresses(targets.read("https://hooks.example/"), 5) == [address]
    names(["8.8.8.8", "10.0.0.1"])  # one private address is enough to refuse
    assert "10.0.0.1" in refusal("https://hooks.example/")


def test_other_ways_to_write_an_address_are_seen_through():
    for host in ("2130706433", "0x7f.1", "127.1", "017700000001", "localhost", "[::1]", "[::ffff:7f00:1]", "LOCALHOST"):
        assert "not a public address" in refusal(f"https://{host}/"), host


def test_what_the_operator_allows_may_be_called_over_http_too(names, settings):
    allow(settings, "10.0.0.0/8", "fd00::/8")
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1"):
        names([address])
        assert targets.addresses(targets.read("http://billing:8000/"), 5) == [address]
    names(["127.0.0.1"])
    assert "not a public address" in refusal("http://billing:8000/")
    names(["8.8.8.8"])
    assert "Use https" in refusal("http://billing:8000/")
    names(["8.8.8.8", "10.0.0.1"])
    assert "Use https" in refusal("http://billing:8000/")


NO_ADDRESS = [
    *(
        "",
        "x",
        "//a",
        "ftp://a.example/",
        "https://",
        "https://[::",
        "https://a.example:x/",
        "https://a.example:99999/",
    ),
    *(
        "https://a b/",
        "https://a/\t",
        "https://a/ю",
        "https://a/\\b",
        "https://" + "a" * 64 + ".example/",
        "https://./",
    ),
]
REFUSED = dict.fromkeys(NO_ADDRESS, "not an address we can call") | {
    "https://user@a.example/": "Leave out the user",
    "https://:pass@a.example/": "Leave out the user",
    "https://a.example/#top": "Leave out the user",
    "https://a.example:22/": "Port 22",
    "https://a.example:0/": "Port 0",
    "https://a.example/" + "x" * 500: "too long",
}


def test_what_is_no_address_is_refused_in_words():
    for url, said in REFUSED.items():
        assert said in refusal(url), url


def test_an_address_is_kept_as_it_is_called():
    for typed, kept in {
        "HTTPS://Пример.example": "https://xn--e1afmkfd.example/",
        "https://a.example:443/x?y=1": "https://a.example/x?y=1",
        "https://a.example:8443": "https://a.example:8443/",
        "http://[2606:2800::1]:8080/": "http://[2606:2800::1]:8080/",
    }.items():
        assert targets.read(typed).url == kept
        assert targets.read(kept).url == kept


@pytest.mark.django_db
def test_a_name_that_means_something_else_by_now_is_not_called(desk, names, settings):
    with Receiver().listening() as receiver:
        names(["93.184.216.34"])
        desk.post(ADD, {"url": f"https://hooks.example:{receiver.port}/", "is_active": "on"})
        assert Webhook.objects.exists()
        OutboxEvent.objects.announce("user.deleted", user=1)
        asked = names(["127.0.0.1"])

        deliver_due()

    assert asked == ["hooks.example"]
    assert receiver.told == []
    assert "127.0.0.1, which is not a public address" in WebhookDelivery.objects.get().last_answer


@pytest.mark.django_db
def test_the_address_that_was_checked_is_the_one_that_is_called(names, settings):
    allow(settings, "127.0.0.1/32")
    with Receiver().listening() as receiver:
        hook(receiver.url(host="hooks.example"))
        OutboxEvent.objects.announce("user.deleted", user=1)
        asked = names(["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1"])

        deliver_due()

    assert asked == ["hooks.example"]
    assert [told.headers["host"] for told in receiver.told] == [f"hooks.example:{receiver.port}"]


def test_a_name_server_that_never_answers_is_left(monkeypatch):
    released, late = threading.Event(), [(0, 0, 0, "", ("8.8.8.8", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: late * (1 + released.wait(60)))

    with pytest.raises(targets.Unfit, match=r"No server was found for hooks\.example"):
        targets.addresses(targets.read("https://hooks.example/"), 0.1)
    released.set()


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """A certificate for hooks.example that this machine trusts."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = tmp_path / "hooks.pem"
    path.write_bytes(key.private_bytes(pem, secret, serialization.NoEncryption()) + made.public_bytes(pem))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


@pytest.mark.django_db
def test_over_https_the_certificate_must_be_that_of_the_name(names, settings, certificate):
    allow(settings, "127.0.0.1/32")
    tls, hello = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), []
    tls.load_cert_chain(certificate)
    tls.sni_callback = lambda _socket, name, _context: hello.append(name)
    names(["127.0.0.1"])
    with Receiver().listening(tls) as receiver:
        for host in ("hooks.example", "other.example"):
            hook(receiver.url(host=host, scheme="https"))
        OutboxEvent.objects.announce("user.deleted", user=1)

        deliver_due()

    assert [told.headers["host"] for told in receiver.told] == [f"hooks.example:{receiver.port}"]
    assert sorted(hello) == ["hooks.example", "other.example"]
    good, bad = WebhookDelivery.objects.order_by("webhook")
    assert (good.status, bad.status) == ("delivered", "tried")
    assert "not valid for 'other.example'" in bad.last_answer


def test_networks_that_are_none_stop_the_start(monkeypatch):
    monkeypatch.setitem(env.ENVIRON, "WEBHOOKS_ALLOWED_NETWORKS", "10.0.0.0/8, fd00::/8")
    assert ip_address("fd00::1") in servers.webhook_networks()[1]

    for typed in ("10.0.0.1/8", "everywhere"):
        monkeypatch.setitem(env.ENVIRON, "WEBHOOKS_ALLOWED_NETWORKS", typed)
        with pytest.raises(SystemExit, match="WEBHOOKS_ALLOWED_NETWORKS must be networks"):
            servers.webhook_networks()
