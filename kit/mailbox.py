"""The mailbox behind an address: many spellings of an address can lead to the same one (RFC 5233, subaddressing)."""

from collections.abc import Mapping

# Providers whose domains share their mailboxes: the first stands for all.
SHARED = (
    "gmail.com googlemail.com",
    "proton.me protonmail.com protonmail.ch pm.me",
    "icloud.com me.com mac.com",
    (
        "yandex.ru ya.ru narod.ru yandex.by yandex.com yandex.kz yandex.ua yandex.az yandex.co.il yandex.com.am "
        "yandex.com.ge yandex.com.tr yandex.ee yandex.fr yandex.kg yandex.lt yandex.lv yandex.md yandex.tj yandex.tm "
        "yandex.uz"
    ),
    "fastmail.com fastmail.fm",
)
STANDS_FOR = {domain: domains.split()[0] for domains in SHARED for domain in domains.split()}

# The marks in a name that these providers ignore, or take for one another.
FOLDED: dict[str, Mapping[int, int | None]] = {
    "gmail.com": str.maketrans("", "", "."),
    "proton.me": str.maketrans("", "", ".-_"),
    "yandex.ru": str.maketrans("-", "."),
}


def of(address: str) -> str:
    """Returns a normalized address that stands for all spellings with which anyone can write to the same mailbox.

    A tag is cut off at the first "+", at every provider: it is the mark that nearly all have for it, and hardly a name
    has one. At "-" nothing is cut, as "jean-luc" and "jean-paul" are two people. At some providers dots and dashes
    count for nothing, and one domain stands for several; Fastmail's name@ada.fastmail.com leads to ada@fastmail.com.
    The result only serves to count by: mail to it might reach nobody.
    """
    local, _at, domain = address.rpartition("@")
    subdomain, _dot, parent = domain.partition(".")
    if STANDS_FOR.get(parent) == "fastmail.com":
        local, domain = subdomain, parent
    domain = STANDS_FOR.get(domain, domain)
    name = local.partition("+")[0] or local
    return f"{name.translate(FOLDED.get(domain, {})) or name}@{domain}"
