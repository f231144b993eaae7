"""Cells of a sheet that a mailto link lies under: "write me", and the address in the link only."""

import re
from posixpath import basename, dirname

from invites.batch.xml_elements import elements

# Read by a pattern: to reach these elements at the end of a sheet, a parser would have to read all of it once more.
HYPERLINK = re.compile(rb"<(?:\w+:)?hyperlink\s([^<>]*+)>")
CELL = re.compile(rb"""\bref\s*=\s*["']([A-Z]{1,3}\d{1,7})\b""")
LINK = re.compile(rb"""\bid\s*=\s*["']([^"'<>]{1,100})["']""")
LONGEST = 1000  # characters of a link


def of_sheet(parts: dict[str, bytes], part: str) -> dict[str, str]:
    """Returns the mailto URLs under the cells of the sheet in this part, by names of cells like "A1".

    Of several cells under one link the first counts. Raises ParseError, ValueError or LookupError if the part of the
    links is damaged.
    """
    links = parts.get(f"{dirname(part)}/_rels/{basename(part)}.rels")
    if not links:
        return {}
    targets = {
        found.get("Id", ""): found.get("Target", "") for found in elements(links, "Relationship", "Relationships")
    }
    found = dict[str, str]()
    for attributes in HYPERLINK.findall(parts[part]):
        cell, link = CELL.search(attributes), LINK.search(attributes)
        target = targets.get(link[1].decode(errors="replace"), "") if link else ""
        if cell and target[:7].lower() == "mailto:" and len(target) <= LONGEST:
            found[cell[1].decode()] = target
    return found
