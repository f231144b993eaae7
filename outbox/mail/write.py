"""Writing mail: one template for each kind, rendered for the subject, the text and the HTML. No request is needed."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Template
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
    extra: Mapping[str, str] | None = None,
) -> OutboxMessage:
    """Renders templates/mail/`name`.html in `language` for the address `to`. Returns a message that is not stored yet.

    `context` fills the template. `source` stands in the Feedback-ID header. Replies go to `reply_to`, or else to
    SUPPORT_CONTACT. `about` is the id of the invitation or the link that the mail is sent for, or None. `extra` holds
    headers that not all our mail has.
    """
    with translation.override(language):
        context = context | {
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            "support_contact": settings.SUPPORT_CONTACT,
            "language": translation.get_language(),
        }
        message = EmailMultiAlternatives(
            # A name or note from outside must not be able to add a header.
            " ".join(render(name, subject_alone(), context).split()),
            render(name, "mail/base.txt", context).strip() + "\n",
            to=[to],
            reply_to=reply_to or [settings.SUPPORT_CONTACT],
            headers=headers(name, source, context["language"]) | dict(extra or {}),
        )
        message.attach_alternative(render(name, "mail/base.html", context), "text/html")
    return OutboxMessage.of(message, name, to, about)


def storing[**P](write: Callable[P, OutboxMessage]) -> Callable[P, None]:
    """Returns a function with the arguments of `write`, which it calls to store the message it returns.

    The function stores it in its caller's transaction, and returns nothing.
    """

    def post(*args: P.args, **kwargs: P.kwargs) -> None:
        write(*args, **kwargs).save()

    return post


post = storing(write)


def render(name: str, base: str | Template, context: dict[str, Any]) -> str:
    """Returns the mail template `name`, rendered on top of `base`: the base of subjects, of texts or of HTML."""
    return render_to_string(f"mail/{name}.html", context | {"base": base})


@cache
def subject_alone() -> Template:
    """Returns a base that shows only the subject. It is made at first use: Django has no templates during imports."""
    return Template("{% autoescape off %}{% block subject %}{% endblock %}{% endautoescape %}")


def headers(name: str, source: str, language: str) -> dict[str, str]:
    """Returns the headers that all our mail has: against automatic replies, for feedback loops, and the language.

    `name` is that of the mail's template; `source`, such as "site", stands beside it in the Feedback-ID.
    """
    return {
        "Auto-Submitted": "auto-generated",  # RFC 3834: no out-of-office replies
        "X-Auto-Response-Suppress": "All",  # Exchange: no automatic replies of any kind
        "Feedback-ID": f"{name}:{source}:{settings.SITE_HOST}:frontdoor",
        "Content-Language": language,
    }
