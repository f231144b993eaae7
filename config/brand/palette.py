"""The colours of pages and mails, derived from the one colour of a brand."""

from dataclasses import dataclass, replace
from typing import Literal

from kit.colours import Colour, contrast

LEAST_CONTRAST = 4.5  # of text (WCAG 2.2, success criterion 1.4.3, level AA)
ROUNDING = 0.05  # of contrast: what writing a colour and its grounds as #rrggbb may cost
STEP = 0.002  # of lightness: too small to be seen
WHITE = "#ffffff"

# In the dark theme, by lightness and chroma: the brand, the brand under the pointer, and text on it.
DARK_BRAND, MOST_CHROMA, DARK_HOVER, DARK_TEXT = 0.80, 0.13, 0.07, (0.20, 0.03)
LIGHT_HOVER = -0.08

type Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Tone:
    """One colour of the palette, #rrggbb, in the light theme and in the dark one."""

    light: str
    dark: str


type Palette = dict[str, Tone]

# Without a brand, as static/frontdoor.css has them. Errors, warnings and the ring of the focus are the same in each.
PLAIN: Palette = {
    "bg": Tone("#e8ede9", "#090f0d"),
    "panel": Tone("#ffffff", "#131b18"),
    "ink": Tone("#14201b", "#e6ede9"),
    "muted": Tone("#506059", "#a4b2ab"),
    "line": Tone("#d2dbd6", "#2a3630"),
    "edge": Tone("#73827b", "#76867e"),
    "step": Tone("#c3cec8", "#25322c"),
    "brand": Tone("#0b6b4f", "#5fd3a9"),
    "brand_2": Tone("#08523c", "#86e2c1"),
    "on_brand": Tone(WHITE, "#04201a"),
    "ok_bg": Tone("#e2f3ea", "#10291f"),
}


@dataclass
class TooFaintError(ValueError):
    """Text in `colour` could not be read in `theme`, least of all on `ground`; in `nearest` it could."""

    colour: str
    theme: Theme
    ground: str
    contrast: float
    nearest: str


def derive(light: str, dark: str = "") -> Palette:
    """Returns the palette of a brand with the colour `light`, and `dark` in the dark theme, or one derived from it.

    Greys and grounds keep the lightness and the chroma of PLAIN and take the hue of the brand. Raises ValueError for
    what is not written #rrggbb or #rgb. TooFaintError, one of these, is for a colour with a contrast below
    LEAST_CONTRAST to what text in it stands on: panels, the page and tags.
    """
    brand = Colour.read(light)
    night = Colour.read(dark) if dark else replace(brand, lightness=DARK_BRAND, chroma=min(brand.chroma, MOST_CHROMA))
    lightness, chroma = DARK_TEXT
    text = replace(brand, lightness=lightness, chroma=chroma).turned_to(brand)
    palette = {name: Tone(_turned(tone.light, brand), _turned(tone.dark, brand)) for name, tone in PLAIN.items()}
    palette["on_brand"] = Tone(WHITE, text.write())
    _require(brand, palette, "light")
    _require(night, palette, "dark")
    palette["brand"] = Tone(brand.write(), night.write())
    palette["brand_2"] = Tone(_hover(brand, LIGHT_HOVER), night.lighter(DARK_HOVER).write())
    return palette


def sheet(palette: Palette) -> str:
    """Returns the style sheet that gives `palette` to the pages. It comes after the others, whose colours it names."""
    plain = "; ".join(f"--{name.replace('_', '-')}: {tone.light}" for name, tone in palette.items())
    both = "; ".join(
        f"--{name.replace('_', '-')}: light-dark({tone.light}, {tone.dark})" for name, tone in palette.items()
    )
    return f":root {{ {plain} }}\n@supports (color: light-dark(#000, #fff)) {{ :root {{ {both} }} }}\n"


def _turned(colour: str, brand: Colour) -> str:
    return Colour.read(colour).turned_to(brand).write()


def _hover(brand: Colour, step: float) -> str:
    """Returns the brand under the pointer, which must differ from it: lighter if it is nearly black already."""
    return brand.lighter(step if brand.lightness > 2 * abs(step) else -step).write()


def _require(colour: Colour, palette: Palette, theme: Theme) -> None:
    """Raises TooFaintError if `colour` can't be read in `theme`."""
    least, ground = _faintest(colour, palette, theme)
    if least >= LEAST_CONTRAST:
        return
    faint, fine = colour.lightness, 0.0 if theme == "light" else 1.0  # black or white can be read in any palette
    while abs(faint - fine) > STEP:
        middle = (faint + fine) / 2
        readable = _faintest(replace(colour, lightness=middle), palette, theme)[0] >= LEAST_CONTRAST + ROUNDING
        faint, fine = (faint, middle) if readable else (middle, fine)
    raise TooFaintError(colour.write(), theme, ground, least, replace(colour, lightness=fine).write())


def _faintest(colour: Colour, palette: Palette, theme: Theme) -> tuple[float, str]:
    """Returns the least contrast of `colour` to a ground, and the name of that ground."""
    grounds = {"the page": "bg", "a tag": "ok_bg", "white" if theme == "light" else "a panel": "panel"}
    return min((contrast(colour.write(), getattr(palette[key], theme)), name) for name, key in grounds.items())
