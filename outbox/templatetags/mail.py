"""{% load mail %}: the parts of a mail, each styled in its HTML and plain in its text.

In the HTML a tag writes its markup where it stands. In the text it adds a paragraph to the `{% paragraphs %}` around it
and leaves nothing where it stands, so white space between two tags means nothing in either.
"""

import re
from collections.abc import Sequence
from html import unescape

from django import template
from django.template.base import NodeList, Parser, Token
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

register = template.Library()

STRONG = re.compile("</?strong>")


@register.tag
def paragraphs(parser: Parser, token: Token) -> "Paragraphs":
    """A part of the text: the paragraphs that all tags in it add, with an empty line between two."""
    content = parser.parse(["endparagraphs"])
    parser.delete_first_token()
    return Paragraphs(content)


class Paragraphs(template.Node):
    child_nodelists = ("content",)  # where Django looks for blocks

    def __init__(self, content: NodeList) -> None:
        self.content = content

    def render(self, context: template.Context) -> str:
        """Returns the text. Raises TemplateSyntaxError for words outside of all tags, which it would lose."""
        added: list[str] = []
        with context.push(paragraphs=added):
            lost = self.content.render(context).strip()
        if lost:
            raise template.TemplateSyntaxError("Words of a mail stand outside of its tags.")
        return "\n\n".join(added)


@register.simple_block_tag(takes_context=True)
def p(context: template.Context, content: str) -> str:
    """A paragraph. A line break in it is one in the text. `<strong>` in it is bold in the HTML alone."""
    if in_text(context):
        return add(context, plain(content))
    return format_html('<p style="margin:0 0 16px">{}</p>', content)


@register.simple_tag(takes_context=True)
def quote(context: template.Context, note: str) -> str:
    """The words of a person: in a box, or in quotation marks. Nothing if the note is empty."""
    if not note:
        return ""
    if in_text(context):
        return add(context, "  " + _("“%(note)s”") % {"note": note})
    return format_html(
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        '<td class="quote" dir="auto" style="padding:12px 16px;background-color:#eef2ef;border-radius:8px">{}</td></tr>'
        '<tr><td height="16" style="font-size:0;line-height:0">&nbsp;</td></tr></table>',
        note,
    )


@register.simple_tag(takes_context=True)
def code(context: template.Context, digits: str) -> str:
    """A code that the reader has to type: large, or indented."""
    if in_text(context):
        return add(context, f"    {digits}")
    return format_html(
        '<p style="margin:0 0 16px;font:700 28px/36px ui-monospace,Menlo,Consolas,monospace;letter-spacing:.08em"'
        ' dir="ltr">{}</p>',
        digits,
    )


@register.simple_tag(takes_context=True)
def points(context: template.Context, lines: Sequence[str]) -> str:
    """A list: with bullets, or a line each that begins with a dash."""
    if in_text(context):
        return add(context, "".join(f"- {line}\n" for line in lines))
    items = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
    return format_html('<ul style="margin:0 0 16px;padding:0 0 0 20px">{}</ul>', items)


@register.simple_tag(takes_context=True)
def way(context: template.Context, url: str, words: str, text: str = "", lead: str = "") -> str:
    """A link at the end of a paragraph: `lead` and an anchor around `words`, or `text` and the address below it."""
    if in_text(context):
        return f"{text}\n{url}"
    anchor = format_html('<a href="{}" class="lk" style="color:#0b6b4f">{}</a>', url, words)
    return format_html("{} {}", lead, anchor) if lead else anchor


def in_text(context: template.Context) -> bool:
    return "paragraphs" in context


def add(context: template.Context, paragraph: str) -> str:
    """Adds a paragraph to the text. Returns what stands where its tag stood: nothing."""
    context["paragraphs"].append(paragraph)
    return ""


def plain(content: str) -> str:
    """The words of a piece of HTML.

    Values in it are still escaped, so a `<strong>` that somebody typed as their name is none of ours and stays.
    """
    return unescape(STRONG.sub("", content))
