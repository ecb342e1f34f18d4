"""Figures as bars and columns, painted: a table of names, bars, counts and sums, and a chart of columns in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from PySide6.QtCore import (
    QModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.ui.kit import paint
from app.ui.kit.items import Index, Items
from app.ui.theme import fonts
from app.ui.theme.palette import ink
from app.ui.theme.tokens import HAIRLINE, RADIUS, S4, S8, S12, S16, S24, Colour, Step
from sync.protocol import joins

_ROW = 40
_CAPTION = 32
_BAR = 12
_CHART = 220
_FOOT = 2 * S16  # two lines below the columns
_COLUMN = 34  # the least width of a column
_WIDEST = 84
_NAME = 148
_COUNT = 88
_SUM = 132


class Measure(msgspec.Struct, frozen=True):
    """One name with its figures; `part` of 1 fills the whole length. `short` stands below a column, `brief` above it.

    A `caption` names the columns of the table, a `total` closes it; neither is a bar.
    """

    name: str
    count: str = ""
    sum: str = ""
    part: float = 0.0
    short: str = ""
    brief: str = ""
    caption: bool = False
    total: bool = False
    spoken: str = ""

    @property
    def title(self) -> str:
        """What is measured."""
        return self.name

    @property
    def rests(self) -> bool:
        """Whether it is the caption."""
        return self.caption

    def sentence(self) -> str:
        """The measure in one sentence for screen readers."""
        return self.spoken or joins.spoken((self.name, self.count, self.sum))


class _View(QListView):
    """What both share: `opened(row)` is Enter, Space or a click on a bar, `left()` is Esc, `moved(rect)` says where the
    chosen one stands."""

    opened = Signal(int)
    left = Signal()
    moved = Signal(QRect)
    keys: tuple[Qt.Key, Qt.Key]  # back and on
    from_end = False  # whoever comes begins with the last one

    def __init__(
        self, name: str, paint_one: Callable[[_View, QPainter, QStyleOptionViewItem, Index], None]
    ) -> None:
        super().__init__()
        self.setProperty("part", "timeline")
        self.setAccessibleName(name)
        self.measures = Items[Measure](self, tips=True)
        self.setModel(self.measures)
        self.setItemDelegate(_Delegate(self, paint_one))
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)

    def one_size(self) -> QSize:
        """How large each of them is."""
        raise NotImplementedError

    def size_of(self, row: int) -> QSize:
        """How large one of them is."""
        return self.one_size()

    def show_measures(self, measures: Sequence[Measure]) -> None:
        """Show these in place of those before; the chosen place stays."""
        at = self.currentIndex().row()
        if tuple(measures) != self.measures.items:
            self.measures.use(tuple(measures))
            if 0 <= at < len(self.measures.items) and self._bar(at):
                self.setCurrentIndex(self.measures.index(at, 0))

    def choose(self, row: int) -> None:
        """Choose one, -1 for none."""
        self.setCurrentIndex(self.measures.index(row, 0) if row >= 0 else QModelIndex())

    def chosen_row(self) -> int:
        """The chosen one, or -1."""
        return self.currentIndex().row()

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell where the chosen one is."""
        super().currentChanged(current, previous)
        if current.isValid():
            self.moved.emit(self.visualRect(current))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """One is chosen as soon as somebody is here."""
        nobody_was = self.chosen_row() < 0
        super().focusInEvent(event)
        if nobody_was and event.reason() != Qt.FocusReason.MouseFocusReason:
            count = len(self.measures.items)
            self.choose(self._step(count, -1) if self.from_end else self._step(-1, 1))
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The ring goes with the focus."""
        super().focusOutEvent(event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Home and End go from bar to bar; Enter and Space open, Esc leaves."""
        key, at, count = event.key(), self.chosen_row(), len(self.measures.items)
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            if self._bar(at):
                self.opened.emit(at)
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        elif key in self.keys:
            row = self._step(at, 1 if key == self.keys[1] else -1)
            if row >= 0:
                self.choose(row)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.choose(self._step(-1, 1) if key == Qt.Key.Key_Home else self._step(count, -1))
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click opens."""
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid() and self._bar(index.row()):
            self.opened.emit(index.row())

    def _bar(self, row: int) -> bool:
        measures = self.measures.items
        return 0 <= row < len(measures) and not (measures[row].caption or measures[row].total)

    def _step(self, at: int, step: int) -> int:
        at += step
        while 0 <= at < len(self.measures.items):
            if self._bar(at):
                return at
            at += step
        return -1


class _Delegate(QStyledItemDelegate):
    def __init__(
        self, view: _View, paint_one: Callable[[_View, QPainter, QStyleOptionViewItem, Index], None]
    ) -> None:
        super().__init__(view)
        self._view = view
        self._paint_one = paint_one

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self._view.size_of(index.row())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_one(self._view, painter, option, index)
        painter.restore()


class MeasureTable(_View):
    """Names at the left, then bars, counts and sums; as high as all of them, for a page that scrolls as one."""

    keys = (Qt.Key.Key_Up, Qt.Key.Key_Down)

    def __init__(self, name: str) -> None:
        super().__init__(name, _paint_row)
        self.bars = True
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def size_of(self, row: int) -> QSize:
        """Captions are lower than rows."""
        return QSize(0, fonts.px(_CAPTION if self.measures.items[row].caption else _ROW))

    def show_measures(self, measures: Sequence[Measure]) -> None:
        """Show these, and be as high as all of them."""
        super().show_measures(measures)
        self.setFixedHeight(sum(self.size_of(row).height() for row in range(len(self.measures.items))) + 2)


class ColumnChart(_View):
    """Columns from left to right, the name of each below it; where not all have room, the last are in view first."""

    keys = (Qt.Key.Key_Left, Qt.Key.Key_Right)
    from_end = True

    def __init__(self, name: str) -> None:
        super().__init__(name, _paint_column)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(fonts.px(_CHART) + 14)

    def one_size(self) -> QSize:
        """All share the width, as long as their names have room."""
        room = self.viewport().width() // max(1, len(self.measures.items))
        return QSize(min(fonts.px(_WIDEST), max(fonts.px(_COLUMN), room)), fonts.px(_CHART))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the floor that all columns stand on, then the columns."""
        painter = QPainter(self.viewport())
        floor = fonts.px(_CHART) - fonts.px(_FOOT)
        painter.fillRect(QRectF(0, floor, self.viewport().width(), HAIRLINE), ink(Colour.LINE))
        painter.end()
        super().paintEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other room, other widths."""
        super().resizeEvent(event)
        self.doItemsLayout()
        if self.chosen_row() < 0:
            self.horizontalScrollBar().setValue(self.horizontalScrollBar().maximum())


def _standing(view: _View, option: QStyleOptionViewItem, index: Index) -> tuple[Measure, bool, bool]:
    """What to paint, whether it is the chosen one of a view with the focus, and whether the pointer is on it."""
    measure = view.measures.items[index.row()]
    here = view.hasFocus() and view.currentIndex() == index
    over = bool(option.state & QStyle.StateFlag.State_MouseOver) and not (measure.caption or measure.total)
    return measure, here, over


def _paint_row(view: _View, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
    measure, here, over = _standing(view, option, index)
    rect = QRectF(option.rect)
    if here or over:
        paint.pill(painter, rect.adjusted(0, 1, 0, -2), Colour.CHOSEN if here else Colour.QUIET, RADIUS)
    step = Step.SMALL if measure.caption else Step.BODY
    strong = fonts.font(step, semibold=measure.total)
    figures = fonts.font(step, semibold=measure.total, figures=True)
    quiet = measure.caption or (measure.part == 0.0 and not measure.total)
    colour = ink(Colour.SOFT if quiet else Colour.TEXT)
    inside = rect.adjusted(S12, 0, -S12, 0)
    base = paint.baseline(rect.top(), rect.height(), strong)
    right = inside.right()
    if view.measures.items[0].sum:  # the caption says whether there are sums
        paint.draw_right(painter, QPointF(right, base), measure.sum, figures, colour)
        longest = view.measures.items[-1].sum  # what all of them come to
        total = fonts.font(Step.BODY, semibold=True, figures=True)
        right -= max(float(fonts.px(_SUM)), paint.width(longest, total) + S24)
    paint.draw_right(painter, QPointF(right, base), measure.count, figures, colour)
    right -= fonts.px(_COUNT)
    bars = isinstance(view, MeasureTable) and view.bars
    name_room = min(float(fonts.px(_NAME)), (right - inside.left()) * 0.45) if bars else right - inside.left()
    name = paint.elided(measure.name, strong, name_room)
    paint.draw(painter, QPointF(inside.left(), base), name, strong, colour)
    if bars and measure.part > 0 and not (measure.caption or measure.total):
        left = inside.left() + name_room + S12
        long = max(3.0, (right - left) * measure.part)
        bar = QRectF(left, rect.center().y() - _BAR / 2, long, _BAR)
        paint.pill(painter, bar, Colour.ACCENT if here else Colour.BAR, 3)
    line = QRectF(rect.left() + S12, rect.bottom() - HAIRLINE, rect.width() - S24, HAIRLINE)
    if index.row() + 1 < len(view.measures.items):
        painter.fillRect(line, ink(Colour.LINE))
    if here:
        paint.ring(painter, rect.adjusted(0, 1, 0, -2), RADIUS)


def _paint_column(view: _View, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
    measure, here, over = _standing(view, option, index)
    rect = QRectF(option.rect)
    if here or over:
        paint.pill(painter, rect.adjusted(1, 0, -1, 0), Colour.CHOSEN if here else Colour.QUIET, RADIUS)
    small = fonts.font(Step.SMALL)
    floor = rect.top() + fonts.px(_CHART) - fonts.px(_FOOT)
    tall = (floor - rect.top() - fonts.px(S24)) * measure.part
    wide = min(rect.width() - S8, fonts.px(32))
    if measure.part > 0:
        column = QRectF(rect.center().x() - wide / 2, floor - max(2.0, tall), wide, max(2.0, tall))
        path = QPainterPath()
        path.addRoundedRect(column.adjusted(0, 0, 0, 4), 3, 3)
        painter.setClipRect(QRectF(rect.left(), rect.top(), rect.width(), floor - rect.top()))
        painter.fillPath(path, ink(Colour.ACCENT if here else Colour.BAR))
        painter.setClipping(False)
    tiny = fonts.font(Step.SMALL, figures=True)
    if paint.width(measure.brief, tiny) <= rect.width():
        left = rect.center().x() - paint.width(measure.brief, tiny) / 2
        place = QPointF(left, floor - max(2.0, tall) - S4)
        paint.draw(painter, place, measure.brief, tiny, ink(Colour.SOFT))
    first, _gap, second = measure.short.partition("\n")
    for at, words in enumerate((first, second)):
        base = floor + fonts.px(S16) * (at + 1) - S4 / 2
        left = rect.center().x() - paint.width(words, small) / 2
        colour = Colour.SOFT if here or over or at else Colour.FAINT
        paint.draw(painter, QPointF(left, base), words, small, ink(colour))
    if here:
        paint.ring(painter, rect.adjusted(1, 0, -1, 0), RADIUS)
