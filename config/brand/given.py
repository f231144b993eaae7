"""The settings of a brand, from the environment. A wrong value ends the start with one line that says what helps."""

import hashlib
import math
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from config.brand import mark, palette
from config.environment.variables import env, refuse, web_address

OURS = Path(__file__).resolve().parent.parent.parent / "static" / "mark.svg"
SVG, PNG, ICO = "image/svg+xml", "image/png", "image/x-icon"
BEGINNINGS = {b"\x89PNG\r\n\x1a\n": PNG, b"\x00\x00\x01\x00": ICO}
MOST_ICON_BYTES = 64 * 1024
MOST_LINKS = 8


class File(NamedTuple):
    """A file that is made at start: its content, and its media type."""

    content: bytes
    media_type: str

    @property
    def name(self) -> str:
        """A name that changes with the content, so that browsers may keep the file for ever."""
        return hashlib.sha256(self.content).hexdigest()[:12]


def colours() -> palette.Palette:
    """Returns the palette of BRAND_COLOR and BRAND_COLOR_DARK, or ours without them.

    Raises SystemExit for what is no colour, for one in which text could not be read, and for a dark one alone.
    """
    light, dark = (env.str(name, default="").strip() for name in ("BRAND_COLOR", "BRAND_COLOR_DARK"))
    if not light:
        return refuse("BRAND_COLOR_DARK needs BRAND_COLOR beside it.") if dark else palette.PLAIN
    try:
        return palette.derive(light, dark)
    except palette.TooFaintError as faint:
        name = "BRAND_COLOR" if faint.theme == "light" else "BRAND_COLOR_DARK"
        ratio = math.floor(faint.contrast * 10) / 10  # never rounded up to what is needed
        refuse(
            f"{name} {faint.colour} has a contrast of {ratio} on {faint.ground}; {palette.LEAST_CONTRAST} is needed. "
            f"The nearest that passes is {faint.nearest}."
        )
    except ValueError as error:
        name = "BRAND_COLOR" if str(error) == light else "BRAND_COLOR_DARK"
        refuse(f"{name} must be a colour like #4b3fc7, not {str(error)!r}.")


def logo() -> Element | None:
    """Returns the cleaned SVG of BRAND_LOGO, or None without one. Raises SystemExit if it can't be the mark."""
    path: str = env.str("BRAND_LOGO", default="")
    return _mark("BRAND_LOGO", path, _read("BRAND_LOGO", path, mark.MOST_BYTES)) if path else None


def icon(logo: Element | None, colours: palette.Palette) -> File | None:
    """Returns the icon for the browser's tab: BRAND_FAVICON, or `logo`, or our mark, in `colours`; None if it is ours.

    Raises SystemExit if BRAND_FAVICON is no SVG, PNG or ICO.
    """
    path: str = env.str("BRAND_FAVICON", default="")
    if path:
        content = _read("BRAND_FAVICON", path, MOST_ICON_BYTES)
        for beginning, media_type in BEGINNINGS.items():
            if content.startswith(beginning):
                return File(content, media_type)
        logo = _mark("BRAND_FAVICON", path, content)
    brand, plain = colours["brand"], palette.PLAIN
    if logo is not None:
        return File(mark.icon(logo, brand.light, brand.dark).encode(), SVG)
    if colours is plain:
        return None
    drawn = OURS.read_text(encoding="utf-8")
    changes = ((plain["brand"], brand), (plain["panel"], colours["panel"]))
    for before, after in changes:
        drawn = drawn.replace(before.light, after.light).replace(before.dark, after.dark)
    return File(drawn.encode(), SVG)


def sheet(colours: palette.Palette) -> File | None:
    """Returns the style sheet with `colours`; None for ours, which static/frontdoor.css has already."""
    return None if colours is palette.PLAIN else File(palette.sheet(colours).encode(), "text/css")


def mail_logo() -> str:
    """Returns BRAND_MAIL_LOGO, the https address of a picture, or "". Raises SystemExit for any other address."""
    return web_address("BRAND_MAIL_LOGO", "https://example.com/logo.png")


def footer_links() -> list[tuple[str, str]]:
    """Returns FOOTER_LINKS, as pairs of words and address: Status=https://status.example,Imprint=/imprint.

    Raises SystemExit for a link without words or with another kind of address, and for more than MOST_LINKS.
    """
    example = "FOOTER_LINKS must look like Status=https://status.example.com,Imprint=/imprint (%2C for a comma in one)"
    links = []
    for link in filter(None, (part.strip() for part in env.str("FOOTER_LINKS", default="").split(","))):
        words, _, address = (part.strip() for part in link.partition("="))
        url = urlsplit(address)
        if (
            not words
            or not (
                url.scheme in {"http", "https", "mailto"} or (address.startswith("/") and not address.startswith("//"))
            )
            or " " in address
        ):
            refuse(f"{example}, not {link!r}.")
        links.append((words, address))
    return links if len(links) <= MOST_LINKS else refuse(f"FOOTER_LINKS may have {MOST_LINKS} links at most.")


def _read(name: str, path: str, most: int) -> bytes:
    """Returns a file's content, or just more than `most` bytes of it. Raises SystemExit if it can't be read."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(most + 1)
    except (OSError, ValueError) as error:
        refuse(f"{name} can't be read: {getattr(error, 'strerror', error)}: {path}")
    return content if len(content) <= most else refuse(f"{name} is too large; {most:,} bytes is the most: {path}")


def _mark(name: str, path: str, content: bytes) -> Element:
    try:
        return mark.clean(content)
    except mark.UnfitError as error:
        return refuse(f"{name} {error}: {path}")
