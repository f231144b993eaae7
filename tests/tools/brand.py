"""The two sample brands of docs/customise.md, worn by the running tests."""

from pathlib import Path

from config.brand import mark, palette
from config.brand.given import icon, sheet
from config.edge import brand_files
from kit import plain_page

BRANDS = Path(__file__).parent.parent.parent / "docs" / "brands"
SAMPLES = {"north": ("Northlight", "#4b3fc7"), "salt": ("Saltworks", "#a8431d")}


def wear(settings, name):
    """Gives the site a sample brand, as the settings of a start would. Returns its name and colour."""
    site_name, colour = SAMPLES[name]
    settings.SITE_NAME = site_name
    settings.BRAND_PALETTE = palette.derive(colour)
    settings.BRAND_LOGO = mark.clean((BRANDS / f"{name}.svg").read_bytes())
    settings.BRAND_SHEET = sheet(settings.BRAND_PALETTE)
    settings.BRAND_ICON = icon(settings.BRAND_LOGO, settings.BRAND_PALETTE)
    forget()
    return site_name, colour


def forget():
    """Forgets pages and marks that were made in another brand."""
    brand_files.mark_in_pages.cache_clear()
    plain_page.forget()
