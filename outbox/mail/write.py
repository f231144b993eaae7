"""Writing mail: storing what it has to say. The worker renders it (outbox/mail/compose.py). No request is needed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from outbox.models import OutboxMessage


def write(
    name: str,
    to: str,
    context: dict[str, Any],
    *,
    language: str,
    source: str = "site",
    reply_to: Sequence[str] = (),
    about: UUID | None = None,
    links: Mapping[str, Sequence[str]] | None = None,
    one_click: Sequence[str] = (),
) -> OutboxMessage:
    """Returns the mail of templates/mail/`name`.html in `language` for the address `to`. It is not stored yet.

    `context` fills the template when the worker renders it: texts, numbers, True, False and lists of them, for JSON.
    `source` stands in the Feedback-ID header. Replies go to `reply_to`, or else to SUPPORT_CONTACT. `about` is the id
    of the invitation or the link that the mail is sent for, or None. `links` are those with a token, by their names in
    the template, each as tokens.unsigned() returns it: the worker signs them, so no stored mail has one that works.
    `one_click` is such a link too, by which mail programs decline for their user.
    """
    facts = {
        "context": context,
        "language": language,
        "source": source,
        "reply_to": list(reply_to),
        "links": dict(links or {}),
        "one_click": one_click,
    }
    return OutboxMessage.new(name, to, about, facts, settings.DEFAULT_FROM_EMAIL)


def storing[**P](write: Callable[P, OutboxMessage]) -> Callable[P, None]:
    """Returns a function with the arguments of `write`, which it calls to store the message it returns.

    The function stores it in its caller's transaction, and returns nothing.
    """

    def post(*args: P.args, **kwargs: P.kwargs) -> None:
        write(*args, **kwargs).save()

    return post


post = storing(write)
