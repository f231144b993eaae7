"""Passwords as people type them: one spelling of what looks the same, to be hashed and to be compared."""

import re
import unicodedata

EDGES = "\t\n\v\f\r\x85\u2028\u2029"  # tabs and line ends: what comes along when a cell of a table is copied
SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")  # those that are not ASCII (Zs)


def normalize(typed: str) -> str:
    """Returns a password in one spelling: composed (NFC), every space the usual one, no tabs and line ends around it.

    A keyboard may write "ü" as one character or as two, and a space with Option or a French keyboard as another one
    (NIST SP 800-63B-4 §3.1.1.2; RFC 8265 §4.2, OpaqueString). Case, width and the spaces around it stay: they were
    chosen.
    """
    text = typed.strip(EDGES)
    return text if text.isascii() else unicodedata.normalize("NFC", SPACES.sub(" ", text))
