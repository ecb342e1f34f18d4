"""Paints two-line rows on fixed baselines; what was laid out once is painted again from that."""

from __future__ import annotations

from typing import Final

import msgspec
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPainter, QPen, QTextLayout

from app.ui.kit import paint
from app.ui.kit.rows import Row
from app.ui.theme import fonts, icons
from app.ui.theme.palette import ink
from app.ui.theme.tokens import CHOSEN_EDGE, HAIRLINE, S4, S8, S12, S16, Colour, Step

# Baselines from the top of a row, the same for every script.
_TITLE_BASE: Final = 24
_SECOND_BASE: Final = 44

_BOX: Final = 16
BOX_EDGE: Final = S16 + _BOX + S8  # a click up to here is on the row's box
_KEPT: Final = 256  # rows laid out; some screens full

Laid = tuple[QTextLayout, QPointF, QColor]  # a line, its place from the top left of the row, its ink


class RowLook(msgspec.Struct, frozen=True, eq=False):
    """What all rows of a picture are painted with."""

    told_by: tuple[object, ...]  # what it was made from: another picture with the same looks the same
    width: float
    height: int
    upper: int
    lower: int
    strong: QFont
    plain: QFont
    figures: QFont
    small: QFont
    small_strong: QFont
    inks: dict[Colour, QColor]


def _look(told_by: tuple[object, ...], width: int, height: int) -> RowLook:
    return RowLook(
        told_by=told_by,
        width=width,
        height=height,
        upper=fonts.px(_TITLE_BASE),
        lower=fonts.px(_SECOND_BASE),
        strong=fonts.font(Step.BODY, semibold=True),
        plain=fonts.font(Step.BODY),
        figures=fonts.font(Step.BODY, figures=True),
        small=fonts.font(Step.SMALL, figures=True),
        small_strong=fonts.font(Step.SMALL, semibold=True),
        inks={name: ink(name) for name in Colour},
    )


class RowPainter:
    """Paints rows of one list. `begin` once for each picture, then `paint` for each row of it.

    While `boxes` is set, each row begins with a box that is ticked or not.
    """

    def __init__(self) -> None:
        self.boxes = False
        self._look: RowLook | None = None
        self._laid: dict[tuple[Row, bool], list[Laid]] = {}

    def begin(self, width: int, height: int) -> RowLook:
        """What rows of this size look like now; with another type, scheme or width they are laid out anew."""
        told_by = (width, QGuiApplication.font().key(), QGuiApplication.palette().cacheKey(), self.boxes)
        if self._look is None or self._look.told_by != told_by:
            self._look = _look(told_by, width, height)
            self._laid.clear()
        return self._look

    def paint(
        self, painter: QPainter, look: RowLook, top: int, row: Row | None, *, chosen: bool, focused: bool
    ) -> None:
        """Paint one row, with an accent edge when it is the chosen one; two quiet bars while it is fetched."""
        width, height, inks = look.width, look.height, look.inks
        if chosen:
            painter.fillRect(QRectF(0, top, width, height), inks[Colour.CHOSEN])
        painter.fillRect(QRectF(0, top + height - HAIRLINE, width, HAIRLINE), inks[Colour.LINE])
        if chosen:
            painter.fillRect(QRectF(0, top, CHOSEN_EDGE, height), inks[Colour.ACCENT])
        if self.boxes:
            _paint_box(painter, QRectF(S16, top, _BOX, height), ticked=row is not None and row.picked)
        left = S16 + (_BOX + S12 if self.boxes else 0)
        if row is None:
            _paint_bars(painter, look, left, top)
        else:
            for line, place, colour in self._lines(look, row, left, chosen):
                painter.setPen(colour)
                line.draw(painter, QPointF(place.x(), place.y() + top))
        if focused:
            paint.ring(painter, QRectF(0, top, width, height - HAIRLINE), 0)

    def _lines(self, look: RowLook, row: Row, left: float, chosen: bool) -> list[Laid]:
        """The row's lines, laid out when they are not yet."""
        known = self._laid.get((row, chosen))
        if known is None:
            if len(self._laid) >= _KEPT:
                del self._laid[next(iter(self._laid))]
            known = self._laid[row, chosen] = _lay(look, row, left, chosen)
        return known


def _paint_bars(painter: QPainter, look: RowLook, left: float, row_top: int) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.inks[Colour.QUIET])
    for base, part in ((look.upper, 0.45), (look.lower, 0.3)):
        room = (look.width - S16 - left) * part
        painter.drawRoundedRect(QRectF(left, row_top + base - S8, room, S8), S4, S4)


def _paint_box(painter: QPainter, column: QRectF, *, ticked: bool) -> None:
    box = QRectF(column.left(), column.top() + (column.height() - _BOX) / 2, _BOX, _BOX)
    painter.setPen(QPen(ink(Colour.EDGE), HAIRLINE))
    painter.setBrush(ink(Colour.RAISED))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    if ticked:
        icons.paint(painter, "check", box.adjusted(1, 1, -1, -1), Colour.TEXT)


def _lay(look: RowLook, row: Row, left: float, chosen: bool) -> list[Laid]:
    """All lines of a row: at the right what is never cut, and title and second line in the room that is left."""
    right = look.width - S16
    inks, upper, lower = look.inks, look.upper, look.lower
    laid: list[Laid] = []

    def to_the_right(words: str, end: float, base: float, font: QFont, colour: QColor) -> float:
        line = paint.line(words, font)
        start = end - line.lineAt(0).naturalTextWidth()
        laid.append(_at(line, start, base, colour))
        return start - S8

    end = right
    if row.right:
        # Hints are too pale on the ground of the chosen row.
        hint = inks[Colour.SOFT if chosen else Colour.FAINT]
        end = to_the_right(row.right, end, upper, look.small, hint)
    if row.word:
        end = to_the_right(row.word, end, upper, look.small_strong, inks[paint.INKS[row.tone]])
    room = end - left - (S4 if end < right else 0)
    laid.append(_at(_cut(row.title, look.strong, room, row.marks), left, upper, inks[Colour.TEXT]))

    room = right - left
    if row.figure:
        start = to_the_right(row.figure, right, lower, look.figures, inks[Colour.SOFT])
        room = start + S8 - S12 - left
    if row.second:
        line = _cut(row.second, look.plain, room, row.second_marks)
        laid.append(_at(line, left, lower, inks[Colour.SOFT]))
    return laid


def _at(line: QTextLayout, left: float, base: float, colour: QColor) -> Laid:
    return line, QPointF(left, base - line.lineAt(0).ascent()), colour


def _cut(words: str, font: QFont, room: float, marks: tuple[tuple[int, int], ...]) -> QTextLayout:
    """One line no wider than `room`, with the marks that are still in it."""
    whole = " ".join(words.split())
    line = paint.line(whole, font, marks if whole == words else ())
    if line.lineAt(0).naturalTextWidth() <= room:
        return line
    shown = paint.elided(whole, font, room)
    return paint.line(shown, font, _kept(marks, shown, words))


def _kept(marks: tuple[tuple[int, int], ...], shown: str, whole: str) -> tuple[tuple[int, int], ...]:
    """Marks of the whole text that are still in the part shown."""
    last = len(shown) - 1
    return tuple(
        (start, min(end, last)) for start, end in marks if start < last and whole.startswith(shown[:last])
    )
