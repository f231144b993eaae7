"""Enhanced status codes of mail systems (RFC 3463): what they say of an address."""

import re

# Class 5 is final. x.1 is about the address, except x.1.7 and x.1.8, which are about the sender's; x.2.1 is a mailbox
# that is turned off, x.4.4 a domain that has no mail; x.0.0 is what Postfix makes of "550 User unknown". All others
# are about this mail, its size or its content, or a mailbox that is full today.
DEAD = re.compile(r"5\.(?:0\.0|1\.(?!7\b|8\b)\d+|2\.1|4\.4)")


def is_dead(status: str) -> bool:
    """Whether no mail will ever reach the address."""
    return DEAD.fullmatch(status) is not None


def names_dead_address(answer: str) -> bool:
    """The same, for a server's answer like "550 5.1.1 No such user"."""
    _code, _, rest = answer.partition(" ")
    return is_dead(rest.partition(" ")[0])
