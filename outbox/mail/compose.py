"""Composing a stored mail: the worker does it just before it sends. Requests only store what the mail needs to say."""

import re
from email.utils import format_datetime, formataddr, parseaddr
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Template
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from kit import tokens
from kit.addresses import readable
from outbox import verp
from outbox.kinds import INVITATIONS
from outbox.mail.headers import ADDRESS
from outbox.models import OutboxMessage

SPECIAL = re.compile(r'[][()<>@,:;\\"\x00-\x1f\x7f]')
ENCODED = "=?"  # begins a word that mail programs decode (RFC 2047 §2), and Python's email package, too
ONE_CLICK_BODY = "List-Unsubscribe=One-Click"  # what mail programs post when the button is pressed (RFC 8058 §3.1)


def compose(row: OutboxMessage) -> EmailMultiAlternatives:
    """Returns the message to send, with the Message-ID and the Date that are the same in every try.

    `row` has the facts that write() stored for a template, or a whole message that other code has sent by Django's API.
    Raises KeyError if the parts of the row have been emptied, and whatever the template raises.
    """
    parts: dict[str, Any] = (
        render_parts(row.kind, row.recipient, **row.parts) if "context" in row.parts else dict(row.parts)
    )
    alternatives, sender = parts.pop("alternatives"), parts.pop("from_email")
    fixed = {"Message-ID": row.message_id, "Date": format_datetime(row.created_at)}
    parts["headers"] = {"From": sender} | parts["headers"] | fixed
    # `from_email` is the envelope's sender, where bounces go; people see the From header.
    message = EmailMultiAlternatives(to=[row.recipient], from_email=verp.return_path(row) or bare(sender), **parts)
    for content, mimetype in alternatives:
        message.attach_alternative(content, mimetype)
    return message


@lru_cache(maxsize=100)  # nearly all mail has one sender, and Django would parse it for each
def bare(sender: str) -> str:
    """Returns the address of a sender, without the name. An odd sender stays, for the SMTP backend to judge."""
    address = parseaddr(sender)[1]
    return address if ADDRESS.fullmatch(address) else sender


def render_parts(
    name: str,
    to: str,
    *,
    context: dict[str, Any],
    language: str,
    source: str,
    reply_to: list[str],
    links: dict[str, list[str]],
    one_click: list[str],
) -> dict[str, Any]:
    """Renders templates/mail/`name`.html for the address `to` from what write() stored. Returns the parts of a message.

    They are those that OutboxMessage.of() stores for a message of other code. Raises whatever the template raises.
    """
    with translation.override(language):
        context = context | {called: tokens.signed(link) for called, link in links.items()}
        context = context | {
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            "support_contact": settings.SUPPORT_CONTACT,
            "colours": settings.BRAND_PALETTE,
            "mail_logo": settings.BRAND_MAIL_LOGO,
            "recipient": readable(to),
            "is_invitation": name in INVITATIONS,
            "initial": settings.SITE_NAME.strip()[:1].upper(),
            "language": translation.get_language(),
        }
        return {
            # A name or note from outside must not be able to add a header, nor hide one in an encoded word.
            "subject": " ".join(render(name, subject_alone(), context).replace(ENCODED, "= ?").split()),
            "body": render(name, "mail/base.txt", context).strip() + "\n",
            "from_email": sender(name, context),
            "reply_to": reply_to or [settings.SUPPORT_CONTACT],
            "headers": headers(name, source, context["language"]) | (one_click_headers(one_click) if one_click else {}),
            "alternatives": [(render(name, "mail/base.html", context), "text/html")],
        }


def sender(kind: str, context: dict[str, Any]) -> str:
    """Returns the From header: EMAIL_FROM, with the name of MAIL_FROM_NAME in an invitation of a person.

    What has a meaning in headers is left out of that name: Python's email package folds a long name without the
    quotation marks around it, and part of it would be another sender (RFC 5322 §3.2.3).
    """
    if kind not in INVITATIONS or not context.get("inviter_email"):
        return settings.DEFAULT_FROM_EMAIL
    name = settings.MAIL_FROM_NAME or _("%(inviter)s via %(site)s")
    name %= {"inviter": context["inviter"], "site": settings.SITE_NAME}
    return formataddr(
        (" ".join(SPECIAL.sub(" ", name).replace(ENCODED, "= ?").split()), parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    )


def render(name: str, base: str | Template, context: dict[str, Any]) -> str:
    """Returns the mail template `name`, rendered on top of `base`: the base of subjects, of texts or of HTML."""
    return render_to_string(f"mail/{name}.html", context | {"base": base})


@cache
def subject_alone() -> Template:
    """Returns a base that shows only the subject. It is made at first use: Django has no templates during imports."""
    return Template("{% autoescape off %}{% block subject %}{% endblock %}{% endautoescape %}")


def one_click_headers(one_click: list[str]) -> dict[str, str]:
    """Returns the headers by which mail programs show a button that declines (RFC 2369, RFC 8058)."""
    return {"List-Unsubscribe": f"<{tokens.signed(one_click)}>", "List-Unsubscribe-Post": ONE_CLICK_BODY}


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
