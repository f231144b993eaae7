"""Reads the elements of an XML part one after the other, without keeping the whole part as a tree."""

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

__all__ = ["Element", "ParseError", "attribute", "elements", "text"]

PIECE = 64 * 1024  # bytes that are parsed at once
MOST = 100_000  # elements that are kept at once; a row of Excel has at most 16,384 cells


def elements(part: bytes, name: str, within: str) -> Iterator[Element]:
    """Yields the elements with this local name, whole, up to the end of the element `within` in which they lie.

    An element may be empty once the next is asked for. Raises ParseError if the part is malformed, and ValueError if it
    has a document type, as entities make little text large, or more than MOST other elements between these.
    """
    if b"<!DOCTYPE" in part:
        raise ValueError
    parser: XMLPullParser = XMLPullParser(events=("start", "end"))
    parent: Element | None = None
    prefix, others = None, 0
    for place in range(0, len(part), PIECE):
        parser.feed(part[place : place + PIECE])
        events: Iterator[Any] = parser.read_events()
        for event, element in events:
            if prefix is None:  # the namespace of the first element is that of all
                prefix = namespace(element)
            if event == "start":
                parent = element if element.tag == prefix + within else parent
                others += 1
            elif parent is not None and element.tag == prefix + name:
                others = 0
                yield element
            elif element is parent:
                return
            if others > MOST:
                raise ValueError
        if parent is not None:
            parent.clear()
    parser.close()


def namespace(element: Element) -> str:
    """Returns the namespace in which an element is, as it stands before its local name: "{…}", or ""."""
    return element.tag[: element.tag.rfind("}") + 1]


def attribute(element: Element, name: str, default: str = "") -> str:
    """Returns an attribute by its local name, whatever its namespace."""
    return next((value for said, value in element.items() if said.rpartition("}")[2] == name), default)


def text(element: Element) -> str:
    """Returns the text of the elements "t" in a string, without those that sound out Japanese ones ("rPh")."""
    prefix = namespace(element)
    runs = [element, *element.findall(f"{prefix}r")]
    return "".join(part.text or "" for run in runs for part in run.findall(f"{prefix}t"))
