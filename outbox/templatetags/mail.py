"""Template tags for the parts of a mail ({% load mail %}): each is styled in the HTML and plain in the text.

In the HTML a tag is replaced by its markup. In the text a tag adds a paragraph to the `{% paragraphs %}` block around
it and is replaced by nothing. So white space between two tags has no effect in either.
"""

import re
from collections.abc import Sequence
from html import unescape

from django import template
from django.conf import settings
from django.template.base import NodeList, Parser, Token
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

register = template.Library()

STRONG = re.compile("</?strong>")


@register.tag
def paragraphs(parser: Parser, token: Token) -> "Paragraphs":
    """Returns the node of a {% paragraphs %} block, which renders the paragraphs that its tags add.

    Raises TemplateSyntaxError if {% endparagraphs %} is missing.
    """
    content = parser.parse(["endparagraphs"])
    parser.delete_first_token()
    return Paragraphs(content)


class Paragraphs(template.Node):
    """A block of a mail's text that collects the paragraphs of the tags in it."""

    child_nodelists = ("content",)  # where Django looks for blocks

    def __init__(self, content: NodeList) -> None:
        self.content = content

    def render(self, context: template.Context) -> str:
        """Returns the paragraphs that the tags in the block add, with empty lines between.

        Raises TemplateSyntaxError for words outside of tags: they would be lost.
        """
        added: list[str] = []
        with context.push(paragraphs=added):
            lost = self.content.render(context).strip()
        if lost:
            raise template.TemplateSyntaxError("Words of a mail stand outside of its tags.")
        return "\n\n".join(added)


@register.simple_block_tag(takes_context=True)
def p(context: template.Context, content: str) -> str:
    """Returns the HTML of a paragraph. In a mail's text, adds the paragraph to {% paragraphs %} and returns "".

    Line breaks in `content` stay in the text; `<strong>` makes words bold in the HTML only.
    """
    if in_text(context):
        return add(context, plain(content))
    return format_html('<p style="margin:0 0 16px">{}</p>', content)


@register.simple_tag(takes_context=True)
def quote(context: template.Context, note: str) -> str:
    """Returns an HTML box with a person's own words. In a mail's text, adds them in quotation marks and returns "".

    If `note` is empty, returns "" and adds nothing.
    """
    if not note:
        return ""
    if in_text(context):
        return add(context, "  " + _("“%(note)s”") % {"note": note})
    return format_html(
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        '<td class="quote" dir="auto" style="padding:12px 16px;background-color:{};border-radius:8px">{}</td></tr>'
        '<tr><td height="16" style="font-size:0;line-height:0">&nbsp;</td></tr></table>',
        settings.BRAND_PALETTE["bg"].light,
        note,
    )


@register.simple_tag(takes_context=True)
def code(context: template.Context, digits: str) -> str:
    """Returns the HTML of a code to type, in large digits. In a mail's text, adds the code and returns ""."""
    if in_text(context):
        return add(context, f"    {digits}")
    return format_html(
        '<p style="margin:0 0 16px;font:700 28px/36px ui-monospace,Menlo,Consolas,monospace;letter-spacing:.08em"'
        ' dir="ltr">{}</p>',
        digits,
    )


@register.simple_tag(takes_context=True)
def points(context: template.Context, lines: Sequence[str]) -> str:
    """Returns an HTML list of the lines. In a mail's text, adds a list with dashes and returns ""."""
    if in_text(context):
        return add(context, "".join(f"- {line}\n" for line in lines))
    items = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
    return format_html('<ul style="margin:0 0 16px;padding:0 20px">{}</ul>', items)


@register.simple_tag(takes_context=True)
def way(context: template.Context, url: str, words: str, text: str = "", lead: str = "") -> str:
    """Returns a link for the end of a paragraph.

    In the HTML it is `lead`, if any, and then an anchor around `words`; in the text it is `text` and the URL on the
    next line.
    """
    if in_text(context):
        return f"{text}\n{url}"
    anchor = format_html(
        '<a href="{}" class="lk" style="color:{}">{}</a>', url, settings.BRAND_PALETTE["brand"].light, words
    )
    return format_html("{} {}", lead, anchor) if lead else anchor


def in_text(context: template.Context) -> bool:
    """Returns whether the text of a mail is rendered just now, and not its HTML."""
    return "paragraphs" in context


def add(context: template.Context, paragraph: str) -> str:
    """Adds a paragraph to the {% paragraphs %} block that is rendered. Returns "", which replaces the tag itself.

    Raises KeyError outside of such a block.
    """
    context["paragraphs"].append(paragraph)
    return ""


def plain(content: str) -> str:
    """Returns the plain text of a piece of HTML that has no tags but our `<strong>`.

    The values in it are still escaped, so a `<strong>` that somebody typed as part of their name stays.
    """
    return unescape(STRONG.sub("", content))
