"""Mail is written byte by byte as Django and Python's email package write it, save for the boundary."""

import random
import re
from email import policy
from email.parser import BytesParser

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives

from outbox.mail import mime
from outbox.mail.compose import compose
from outbox.mail.headers import WRITING, line
from outbox.models import OutboxMessage
from tests.outbox.test_mails import KINDS

BOUNDARY = re.compile(rb"={15}\d{19}==")
FIXED = {
    "From": "Frontdoor <hello@example.com>",
    "Auto-Submitted": "auto-generated",
    "Message-ID": "<invite.0123456789abcdef01234567@example.com>",
    "Date": "Mon, 30 Nov 2026 06:50:00 +0000",
}
URL = "http://example.com/signup?token=" + "Ab1.-_" * 30

TEXTS = {
    "a line": "Hello\n",
    "no line end": "Hello",
    "only a line end": "\n",
    "dots": ".\n..\n.x\n\n.\n",
    "CR and LF": "one\r\ntwo\rthree\nfour\r\n\r\n",
    "other ends of lines": "one\x0btwo\x0cthree\x1cfour\x85five\u2028six\n",
    "a NUL": "a\x00b\n",
    "8 bit": "Привет, мир\n" * 20,
    "78 bytes": "x" * 78 + "\n",
    "79 bytes": "x" * 79 + "\n",
    "78 bytes of 8 bit": "é" * 39 + "\n",
    "79 bytes of 8 bit": "é" * 39 + "x\n",
    "a long word": "x" * 5000 + "\n",
    "a long line": "word " * 400 + "\n",
    "a long line of 8 bit": "Жил-был " * 200 + "\n",
    "long 8 bit after ten lines": "line\n" * 10 + "Жил-был " * 200 + "\n",
    "long ASCII after ten lines of 8 bit": "Строка\n" * 10 + "x" * 200 + "\n",
    "nine lines and ten": "é = 1\n" * 9 + "y" * 90,
    "trailing blanks": ("x" * 90 + " \n") * 3 + "y" * 77 + " \t\n" + "z" * 76 + " \n" + " \n",
    "equals signs": "=" * 300 + "\n=3D=\n",
    "emoji": "🙂" * 60 + "\n",
    "From at the start": "From here\n>From there\n",
    "something like a boundary": "--===============0000000000000000000==--\n",
}
VALUES = {
    "words": "You’re invited",
    "ASCII": "maria invited you to Frontdoor",
    "Cyrillic": "Вас приглашают: " + "сайт " * 20,
    "long ASCII": "word " * 40,
    "a long word": "x" * 300,
    "78 characters in the line": "x " * 34 + "x",
    "79 characters in the line": "x " * 34 + "xx",
    "an encoded word": "=?utf-8?q?Hi?= there",
    "half an encoded word": "what =?",
    "two spaces": "a  b",
    "spaces around": " a ",
    "a tab": "a\tb",
    "nothing": "",
    "a colon": ': a, b; (c) <d> "e" \\f',
    "a control character": "a\x01b",
    "a URL": URL,
}
ADDRESSES = {
    "plain": "ada@example.com",
    "punycode": "ada@xn--mnchen-3ya.de",
    "with marks": "a.b+c_d-e@a-b.example.com",
    "odd marks": "o'neil&sons/{x}@example.com",
    "upper case": "Ada@Example.COM",
    "long": "a" * 64 + "@" + "b" * 60 + ".example.com",
    "dots in a row": "a..b@example.com",
    "a name": "Ada Lovelace <ada@example.com>",
    "a quoted name": '"Lovelace, Ada" <ada@example.com>',
    "a Cyrillic name": "Лаборатория имени Ады <lab@example.com>",
    "a long Cyrillic name": "Очень " * 20 + "<lab@example.com>",
    "a domain not in ASCII": "ada@münchen.de",
    "a name and domain not in ASCII": "Ада <ada@münchen.de>",
    "no domain": "webmaster",
    "nonsense": "a@b@c <",
}


def mail(subject="Hello", body="Text\n", html="<p>HTML</p>\n", to=("ada@example.com",), reply_to=(), **headers):
    given = FIXED | {name.replace("_", "-"): value for name, value in headers.items()}
    message = EmailMultiAlternatives(subject, body, "x@example.com", list(to), reply_to=reply_to, headers=given)
    message.attach_alternative(html, "text/html")
    return message


