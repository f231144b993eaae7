"""Lays out the pages from which `make docs` builds the site: pages.py FOLDER.

The files of docs/ go into FOLDER as they are. A site cannot follow a link that leads out of its folder, such as
../SECURITY.md: each file of the repository to which a page links goes into FOLDER/repository, and the link leads there.
"""

import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
# Code, in which nothing is a link, or the address of a link or a picture, without title or spaces.
LINK = re.compile(
    r"(?P<code>^ *```.*?^ *```|`[^`\n]+`)|(?P<before>\]\()(?P<address>[^)\s]+)(?=\))", re.DOTALL | re.MULTILINE
)


def main() -> None:
    """Fills the folder, which is made afresh. Raises SystemExit if a link leads nowhere."""
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder)
    shutil.copy(ROOT / "static" / "mark.svg", folder)
    todo = sorted(DOCS.rglob("*.md"))
    for page in todo:  # which grows meanwhile
        text, linked = rewritten(page)
        put(folder / place(page), text)
        for file in linked:
            if file.suffix == ".md":
                todo += [file] if file not in todo else []
            else:
                put(folder / place(file), file.read_bytes())


def rewritten(page: Path) -> tuple[str, list[Path]]:
    """Returns a page's text with links as the site needs them, and the files outside docs/ to which they lead."""
    linked = []

    def follow(link: re.Match[str]) -> str:
        address = link["address"]
        if address is None or re.match(r"#|/|\w+:", address):
            return link[0]
        path, mark, anchor = address.partition("#")
        file = (page.parent / path).resolve()
        if not file.is_file() or not file.is_relative_to(ROOT):
            sys.exit(f"{page.relative_to(ROOT)} links to {address}, and there is no such file.")
        if not file.is_relative_to(DOCS):
            linked.append(file)
        return link["before"] + os.path.relpath(place(file), place(page).parent) + mark + anchor

    return LINK.sub(follow, page.read_text(encoding="utf-8")), linked


def place(file: Path) -> Path:
    """Returns where a file of the repository stands in the folder."""
    return file.relative_to(DOCS) if file.is_relative_to(DOCS) else "repository" / file.relative_to(ROOT)


def put(path: Path, content: str | bytes) -> None:
    """Writes a file, and makes the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


if __name__ == "__main__":
    main()
