"""Colours: how far two differ in lightness, and the same colour lighter, duller or in another hue.

Lightness, chroma and hue are those of OKLCH (Björn Ottosson, 2020), in which equal steps look equal.
"""

import math
import re
from dataclasses import dataclass, replace
from typing import Self

type Triple = tuple[float, float, float]

# Linear sRGB to cone responses and these to OKLab, as published by Ottosson; and the way back.
TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
FROM_LAB = (
    (1.0, 0.3963377774, 0.2158037573),
    (1.0, -0.1055613458, -0.0638541728),
    (1.0, -0.0894841775, -1.2914855480),
)
FROM_CONES = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)
LUMINANCE = (0.2126, 0.7152, 0.0722)  # of red, green and blue (WCAG 2.2, relative luminance)
SLACK = 0.0005  # how far a channel may lie outside 0 to 1 before a colour counts as one that no screen shows


@dataclass(frozen=True)
class Colour:
    """A colour by its lightness from 0 to 1, its chroma from 0 (grey) to about 0.32, and its hue in radians."""

    lightness: float
    chroma: float
    hue: float

    @classmethod
    def read(cls, written: str) -> Self:
        """Returns the colour that is written as #rrggbb or #rgb. Raises ValueError for anything else."""
        if not re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", written, re.IGNORECASE | re.ASCII):
            raise ValueError(written)
        digits = written[1:] if len(written) > len("#rgb") else "".join(digit * 2 for digit in written[1:])
        red, green, blue = (_linear(int(digits[at : at + 2], 16) / 255) for at in (0, 2, 4))
        long, medium, short = (math.cbrt(cone) for cone in _times(TO_CONES, (red, green, blue)))
        lightness, a, b = _times(TO_LAB, (long, medium, short))
        return cls(lightness, math.hypot(a, b), math.atan2(b, a))

    def write(self) -> str:
        """Returns it as #rrggbb. What no screen shows loses as much chroma as it must."""
        shown = self if self.fits() else self._dulled()
        return "#" + "".join(f"{round(255 * _gamma(min(1, max(0, part)))):02x}" for part in shown.channels())

    def turned_to(self, other: Self, most: float = 1.0) -> Self:
        """Returns it in the hue of `other`, with chroma `most` at most: grey if `other` is grey."""
        grey = 0.02  # below this chroma a hue is an accident of rounding
        share = min(1.0, other.chroma / grey)
        return replace(self, hue=other.hue, chroma=min(self.chroma * share, most))

    def lighter(self, by: float) -> Self:
        """Returns it lighter by `by`, or darker if that is negative, within black and white."""
        return replace(self, lightness=min(1.0, max(0.0, self.lightness + by)))

    def channels(self) -> Triple:
        """Returns its linear red, green and blue, from 0 to 1 if a screen can show it."""
        lab = (self.lightness, self.chroma * math.cos(self.hue), self.chroma * math.sin(self.hue))
        long, medium, short = (cone**3 for cone in _times(FROM_LAB, lab))
        return _times(FROM_CONES, (long, medium, short))

    def fits(self) -> bool:
        """Returns whether a screen can show it."""
        return all(-SLACK <= part <= 1 + SLACK for part in self.channels())

    def _dulled(self) -> Self:
        least, most = 0.0, self.chroma
        for _ in range(24):  # halves the error each time: enough for any number of digits that is written
            middle = (least + most) / 2
            least, most = (middle, most) if replace(self, chroma=middle).fits() else (least, middle)
        return replace(self, chroma=least)


def contrast(one: str, other: str) -> float:
    """Returns the contrast ratio of two colours, written #rrggbb, from 1 to 21 (WCAG 2.2, success criterion 1.4.3)."""
    lower, higher = sorted((_luminance(one), _luminance(other)))
    return (higher + 0.05) / (lower + 0.05)


def _luminance(written: str) -> float:
    parts = (_linear(int(written[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return sum(weight * part for weight, part in zip(LUMINANCE, parts, strict=True))


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # IEC 61966-2-1


def _gamma(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _times(matrix: tuple[Triple, Triple, Triple], vector: Triple) -> Triple:
    one, two, three = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return one, two, three