def outcome(write, email):
    """Returns the bytes without their boundary, or the name of what is raised."""
    try:
        return BOUNDARY.sub(b"BOUNDARY", write(email))
    except Exception as error:  # noqa: BLE001 whatever it is, both must raise it
        return type(error).__name__


def theirs(email):
    return email.message(policy=WRITING).as_bytes()


def is_as_theirs(email):
    return outcome(mime.as_bytes, email) == outcome(theirs, email)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_bodies_are_encoded_as_theirs(text):
    assert mime.is_ours(mail(body=text, html=f"<p>{text}</p>"))
    assert is_as_theirs(mail(body=text))
    assert is_as_theirs(mail(html=text))


def test_no_text_ends_its_part_early():
    seen = BOUNDARY.search(mime.as_bytes(mail()))[0].decode()
    text = f"before\n--{seen}--\nafter\n"

    parsed = BytesParser(policy=policy.default).parsebytes(mime.as_bytes(mail(body=text)))

    assert [part.get_content().splitlines() for part in parsed.iter_parts()] == [text.splitlines(), ["<p>HTML</p>"]]


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("header", ["subject", "X_Words", "Feedback_ID", "List_Unsubscribe", "Message_ID", "Date"])
def test_headers_are_folded_as_theirs(header, value):
    assert mime.is_ours(mail(**{header: value}))
    assert is_as_theirs(mail(**{header: value}))


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
def test_addresses_are_folded_as_theirs(address):
    for given in ({"to": [address]}, {"reply_to": [address, "b@example.com"]}, {"From": address}):
        assert is_as_theirs(mail(**given))


@pytest.mark.parametrize("ending", ["\n", "\r\nBcc: eve@example.com", "\r", "x\n", "\x85x", "\u2028x"])
def test_a_value_of_several_lines_is_refused_as_by_them(ending):
    for header in ("subject", "X_Words", "List_Unsubscribe", "From", "Message_ID", "Date"):
        assert is_as_theirs(mail(**{header: f"a@example.com{ending}"}))
    assert is_as_theirs(mail(to=[f"a@example.com{ending}"]))


def changed(**attributes):
    """Returns a mail in the shape of ours, save for these attributes."""
    message = mail(body="Привет\n")
    vars(message).update(attributes)
    return message


OTHERS = {
    "no HTML": EmailMessage("Hello", "Text\n", to=["a@example.com"], headers=FIXED),
    "an empty text": mail(body=""),
    "an empty HTML": mail(html=""),
    "a copy": EmailMultiAlternatives(
        "Hello", "Text", to=["a@x.org"], cc=["b@x.org"], headers=FIXED, alternatives=[("<p>", "text/html")]
    ),
    "two alternatives": EmailMultiAlternatives(
        "Hello", "Text", to=["a@x.org"], headers=FIXED, alternatives=[("<p>", "text/html"), ("{}", "application/json")]
    ),
    "a second subject": mail(Subject="again"),
    "a sender": mail(Sender="a@münchen.de"),
    "nobody": mail(to=[]),
    "another charset": changed(encoding="koi8-r"),
    "a text that is HTML": changed(content_subtype="html"),
    "an attachment": changed(attachments=[("notes.txt", "Notes\n", "text/plain")]),
}


@pytest.mark.parametrize("email", OTHERS.values(), ids=OTHERS)
def test_another_shape_is_left_to_them(email):
    assert not mime.is_ours(email)
    assert is_as_theirs(email)


def test_random_texts_are_encoded_as_theirs():
    chance = random.Random(16)  # noqa: S311 no secret
    for _ in range(300):
        letters = chance.choice(["ab =.\n", "aé\t \r\n", "Жя🙂 \n", "x.-=\x00\x1f\n\u2028"])
        text = "".join(chance.choices(letters, k=chance.choice([5, 90, 700])))
        assert is_as_theirs(mail(body=text, html=text * 3)), repr(text)


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_of_our_mails_has_the_shape_and_is_written_as_theirs(kind, language):
    KINDS[kind](language)
    for row in OutboxMessage.objects.all():
        email = compose(row)
        assert mime.is_ours(email)
        assert is_as_theirs(email)


def test_folded_lines_that_repeat_are_folded_once():
    assert line("Reply-To", "Ада <ada@example.com>") is line("Reply-To", "Ада <ada@example.com>")
