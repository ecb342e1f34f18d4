"""The one table of colours, sizes and type, light beside dark; no Qt, no code that draws."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Final

import msgspec


class Scheme(StrEnum):
    """Which column of the table is in use."""

    LIGHT = "light"
    DARK = "dark"


class Colour(StrEnum):
    """Colours by what they are for, never by how they look."""

    CANVAS = "canvas"
    RAIL = "rail"
    SURFACE = "surface"
    RAISED = "raised"
    QUIET = "quiet"
    CHOSEN = "chosen"
    SELECTION = "selection"
    MARK = "mark"
    OK_GROUND = "ok_ground"
    WARN_GROUND = "warn_ground"
    BAD_GROUND = "bad_ground"
    LINE = "line"
    EDGE = "edge"
    SHADOW = "shadow"
    TEXT = "text"
    SOFT = "soft"
    FAINT = "faint"
    BAR = "bar"
    ACCENT = "accent"
    ACCENT_PRESSED = "accent_pressed"
    ON_ACCENT = "on_accent"
    OK = "ok"
    WARN = "warn"
    BAD = "bad"


class Shade(msgspec.Struct, frozen=True):
    """One colour in both schemes as six hex digits without a mark, and what it is for."""

    light: str
    dark: str
    use: str


COLOURS: Final[dict[Colour, Shade]] = {
    # grounds
    Colour.CANVAS: Shade("F6F7F7", "131817", "ground of the detail and of pages"),
    Colour.RAIL: Shade("EEF1F0", "161B1A", "ground of the rail"),
    Colour.SURFACE: Shade("FFFFFF", "1A201F", "ground of lists, bars, cards"),
    Colour.RAISED: Shade("FFFFFF", "222A28", "ground of buttons, fields, the chosen section, the palette"),
    Colour.QUIET: Shade("EDF0EF", "262F2D", "ground of a tag without a state, of a key hint"),
    Colour.CHOSEN: Shade("E4F1EE", "1D302D", "ground of the chosen row"),
    Colour.SELECTION: Shade("C4E3DD", "1F3B36", "ground of selected text and of the row in a menu"),
    Colour.MARK: Shade("FFEFB8", "40340F", "ground of letters that a search found"),
    Colour.OK_GROUND: Shade("E2F3E8", "15301F", "ground of a tag or badge that says all is well"),
    Colour.WARN_GROUND: Shade("FCEFD6", "35270F", "ground of a tag or badge that asks for care"),
    Colour.BAD_GROUND: Shade("FBE7E5", "3A1E1B", "ground of a tag or badge that says something is wrong"),
    # lines
    Colour.LINE: Shade("E1E5E4", "2A3331", "hairlines that part, never the only sign of a field"),
    Colour.EDGE: Shade("858F8D", "697572", "border of a field"),
    Colour.SHADOW: Shade("16201E", "000000", "the one shadow, below the palette; fades to nothing"),
    Colour.BAR: Shade("559389", "3E8177", "bars and columns of a chart, whose figures stand beside them"),
    # inks
    Colour.TEXT: Shade("16201E", "E8EEEC", "text"),
    Colour.SOFT: Shade("56625F", "A4B0AD", "second line, labels, sections of the rail"),
    Colour.FAINT: Shade("66716F", "8D9996", "hints, times; darker grounds take soft instead"),
    # the one thing to do
    Colour.ACCENT: Shade("0B6B61", "4FC3B0", "main button, edge of the chosen row, focus ring, links"),
    Colour.ACCENT_PRESSED: Shade("08544C", "6FD3C2", "main button while it is held"),
    Colour.ON_ACCENT: Shade("FFFFFF", "08201C", "words on the main button"),
    # states, always beside a word
    Colour.OK: Shade("19693A", "7BD39B", "state: well"),
    Colour.WARN: Shade("8A5200", "F0B45A", "state: take care"),
    Colour.BAD: Shade("B3261E", "F28B82", "state: wrong"),
}


class Pair(msgspec.Struct, frozen=True):
    """An ink, the grounds that it may stand on, and the least contrast there."""

    ink: Colour
    grounds: tuple[Colour, ...]
    least: float


_PLAIN: Final = (Colour.CANVAS, Colour.SURFACE, Colour.RAISED)
_TINTS: Final = (Colour.OK_GROUND, Colour.WARN_GROUND, Colour.BAD_GROUND)
_ROWS: Final = (Colour.RAIL, Colour.CHOSEN, Colour.QUIET)

PAIRS: Final[tuple[Pair, ...]] = (
    Pair(Colour.TEXT, (*_PLAIN, *_ROWS, *_TINTS, Colour.SELECTION, Colour.MARK), 10.0),
    Pair(Colour.SOFT, (*_PLAIN, *_ROWS, *_TINTS, Colour.MARK), 4.5),
    Pair(Colour.FAINT, _PLAIN, 4.5),
    Pair(Colour.ACCENT, (*_PLAIN, *_ROWS), 4.5),
    Pair(Colour.ON_ACCENT, (Colour.ACCENT, Colour.ACCENT_PRESSED), 4.5),
    Pair(Colour.OK, (*_PLAIN, *_ROWS, Colour.OK_GROUND), 5.0),
    Pair(Colour.WARN, (*_PLAIN, *_ROWS, Colour.WARN_GROUND), 5.0),
    Pair(Colour.BAD, (*_PLAIN, *_ROWS, Colour.BAD_GROUND), 5.0),
    Pair(Colour.EDGE, _PLAIN, 3.0),
    Pair(Colour.BAR, (*_PLAIN, Colour.CHOSEN), 3.0),
)


def value(colour: Colour, scheme: Scheme) -> str:
    """The colour as `#rrggbb` in the given scheme."""
    shade = COLOURS[colour]
    return f"#{shade.dark if scheme is Scheme.DARK else shade.light}"


def contrast(one: str, other: str) -> float:
    """Contrast of two `#rrggbb` colours as WCAG 2 counts it, from 1.0 to 21.0."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=256)
def luminance(colour: str) -> float:
    """Relative luminance of a `#rrggbb` colour, from 0.0 (black) to 1.0 (white)."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


# Measure, in device-independent pixels at a text scale of 1.
S4: Final = 4
S8: Final = 8
S12: Final = 12
S16: Final = 16
S24: Final = 24
S32: Final = 32

ROW: Final = 56
FIELD: Final = 32
TOUCH: Final = 32
RADIUS: Final = 6
RADIUS_PALETTE: Final = 12
ICON: Final = 20
HAIRLINE: Final = 1
RING: Final = 2
CHOSEN_EDGE: Final = 3

TOP_BAR: Final = 52
FOOT_LINE: Final = 28
RAIL_WIDTH: Final = 184
RAIL_NARROW: Final = 72
LIST_WIDTH: Final = 380
TEXT_WIDTH: Final = 720
PALETTE_WIDTH: Final = 600
CARD_WIDTH: Final = 286

# Window widths below which the rail shows icons only, and list and detail take turns.
NARROW_BELOW: Final = 1000
TURNS_BELOW: Final = 760

LINE_HEIGHT: Final = 1.45


class Step(IntEnum):
    """Sizes of type in device-independent pixels at a text scale of 1."""

    SMALL = 11
    BODY = 13
    LARGE = 15
    TITLE = 20


REGULAR: Final = 400
SEMIBOLD: Final = 600
