"""The palette's rows: one line each with icon, name, quiet words and keys, drawn by a delegate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.ui.kit import paint
from app.ui.kit.marks import Mark
from app.ui.theme import fonts, icons
from app.ui.theme.palette import ink
from app.ui.theme.tokens import CHOSEN_EDGE, ICON, RADIUS, S4, S8, S12, S16, Colour, Step
from sync.protocol.joins import spoken

Index = QModelIndex | QPersistentModelIndex

HIGH: Final = 40
_HEADING: Final = 28
_CAP: Final = 20
_TITLE_PART: Final = 0.66  # of the room, when a second part wants some of it


@dataclass(frozen=True, slots=True)
class OfferRow:
    """What one row says. `heading` stands above it when it begins a group; marks are of the title."""

    title: str
    second: str = ""
    icon: str = ""
    keys: str = ""
    heading: str = ""
    marks: tuple[Mark, ...] = ()
    second_marks: tuple[Mark, ...] = ()

    def sentence(self) -> str:
        """The row in one sentence for screen readers."""
        return spoken((self.title, self.second, self.keys))


class OfferRole(IntEnum):
    """What the model answers beside DisplayRole (title) and AccessibleTextRole (sentence)."""

    ROW = int(Qt.ItemDataRole.UserRole) + 1


class OfferModel(QAbstractListModel):
    """The rows that there are."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[OfferRow, ...] = ()

    def use(self, rows: Sequence[OfferRow]) -> None:
        """Show these rows in place of those before."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of rows; a row has no rows below it."""
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What the row says under that role, or None."""
        if not index.isValid() or not 0 <= index.row() < len(self.rows):
            return None
        row = self.rows[index.row()]
        if int(role) == int(OfferRole.ROW):
            return row
        if int(role) == int(Qt.ItemDataRole.DisplayRole):
            return row.title
        return row.sentence() if int(role) == int(Qt.ItemDataRole.AccessibleTextRole) else None


class OfferDelegate(QStyledItemDelegate):
    """Paints an `OfferRow` on fixed baselines, with the heading of its group above the first."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """One height, and more for a heading."""
        return QSize(0, _height(index.data(OfferRole.ROW)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row."""
        row = index.data(OfferRole.ROW)
        if not isinstance(row, OfferRow):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        if row.heading:
            heading = fonts.font(Step.SMALL, semibold=True)
            base = paint.baseline(rect.top() + S4, fonts.px(_HEADING) - S4, heading)
            paint.draw(painter, QPointF(rect.left() + S16, base), row.heading, heading, ink(Colour.SOFT))
            rect.setTop(rect.top() + fonts.px(_HEADING))
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        ground = rect.adjusted(S8, 0, -S8, 0)
        if chosen:
            paint.pill(painter, ground, Colour.CHOSEN, RADIUS)
            edge = QRectF(ground.left(), ground.top() + S8, CHOSEN_EDGE, ground.height() - S16)
            paint.pill(painter, edge, Colour.ACCENT, CHOSEN_EDGE / 2)
        _paint_row(painter, ground.adjusted(S12, 0, -S8, 0), row, chosen)
        painter.restore()


class OfferRows(QListView):
    """The rows below the palette's field, which keeps the focus.

    `taken(row)` is a click, `pointed(row)` the pointer on its way.
    """

    taken = Signal(int)
    pointed = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setProperty("part", "offers")
        self._model = OfferModel(self)
        self.setModel(self._model)
        self.setItemDelegate(OfferDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(lambda index: self.taken.emit(index.row()))
        self._pointer: QPointF | None = None

    def show_rows(self, rows: Sequence[OfferRow], chosen: int) -> None:
        """Show these rows with one chosen; the same ones stay as they are."""
        if tuple(rows) != self._model.rows:
            self._model.use(rows)
        self.choose(chosen)

    def choose(self, row: int) -> None:
        """Choose a row and bring it into view; a heading above the first row too."""
        index = self._model.index(row, 0)
        self.setCurrentIndex(index)
        if index.isValid():
            self.scrollTo(index)

    def chosen_row(self) -> int:
        """The chosen row, or -1."""
        return self.currentIndex().row()

    def row(self, at: int) -> OfferRow | None:
        """What a row says, None where there is none."""
        return self._model.rows[at] if 0 <= at < len(self._model.rows) else None

    def count(self) -> int:
        """How many rows there are."""
        return len(self._model.rows)

    def height_of_all(self) -> int:
        """The height at which nothing needs to scroll, in device-independent pixels."""
        return sum(_height(row) for row in self._model.rows)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The pointer chooses once it moves: rows that come up below it do not."""
        super().mouseMoveEvent(event)
        place = event.globalPosition()
        moved, self._pointer = self._pointer is not None and self._pointer != place, place
        index = self.indexAt(event.position().toPoint())
        if moved and index.isValid() and index.row() != self.chosen_row():
            self.pointed.emit(index.row())


def _height(row: object) -> int:
    heading = isinstance(row, OfferRow) and bool(row.heading)
    return fonts.px(HIGH) + (fonts.px(_HEADING) if heading else 0)


def _paint_row(painter: QPainter, inside: QRectF, row: OfferRow, chosen: bool) -> None:
    side = fonts.px(ICON)
    square = QRectF(inside.left(), inside.top() + (inside.height() - side) / 2, side, side)
    if row.icon:
        icons.paint(painter, row.icon, square, Colour.TEXT if chosen else Colour.SOFT)
    strong, plain = fonts.font(Step.BODY, semibold=bool(row.second)), fonts.font(Step.BODY)
    base = paint.baseline(inside.top(), inside.height(), strong)
    left, right = square.right() + S12, inside.right()
    if row.keys:
        right -= _paint_keys(painter, right, inside, row.keys) + S12
    room = right - left
    title = paint.elided(row.title, strong, room * _TITLE_PART if row.second else room)
    marks = row.marks if title == row.title else ()
    paint.draw(painter, QPointF(left, base), title, strong, ink(Colour.TEXT), marks)
    if row.second:
        left += paint.width(title, strong) + S8
        second = paint.elided(row.second, plain, right - left)
        marks = row.second_marks if second == row.second else ()
        paint.draw(painter, QPointF(left, base), second, plain, ink(Colour.SOFT), marks)


def _paint_keys(painter: QPainter, right: float, inside: QRectF, keys: str) -> float:
    """Paint keys as a small cap that ends at `right`; how wide it is."""
    font = fonts.font(Step.SMALL)
    wide, high = paint.width(keys, font) + S12, float(fonts.px(_CAP))
    cap = QRectF(right - wide, inside.top() + (inside.height() - high) / 2, wide, high)
    paint.pill(painter, cap, Colour.QUIET, S4, Colour.LINE)
    base = paint.baseline(cap.top(), cap.height(), font)
    paint.draw(painter, QPointF(cap.left() + S12 / 2, base), keys, font, ink(Colour.SOFT))
    return wide
