"""Writing a mail as bytes: our one shape, a text and its HTML, in a part of the time that the email package takes."""

import base64
import secrets
from binascii import b2a_base64
from collections.abc import Iterator
from email.quoprimime import body_encode
from typing import TypeGuard

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives

from outbox.mail.headers import LONGEST, WRITING, is_plain, line

SNIFFED = 10  # lines, by which the email package chooses an encoding
ONCE = {"From", "Date", "Message-ID"}  # headers that compose() gives to every mail


def as_bytes(email: EmailMessage) -> bytes:
    """Returns the mail as it goes to the server: what Django and Python's email package make of it, byte by byte.

    Raises ValueError for an invalid header, and what else the email package raises.
    """
    if not is_ours(email):
        return email.message(policy=WRITING).as_bytes()
    html, _kind = email.alternatives[0]
    boundary = f"{'=' * 15}{secrets.randbelow(10**19):019d}=="  # as theirs; nobody can have guessed it
    return b"".join(
        [
            f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'.encode(),
            *headers(email),
            f"\r\n--{boundary}\r\n".encode(),
            part("plain", str(email.body)),
            f"\r\n--{boundary}\r\n".encode(),
            part("html", str(html), "MIME-Version: 1.0\r\n"),
            f"\r\n--{boundary}--\r\n".encode(),
        ]
    )


def is_ours(email: EmailMessage) -> TypeGuard[EmailMultiAlternatives]:
    """Returns whether a mail has the shape of ours: a text and its HTML, to somebody, with the headers of compose()."""
    return (
        type(email) is EmailMultiAlternatives
        and [kind for _content, kind in email.alternatives] == ["text/html"]
        and all(isinstance(text, str) and text for text in (email.body, email.alternatives[0][0]))
        and (email.content_subtype, email.encoding or settings.DEFAULT_CHARSET) == ("plain", "utf-8")
        and bool(email.to)
        and not (email.cc or email.attachments)
        and email.extra_headers.keys() >= ONCE
        and all(map(is_plain, email.extra_headers.keys() - ONCE))
        # Django changes addresses whose domains are not ASCII.
        and all(address.partition("@")[2].isascii() for address in addresses(email))
    )


def addresses(email: EmailMessage) -> list[str]:
    """Returns the addresses in the headers of a mail, some with a name before them."""
    return [email.extra_headers["From"], *email.to, *email.reply_to]


def headers(email: EmailMultiAlternatives) -> Iterator[bytes]:
    """Yields the lines of the mail's own headers, in the order in which Django has them."""
    given = email.extra_headers
    yield line("Subject", str(email.subject))
    yield line("From", given["From"])
    yield line("To", ", ".join(email.to))
    if email.reply_to:
        yield line("Reply-To", ", ".join(email.reply_to))
    for name, value in given.items():
        if name != "From":
            yield line(name, value)


def part(kind: str, text: str, more: str = "") -> bytes:
    """Returns a part of a mail: a text of the media type text/`kind` below its headers, of which `more` is the last."""
    encoding, content = encode(text.encode().splitlines())
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n{more}\r\n'
    return head.encode() + content


def encode(lines: list[bytes]) -> tuple[str, bytes]:
    """Returns the content transfer encoding that the email package chooses for these lines, and the lines in it.

    Short lines stay as they are. Of two encodings for long ones, it takes that in which the first lines are shorter.
    """
    whole = b"\r\n".join(lines) + b"\r\n"
    if max(map(len, lines), default=0) <= LONGEST:
        return ("7bit" if whole.isascii() else "8bit"), whole
    start = b"\r\n".join(lines[:SNIFFED]) + b"\r\n"
    if len(quote(start)) > len(b2a_base64(start)):
        return "base64", base64.encodebytes(whole).replace(b"\n", b"\r\n")
    return "quoted-printable", quote(whole).replace(b"\n", b"\r\n")


def quote(text: bytes) -> bytes:
    """Returns a text in the encoding "quoted-printable" (RFC 2045 §6.7), with \\n after each line."""
    return body_encode(text.decode("latin-1"), LONGEST).encode("ascii")
