"""The mark of a brand: an SVG of the operator, checked and cleaned until it may stand in every page."""

import re
from collections.abc import Iterator
from html import escape
from xml.etree.ElementTree import Element, ParseError, XMLParser

MOST_BYTES = 8 * 1024
HEIGHT = 28  # px in the bar of a page
DEEPEST = 32  # elements one in the other
NARROWEST, WIDEST = 0.5, 4.0  # width by height: the name of the site stands beside it

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*>", re.IGNORECASE)  # without definitions of its own, as many programs write it
REFERENCE = re.compile(r"#([^\s\"')]+)")
LOCAL = re.compile(r"""url\(\s*(["']?)#[\w.:-]+\1\s*\)""")
CALL = re.compile(r"([\w\\-]*)\(")
CALLS = frozenset("rgb rgba hsl hsla oklch translate rotate scale matrix skewx skewy".split())

SHAPES = frozenset("g path rect circle ellipse line polyline polygon".split())
PAINTS = frozenset("defs linearGradient radialGradient stop clipPath mask".split())
SILENT = frozenset("title desc metadata".split())  # say nothing that the name beside the mark does not say
NUMBERS = frozenset("d points x y x1 y1 x2 y2 cx cy r rx ry fx fy width height transform offset".split())
LOOKS = frozenset(
    "fill fill-opacity fill-rule clip-path clip-rule mask opacity color stroke stroke-width stroke-opacity "
    "stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset paint-order vector-effect "
    "stop-color stop-opacity gradientUnits gradientTransform spreadMethod clipPathUnits maskUnits maskContentUnits "
    "preserveAspectRatio".split()
)


class UnfitError(ValueError):
    """The file can't be the mark. Its text says why and what helps, to follow the name of the file."""


def clean(content: bytes) -> Element:
    """Returns the SVG in `content` with shapes and paints alone: nothing that runs, styles the page or loads anything.

    It has a viewBox, and no width and height. Titles, comments and what drawing programs store for themselves are left
    out; ids are renamed, so that none is that of a page's own. Raises UnfitError for what is too large, is no SVG, has
    a script, a style, text, a picture or a foreign address, or is far from square.
    """
    if len(content) > MOST_BYTES:
        raise UnfitError(f"has {len(content):,} bytes; {MOST_BYTES:,} is the most. Simplify its paths")
    root = _parse(content)
    if root.tag != f"{SVG}svg":
        raise UnfitError("is no SVG: its first element must be <svg xmlns=…>")
    box = _view_box(root)
    mark = Element("svg", _attributes(root, but={"width", "height", "x", "y"}) | {"viewBox": " ".join(box)})
    mark.extend(_children(root))
    if not any(shape.tag in SHAPES - {"g"} for shape in mark.iter()):
        raise UnfitError("draws nothing: it has no shapes")
    return mark


def ratio(mark: Element) -> float:
    """Returns the width of a clean mark by its height."""
    _, _, width, height = mark.attrib["viewBox"].split()
    return float(width) / float(height)


def inline(mark: Element) -> str:
    """Returns a clean mark as HTML for pages, HEIGHT px high, hidden from screen readers: the name stands beside it."""
    width = round(HEIGHT * ratio(mark))
    return _write(mark, f' width="{width}" height="{HEIGHT}" aria-hidden="true"')


def icon(mark: Element, light: str, dark: str) -> str:
    """Returns a clean mark as a file for the browser's tab, whose `currentColor` is `light`, or `dark` in the dark."""
    style = f"<style>svg {{ color: {light} }} @media (prefers-color-scheme: dark) {{ svg {{ color: {dark} }} }}</style>"
    return _write(mark, ' xmlns="http://www.w3.org/2000/svg"', style)


def _parse(content: bytes) -> Element:
    try:
        text = DOCTYPE.sub("", content.decode("utf-8-sig"), count=1)
    except UnicodeDecodeError:
        raise UnfitError("is not in UTF-8: save it as a plain SVG") from None
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise UnfitError("defines entities: save it as a plain SVG")
    parser: XMLParser = XMLParser()  # noqa: S314 - small, of the operator, and without entities
    try:
        parser.feed(re.sub(r"^\s*<\?xml[^>]*\?>", "", text, count=1))
        root: Element = parser.close()
    except ParseError as error:
        raise UnfitError(f"is no SVG: {error}") from None
    return root


def _view_box(root: Element) -> list[str]:
    """Returns the four numbers of the viewBox, or those that width and height make. Raises UnfitError without both."""
    typed = root.get("viewBox") or f"0 0 {root.get('width', '')} {root.get('height', '')}"
    box = [part.removesuffix("px") for part in typed.replace(",", " ").split()]
    try:
        _, _, width, height = (float(part) for part in box)
        shape = width / height if width > 0 else 0
    except (ValueError, ZeroDivisionError):
        raise UnfitError("does not say how large it is: give it a viewBox") from None
    if not NARROWEST <= shape <= WIDEST:
        raise UnfitError("is too wide or too high: it stands beside the name of the site, and is square at best")
    return box


def _children(parent: Element, depth: int = 1) -> Iterator[Element]:
    if depth > DEEPEST:
        raise UnfitError(f"has more than {DEEPEST} elements one in the other. Ungroup its shapes")
    for child in parent:
        if not str(child.tag).startswith(SVG):  # a comment, or of a drawing program
            continue
        name = child.tag.removeprefix(SVG)
        if name in SILENT:
            continue
        if name not in SHAPES | PAINTS:
            raise UnfitError(f"has <{name}>; a mark has shapes and gradients alone. {_remedy(name)}")
        kept = Element(name, _attributes(child))
        kept.extend(_children(child, depth + 1))
        yield kept


def _remedy(name: str) -> str:
    remedies = {
        "style": "Export it as an optimised SVG whose styles are turned into attributes",
        "text": "Turn the text into paths",
        "image": "Draw it as paths",
        "use": "Write each shape out",
    }
    return remedies.get(name, f"Take out <{name}>")


def _attributes(element: Element, but: frozenset[str] | set[str] = frozenset()) -> dict[str, str]:
    kept = {}
    for written, value in element.attrib.items():
        name = written.replace(XLINK, "xlink:")
        if name == "style":
            raise UnfitError("has a style=; export it as an optimised SVG whose styles are turned into attributes")
        if name.lower().startswith("on"):
            raise UnfitError(f"has {name}=, which runs a script. Take it out")
        foreign = name in {"href", "xlink:href"} and not value.startswith("#")
        if foreign or not {call.lower() for call in CALL.findall(LOCAL.sub("", value))} <= CALLS:
            raise UnfitError(f"has {name}={value[:60]!r}; a mark has no foreign addresses. Take it out")
        if name == "id":
            kept["id"] = _own(value)
        elif name in {"href", "xlink:href"}:
            kept["href"] = f"#{_own(value[1:])}"
        elif name in NUMBERS | LOOKS and name not in but:
            kept[name] = REFERENCE.sub(lambda found: f"#{_own(found[1])}", value) if "url(" in value else value
    return kept


def _own(name: str) -> str:
    return "mark-" + re.sub(r"[^\w.-]", "-", name, flags=re.ASCII)


def _write(element: Element, more: str = "", first: str = "") -> str:
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in element.attrib.items())
    inside = first + "".join(map(_write, element))
    return f"<{element.tag}{attributes}{more}" + (f">{inside}</{element.tag}>" if inside else "/>")
