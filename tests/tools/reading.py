"""Reading a page as a person does."""

import html
import re


def words(page, between: str = "") -> str:
    """Returns the visible words of a response, in one line. In the place of each tag stands `between`."""
    body = re.sub(r"<(style|svg|title)\b.*?</\1>", " ", page.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", between, body)).split())
