"""The codes in answers of mail servers: SMTP replies (RFC 5321 §4.2) and enhanced status codes (RFC 3463 §2)."""

import re

# Neither is part of a longer number, an IP address or a time. Servers also write "550: no such user".
_REPLY = r"(?<![\d.:-])[{classes}]\d\d(?=[ \-:;,]|$)"
_STATUS = r"(?<![\d.])[{classes}]\.\d{{1,3}}\.\d{{1,3}}(?!\d|\.\d)"

REPLY = re.compile(_REPLY.format(classes="245"), re.ASCII)
STATUS = re.compile(_STATUS.format(classes="245"), re.ASCII)
REFUSING = _REPLY.format(classes="45")  # replies that refuse a mail, for now or for ever
REFUSAL = re.compile(rf"{REFUSING}|{_STATUS.format(classes='45')}", re.ASCII)


def find_status(answer: str) -> str:
    """Returns the first enhanced status code in an answer, such as "5.1.1", or "" if it has none."""
    found = STATUS.search(answer)
    return found[0] if found else ""


def is_temporary(answer: str) -> bool:
    """Returns whether the first SMTP reply code in an answer is a temporary one, such as 450."""
    found = REPLY.search(answer)
    return bool(found and found[0].startswith("4"))


def refuses(text: str) -> bool:
    """Returns whether a text holds an SMTP reply or a status code that refuses a mail."""
    return REFUSAL.search(text) is not None


def from_refusal(said: str) -> str:
    """Returns what a server said from the first SMTP reply in it that refuses a mail; all of it if there is none."""
    found = re.search(REFUSING, said)
    return said[found.start() :] if found else said
