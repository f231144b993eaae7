"""The "Open Gmail" button: the web page where the mail of an address is read."""

from typing import NamedTuple


class Provider(NamedTuple):
    """A mail provider: its name, and the web page where its users read their mail."""

    name: str
    url: str


PROVIDERS = {
    Provider("Gmail", "https://mail.google.com/"): "gmail.com googlemail.com",
    Provider("Outlook", "https://outlook.live.com/mail/"): "outlook.com hotmail.com live.com msn.com",
    Provider("Yahoo Mail", "https://mail.yahoo.com/"): "yahoo.com",
    Provider("iCloud Mail", "https://www.icloud.com/mail"): "icloud.com me.com mac.com",
    Provider("Proton Mail", "https://mail.proton.me/"): "proton.me protonmail.com",
    Provider("Яндекс Почта", "https://mail.yandex.ru/"): "yandex.ru ya.ru",
    Provider("Mail.ru", "https://e.mail.ru/"): "mail.ru bk.ru list.ru inbox.ru",
}
BY_DOMAIN = {domain: provider for provider, domains in PROVIDERS.items() for domain in domains.split()}


def provider(address: str) -> Provider | None:
    """Returns the provider in PROVIDERS that has the address's domain, or None for any other domain."""
    return BY_DOMAIN.get(address.rpartition("@")[2])
