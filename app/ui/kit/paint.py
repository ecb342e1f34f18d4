"""What all painted parts share: text on fixed baselines, the focus ring, tones."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPen,
    QTextLayout,
)

from app.ui.kit.marks import Mark
from app.ui.theme.palette import ink
from app.ui.theme.tokens import HAIRLINE, RADIUS, RING, Colour

if TYPE_CHECKING:
    from PySide6.QtGui import QTextCharFormat

# Height of a capital letter as a part of the type size. Taken as fixed, because asking each font would set
# Latin and Chinese at different heights.
_CAPITAL: Final = 0.72

# A line that is already cut by width must not be broken once more.
_UNBOUND: Final = 1_000_000.0


class Tone(StrEnum):
    """How a word is meant; always beside the word, never in its place."""

    PLAIN = "plain"
    ACCENT = "accent"
    OK = "ok"
    WARN = "warn"
    BAD = "bad"


INKS: Final[dict[Tone, Colour]] = {
    Tone.PLAIN: Colour.SOFT,
    Tone.ACCENT: Colour.ACCENT,
    Tone.OK: Colour.OK,
    Tone.WARN: Colour.WARN,
    Tone.BAD: Colour.BAD,
}
GROUNDS: Final[dict[Tone, Colour]] = {
    Tone.PLAIN: Colour.QUIET,
    Tone.ACCENT: Colour.CHOSEN,
    Tone.OK: Colour.OK_GROUND,
    Tone.WARN: Colour.WARN_GROUND,
    Tone.BAD: Colour.BAD_GROUND,
}


def baseline(top: float, height: float, font: QFont) -> float:
    """Where one line of any script stands in a box, so that capitals are in its middle."""
    return top + (height + _CAPITAL * font.pixelSize()) / 2


def width(text: str, font: QFont) -> float:
    """How wide a text is on one line, in device-independent pixels."""
    return QFontMetricsF(font).horizontalAdvance(text)


def elided(text: str, font: QFont, room: float) -> str:
    """The text, cut by its width with an ellipsis if `room` is too small; line breaks become blanks."""
    line = " ".join(text.split())
    return QFontMetricsF(font).elidedText(line, Qt.TextElideMode.ElideRight, max(0.0, room))


def draw(
    painter: QPainter, place: QPointF, text: str, font: QFont, colour: QColor, marks: tuple[Mark, ...] = ()
) -> None:
    """Draw one line with its baseline at `place`; `marks` get the ground of found letters."""
    painter.setFont(font)
    painter.setPen(colour)
    if marks:
        laid = line(text, font, marks)
        laid.draw(painter, QPointF(place.x(), place.y() - laid.lineAt(0).ascent()))
    else:
        painter.drawText(place, text)


def draw_right(painter: QPainter, place: QPointF, text: str, font: QFont, colour: QColor) -> None:
    """Draw one line that ends at `place`."""
    draw(painter, QPointF(place.x() - width(text, font), place.y()), text, font, colour)


def pill(painter: QPainter, rect: QRectF, ground: Colour, radius: float, line: Colour | None = None) -> None:
    """Fill a rounded rectangle, with a hairline of `line` inside its border when given."""
    painter.setPen(QPen(ink(line), HAIRLINE) if line else Qt.PenStyle.NoPen)
    painter.setBrush(ink(ground))
    inset = HAIRLINE / 2 if line else 0.0
    painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), radius, radius)


def ring(painter: QPainter, rect: QRectF, radius: float = RADIUS) -> None:
    """Draw the focus ring inside the border of a rectangle."""
    half = RING / 2
    painter.setPen(QPen(ink(Colour.ACCENT), RING))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(half, half, -half, -half), radius, radius)


def line(text: str, font: QFont, marks: tuple[Mark, ...] = ()) -> QTextLayout:
    """One line laid out, to be drawn as often as one likes; `marks` get the ground of found letters."""
    layout = QTextLayout(text, font)
    if marks:
        layout.setFormats(_formats(text, marks))
    layout.setCacheEnabled(True)
    layout.beginLayout()
    layout.createLine().setLineWidth(_UNBOUND)
    layout.endLayout()
    return layout


def _formats(text: str, marks: tuple[Mark, ...]) -> list[QTextLayout.FormatRange]:
    from PySide6.QtGui import QTextCharFormat  # the first list has no marks

    found = QTextCharFormat()
    found.setBackground(ink(Colour.MARK))
    found.setForeground(ink(Colour.TEXT))
    return [stretch(text, start, end, found) for start, end in marks]


def stretch(text: str, start: int, end: int, look: QTextCharFormat) -> QTextLayout.FormatRange:
    """How the characters from `start` to before `end` look in a layout of this text."""
    part = QTextLayout.FormatRange()
    part.start = _units(text[:start])
    part.length = _units(text[start:end])
    part.format = look
    return part


def _units(text: str) -> int:
    # Qt counts UTF-16 units; rare Chinese characters in names take two.
    return len(text.encode("utf-16-le")) // 2
