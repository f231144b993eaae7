"""Writing a mail: a folder of templates, and one function that needs no request."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

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
) -> OutboxMessage:
    """Renders templates/mail/`name`/ in a language. Returns a message that is not stored yet.

    `about` is what it is sent for: an invitation, or a link that somebody asked for.
    """
    with translation.override(language):
        context = context | {
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            "support_contact": settings.SUPPORT_CONTACT,
            "language": translation.get_language(),
        }
        # A name or note from outside must not be able to add a header.
        subject = " ".join(render_to_string(f"mail/{name}/subject.txt", context).split())
        message = EmailMultiAlternatives(
            subject,
            render_to_string(f"mail/{name}/body.txt", context).strip() + "\n",
            to=[to],
            reply_to=reply_to or [settings.SUPPORT_CONTACT],
            headers=headers(name, source, context["language"]),
        )
        message.attach_alternative(render_to_string(f"mail/{name}/body.html", context), "text/html")
    return OutboxMessage.of(message, name, to, about)


def storing[**P](write: Callable[P, OutboxMessage]) -> Callable[P, None]:
    """Returns a function with the parameters of `write` that stores the message, in the caller's transaction."""

    def post(*args: P.args, **kwargs: P.kwargs) -> None:
        write(*args, **kwargs).save()

    return post


post = storing(write)


def headers(name: str, source: str, language: str) -> dict[str, str]:
    return {
        "Auto-Submitted": "auto-generated",  # RFC 3834: no out-of-office replies
        "X-Auto-Response-Suppress": "All",  # the same for Exchange
        "Feedback-ID": f"{name}:{source}:{settings.SITE_HOST}:frontdoor",
        "Content-Language": language,
    }
