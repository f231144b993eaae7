"""Every page's links lead somewhere, on a forge and on the site that `make docs` builds."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("examples/**/*.md")])
CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)")
HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)


def links(page):
    """Returns the addresses of a page's links and pictures, but those on other hosts."""
    return [link for link in LINK.findall(CODE.sub("", page.read_text())) if not re.match(r"\w+:", link)]


def anchors(page):
    """Returns the anchors of a page's headings, as forges and the site make them, and without those they differ in."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    words = [re.sub(r"[^\w\s-]", "", heading.lower()) for heading in HEADING.findall(text)]
    return {word.replace(" ", "-") for word in words} & {re.sub(r"[-\s]+", "-", word) for word in words}


def nav(entries):
    for entry in entries:
        for value in entry.values():
            yield from nav(value) if isinstance(value, list) else [value]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page

        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


def test_links_are_found():
    assert "docs/security.md" in links(ROOT / "README.md")
    assert "customise.md" in links(DOCS / "index.md")
    assert {"with-rabbitmq", "how-many"} <= anchors(DOCS / "many-machines.md")


def test_the_site_has_every_page_of_the_folder():
    site = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]

    assert sorted(nav(site["nav"])) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_the_front_page_leads_to_every_other():
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}

    assert set(links(DOCS / "index.md")) == pages - {"index.md"}


def test_the_site_loads_nothing_from_other_hosts():
    site = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]

    assert site["theme"]["font"] is False
    assert "extra_javascript" not in site
    assert "url(" not in (DOCS / "look.css").read_text()


def test_what_a_page_links_to_outside_the_folder_comes_along(tmp_path):
    subprocess.run([sys.executable, ROOT / "scripts/pages.py", tmp_path / "pages"], check=True)
    laid_out = tmp_path / "pages"
    security = laid_out / "security.md"

    assert "(repository/SECURITY.md)" in security.read_text()
    for page in laid_out.rglob("*.md"):
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            assert target.exists(), (page, link)
            assert target.is_relative_to(laid_out), (page, link)
