"""Enhanced status codes of mail systems (RFC 3463), and what they say about an address."""

import re

# Class 5 is final. x.1 is about the address, except x.1.7 and x.1.8, which are about the sender's; x.2.1 is a mailbox
# that is turned off, x.4.4 a domain that has no mail; x.0.0 is what Postfix makes of "550 User unknown". All others
# are about this mail, its size or its content, or a mailbox that is full today.
DEAD = re.compile(r"5\.(?:0\.0|1\.(?!7\b|8\b)\d+|2\.1|4\.4)")

UNKNOWN = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}


def is_dead(status: str) -> bool:
    """Returns whether a status such as "5.1.1" means that no mail will ever reach the address."""
    return DEAD.fullmatch(status) is not None


def refuses_address(answer: str) -> bool:
    """Returns whether a server's answer to the recipient's address calls it unknown: "550 5.1.1 No such user".

    A server may wait for the address only to refuse us, our sender or our network; then it uses another status.
    """
    _code, _, rest = answer.partition(" ")
    return rest.partition(" ")[0] in UNKNOWN
