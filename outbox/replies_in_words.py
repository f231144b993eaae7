"""What became of a mail, in the words of staff: the answers of mail servers are for those who run them."""

import re
from collections.abc import Callable

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from kit.times import brief_html
from outbox.mail import dead_address, replies
from outbox.models import OutboxMessage
from outbox.models.message import COMPLAINT, NOT_SENT

Says = Callable[[str], object]  # is given an answer, and is true if the answer means this


def code_of(answer: str) -> str:
    """Returns the code in an answer, to stand beside the words: "5.1.1", or "550" without one; "" if it has neither."""
    found = replies.REPLY.search(answer)
    return replies.find_status(answer) or (found[0] if found else "")


def _has(pattern: str) -> Says:
    return re.compile(pattern, re.IGNORECASE).search


def _status(pattern: str) -> Says:
    """Returns a test for an enhanced status code, without its class: "2.2" stands for 4.2.2 and 5.2.2 (RFC 3463)."""
    matches = re.compile(pattern).fullmatch
    return lambda answer: matches(replies.find_status(answer)[2:])


OURS = gettext_lazy("the server doesn’t take our mail")
# The first that fits is the reason. Codes come before words: servers put their own adverts into these.
REASONS: list[tuple[Says, object]] = [
    (lambda answer: answer == COMPLAINT, gettext_lazy("reported as unwanted")),
    (_has(rf"^{NOT_SENT}its owner asked"), gettext_lazy("asked never to be")),
    (_has(f"^{NOT_SENT}"), gettext_lazy("mail to this address has come back before")),
    (_has(r"^SMTPAuthenticationError"), gettext_lazy("our mail server refuses our password")),
    (_has(r"^(\w*Error|gaierror|herror|SMTP\w+): (?![45]\d\d)"), gettext_lazy("no mail server answers")),
    (_status(r"2\.2"), gettext_lazy("mailbox full")),
    (_status(r"2\.1"), gettext_lazy("mailbox turned off")),
    (_status(r"1\.(2|10)"), gettext_lazy("this domain takes no mail")),
    (_status(r"1\.[136]"), gettext_lazy("mailbox does not exist")),
    (_status(r"(2\.3|3\.4)"), gettext_lazy("mail too large")),
    (_has(r"gr[ea]y-?list"), gettext_lazy("the server wants to see it again later")),
    (_status(r"4\.\d+"), gettext_lazy("the server of this address can’t be reached")),
    (_has(r"quota|(mail ?box|inbox|folder) (is )?full|disk space"), gettext_lazy("mailbox full")),
    (_status(r"7\.\d+"), OURS),
    (_has(r"\b(spam|block(ed|list)|blacklist|reputation|policy|dmarc|dkim|spf)\b"), OURS),
    (_has(r"\b(rate|limit|too many|throttl\w+)\b"), gettext_lazy("too much mail at once")),
    (_has(r"\b(domain|host)\b.*\b(not|unknown|exist)"), gettext_lazy("this domain takes no mail")),
    (dead_address.says_dead, gettext_lazy("mailbox does not exist")),
    (replies.is_temporary, gettext_lazy("the server says: not now")),
]


def reason(answer: str) -> str:
    """Returns what an answer in OutboxMessage.last_answer means, in the active language, to stand after a colon.

    For an answer that fits no reason it says that the server refused the mail.
    """
    return next((str(words) for says, words in REASONS if says(answer)), _("the server refused it"))


def delivery(mail: OutboxMessage) -> str:
    """Returns what became of a mail, as HTML in the active language and time zone: "Sent today, 08:02"."""
    if mail.status == mail.Status.QUEUED:
        return _("Waiting to leave")
    if mail.status == mail.Status.SENT:
        return format_html(_("Sent %(when)s") % {"when": "{}"}, brief_html(mail.sent_at))  # type: ignore[arg-type]
    said = {"why": reason(mail.last_answer), "count": mail.attempts}
    if mail.status == mail.Status.BOUNCED:
        return _("Came back: %(why)s") % said
    if mail.status == mail.Status.TRIED:
        put_off = ngettext("Put off: %(why)s, tried once", "Put off: %(why)s, tried %(count)s times", mail.attempts)
        return put_off % said
    return given_up(mail) % said


def given_up(mail: OutboxMessage) -> str:
    """Returns in words how a mail was given up, with blanks for "why" and "count", the number of tries."""
    if mail.last_answer.startswith(NOT_SENT):
        return _("Not written to: %(why)s")
    if code_of(mail.last_answer).startswith("5"):
        return _("Refused: %(why)s")
    return ngettext("Given up after %(count)s try", "Given up after %(count)s tries", mail.attempts)


def answer(mail: OutboxMessage) -> str:
    """Returns what a server said of a mail, and its code in brackets: "mailbox full (4.2.2)"; "" if it said nothing."""
    if not mail.last_answer:
        return ""
    if mail.status != mail.Status.SENT:
        return with_code(mail.last_answer)
    code = code_of(mail.last_answer)
    return _("accepted for delivery") + (f" ({code})" if code else "")


def with_code(refusal: str) -> str:
    """Returns what a server's refusal means, and its code in brackets."""
    code = code_of(refusal)
    return reason(refusal) + (f" ({code})" if code else "")
