"""A message that came to a return path, taken apart: fields, words, and signs of who has written it."""

import re
from dataclasses import dataclass, field
from email.message import Message

from outbox.bounces import delivery_reports
from outbox.bounces.delivery_reports import Verdict
from outbox.bounces.parts import parts, text_of

LONGEST_WORDS = 32 * 1024  # characters that are read of what is written for people
LONGEST_SUBJECT = 1000

# Names by which mail servers sign. Automatic answers from people's mailboxes bear the people's addresses.
SERVER = re.compile(
    r"mailer-?daemon|post_?master|mail[ .-]?deliver|delivery[ -]?sub|mail[ -]?(?:administrator|system)"
    r"|microsoftexchange[0-9a-f]{8}|system administrator|^\s*<>\s*$",
    re.IGNORECASE,
)
NOBODY = re.compile(r"no-?reply|do-?not-?reply", re.IGNORECASE)
# RFC 3834 tells automatic answers by Auto-Submitted. These are from before, or from programs that do not heed it.
ANSWERING = (
    "X-Autoreply",
    "X-Auto-Reply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Mail-Autoreply",
    "X-AutoReply-From",
    "X-MS-Exchange-Inbox-Rules-Loop",
    "X-Apple-Action",
)
ANSWERS = re.compile(
    r"\s*(?:auto(?:mati(?:c|sche|sk|sch))?[ -]?(?:reply|response|answer|antwort|antwoord|svar)\b|auto:"
    r"|out of (?:the )?office|r[ée]ponse automatique|respuesta autom[áa]tica|risposta automatica"
    r"|resposta autom[áa]tica|abwesenheits|vacation"
    r"|автоматический ответ|автоответ|自动答复|自動応答|自動回覆|automatyczna odpowied)",
    re.IGNORECASE,
)
# What follows such a line is our mail, returned.
RETURNED = re.compile(
    r"^[> ]{0,4}(?:received|return-path|x-received|dkim-signature)[ \t]*:"
    r"|^[-=*> \t]{0,40}(?:(?:this|below this line|included|enclosed|below) is (?:a copy|the (?:header|message))"
    r"|(?:original|unsent|returned|undelivered) message|original mail|message headers|the headers? of the original)\b",
    re.MULTILINE | re.IGNORECASE,
)
RETURNED_KINDS = ("message/rfc822", "text/rfc822", "message/global-headers", "message/partial")
FEEDBACK = re.compile(r"^feedback-type[ \t]*:[ \t]*([\w-]{1,40})", re.MULTILINE | re.IGNORECASE)
DISPOSITION = re.compile(r"^disposition[ \t]*:(.{0,200})", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Report:
    """What stands in a message that came to a return path.

    `words` are the text for people, without the returned mail. `feedback` is the type of a complaint (RFC 5965), such
    as "abuse"; `disposition` says what became of a mail in the mailbox (RFC 8098), such as
    "automatic-action/mdn-sent-automatically; displayed". Both are in lower case, and "" in other messages.
    """

    verdicts: list[Verdict] = field(default_factory=list)
    subject: str = ""
    words: str = ""
    feedback: str = ""
    disposition: str = ""
    is_from_server: bool = False
    names_failed: bool = False  # it has the header X-Failed-Recipients, which Exim and Google set for final failures
    is_from_nobody: bool = False  # it wants no answer: its return path is empty, or it is from "noreply"
    is_automatic: bool = False
    is_answer: bool = False  # a program of its sender's mailbox has written it, such as "I am on holiday"


def read(head: Message, body: str) -> Report:
    """Returns the report in a message that split_message() has divided. Raises nothing, whatever the message is."""
    fields, words, feedback, disposition = _sort(head, body)
    sender = str(head.get("From", ""))
    return Report(
        verdicts=delivery_reports.verdicts(fields) or delivery_reports.verdicts(words),
        subject=str(head.get("Subject", ""))[:LONGEST_SUBJECT],
        words=words,
        feedback=_first(FEEDBACK, feedback) or _first(FEEDBACK, words) or ("unnamed" if _is_complaint(head) else ""),
        disposition=_first(DISPOSITION, disposition),
        is_from_server=bool(SERVER.search(sender)),
        names_failed="X-Failed-Recipients" in head,
        is_from_nobody=bool(SERVER.search(str(head.get("Return-Path", ""))) or NOBODY.search(sender)),
        is_automatic=_is_automatic(head),
        is_answer=_is_answer(head),
    )


def _sort(head: Message, body: str) -> tuple[str, str, str, str]:
    """Returns the texts of a message: of delivery reports, of words for people, of complaints, of dispositions.

    The words end where the returned mail begins.
    """
    status: list[str] = []
    feedback: list[str] = []
    disposition: list[str] = []
    plain: list[str] = []
    pages: list[str] = []
    is_ours = False
    for kind, text in parts(head, body):
        is_ours = is_ours or kind.startswith(RETURNED_KINDS)
        if kind.endswith("delivery-status"):
            status.append(text)
        elif kind.endswith("feedback-report"):
            feedback.append(text)
        elif kind.endswith("disposition-notification"):
            disposition.append(text)
        elif not is_ours and kind.startswith(("text/", "multipart/")):
            before = RETURNED.split(text, maxsplit=1)[0]
            is_ours = len(before) < len(text)
            (pages if kind == "text/html" else plain).append(before)
    words = "\n\n".join(plain) if any(map(str.strip, plain)) else "\n\n".join(map(text_of, pages))
    return "\n\n".join(status), words[:LONGEST_WORDS], "\n\n".join(feedback), "\n\n".join(disposition)


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].strip().lower() if found else ""


def _is_complaint(head: Message) -> bool:
    return "feedback-report" in str(head.get("Content-Type", "")).lower()


def _is_automatic(head: Message) -> bool:
    is_submitted = str(head.get("Auto-Submitted", "no")).strip().lower() != "no"
    return is_submitted or "X-Auto-Response-Suppress" in head


def _is_answer(head: Message) -> bool:
    precedence = str(head.get("Precedence", "")).strip().lower()
    return (
        precedence.startswith("auto")
        or bool(ANSWERS.match(str(head.get("Subject", ""))))
        or any(str(head.get(name, "no")).strip().lower() != "no" for name in ANSWERING)
    )
