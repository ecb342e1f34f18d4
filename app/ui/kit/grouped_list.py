"""Lines in groups: each group a card of painted lines below a quiet heading, by keyboard and pointer."""

from __future__ import annotations

from collections.abc import Sequence

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
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.ui.kit import paint
from app.ui.kit.items import Index, Items
from app.ui.theme import fonts, icons
from app.ui.theme.palette import ink
from app.ui.theme.tokens import HAIRLINE, ICON, RADIUS, S4, S8, S12, S16, Colour, Step
from sync.protocol import joins

_HEADING = 40
_LINE = 52
_BARE = 36
_TITLE_BASE = 22
_SECOND_BASE = 41
_BOX = 18


class Entry(msgspec.Struct, frozen=True):
    """A heading, or a line of the group below the heading before it.

    A line begins with an icon, or with a `box` to tick; `right` stands at the right of the title, `figure` below it.
    `alarm` colours what is late, `soft` pales what is over, `leads` makes a link of a line that leads further.
    """

    title: str
    second: str = ""
    right: str = ""
    figure: str = ""
    icon: str = ""
    heading: bool = False
    box: bool = False
    alarm: bool = False
    soft: bool = False
    leads: bool = False
    spoken: str = ""

    @property
    def rests(self) -> bool:
        """Whether it is a heading."""
        return self.heading

    def sentence(self) -> str:
        """The entry in one sentence for screen readers."""
        return self.spoken or joins.spoken((self.title, self.second, self.figure, self.right))


class _Delegate(QStyledItemDelegate):
    """Paints an entry; a line knows by its neighbours whether its card begins or ends with it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, height_of(self._entries(index)[index.row()]))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entries, at = self._entries(index), index.row()
        entry, rect = entries[at], QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if entry.heading:
            _paint_heading(painter, rect, entry)
        else:
            first = at == 0 or entries[at - 1].heading
            last = at + 1 == len(entries) or entries[at + 1].heading
            view = self.parent()
            here = isinstance(view, GroupedList) and view.hasFocus() and view.currentIndex() == index
            _paint_card(painter, rect, first=first, last=last, chosen=here)
            over = bool(option.state & QStyle.StateFlag.State_MouseOver) and not here
            if over:
                paint.pill(painter, rect.adjusted(S4, S4, -S4, -S4), Colour.QUIET, RADIUS)
            _paint_line(painter, rect.adjusted(S16, 0, -S16, 0), entry, pale=not (here or over))
            if here:
                paint.ring(painter, rect.adjusted(1, 1, -1, -1), RADIUS)
        painter.restore()

    def _entries(self, index: Index) -> tuple[Entry, ...]:
        model = index.model()
        return model.items if isinstance(model, Items) else ()


class GroupedList(QListView):
    """As high as all its entries, for a page that scrolls as one.

    `opened(row)` is Enter or a click on a line, `ticked(row)` Space or a click on its box, `left()` is Esc.
    `moved(rect)` says where the chosen line stands; `beyond(step)` that somebody goes on after its end or before its
    beginning, `aside(step)` to the right or the left.
    """

    opened = Signal(int)
    ticked = Signal(int)
    left = Signal()
    moved = Signal(QRect)
    beyond = Signal(int)
    aside = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setProperty("part", "timeline")
        self.setAccessibleName(name)
        self._model = Items[Entry](self)
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(self))
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_entries(self, entries: Sequence[Entry], chosen: int = -1) -> None:
        """Show these entries in place of those before, with one line chosen (-1: none)."""
        if tuple(entries) != self._model.items:
            self._model.use(tuple(entries))
        self.setFixedHeight(sum(map(height_of, self._model.items)) + 2)
        self.setVisible(bool(entries))
        self.choose(chosen)

    def choose(self, row: int) -> None:
        """Choose a line; -1 chooses none."""
        self.setCurrentIndex(self._model.index(row, 0) if row >= 0 else QModelIndex())

    def chosen_row(self) -> int:
        """The chosen line, or -1."""
        return self.currentIndex().row()

    def enter(self, step: int = 0) -> None:
        """Take the focus, with a line chosen: the one that was, or the first (1), or the last (-1)."""
        if step or self.chosen_row() < 0:
            self.choose(self._step(len(self._model.items), -1) if step < 0 else self._step(-1, 1))
        self.setFocus(Qt.FocusReason.TabFocusReason)

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell where the chosen line is, for the page that scrolls."""
        super().currentChanged(current, previous)
        if current.isValid():
            self.moved.emit(self.visualRect(current))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """There is a chosen line as soon as one is here."""
        super().focusInEvent(event)
        if self.chosen_row() < 0 and event.reason() != Qt.FocusReason.MouseFocusReason:
            self.choose(self._step(-1, 1))
        elif self.currentIndex().isValid():
            self.moved.emit(self.visualRect(self.currentIndex()))
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The ring goes with the focus."""
        super().focusOutEvent(event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Home and End go from line to line over the headings; Enter opens, Space ticks, Esc leaves."""
        key, at, count = event.key(), self.chosen_row(), len(self._model.items)
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if at >= 0:
                self.opened.emit(at)
        elif key == Qt.Key.Key_Space:
            if at >= 0:
                self.ticked.emit(at)
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._go(at, 1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.aside.emit(1 if key == Qt.Key.Key_Right else -1)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.choose(self._step(-1, 1) if key == Qt.Key.Key_Home else self._step(count, -1))
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click opens a line, or ticks its box."""
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid():
            return
        entry = self._model.items[index.row()]
        if entry.box and event.position().x() < S16 + ICON + S8:
            self.ticked.emit(index.row())
        elif not entry.heading:
            self.opened.emit(index.row())

    def _go(self, at: int, step: int) -> None:
        row = self._step(at, step)
        if row >= 0:
            self.choose(row)
        else:
            self.beyond.emit(step)

    def _step(self, at: int, step: int) -> int:
        """The next line in a direction, -1 where there is none."""
        at += step
        while 0 <= at < len(self._model.items):
            if not self._model.items[at].heading:
                return at
            at += step
        return -1


def height_of(entry: Entry) -> int:
    """How high an entry is."""
    if entry.heading:
        return fonts.px(_HEADING)
    return fonts.px(_LINE if entry.second or entry.figure else _BARE)


def _paint_heading(painter: QPainter, rect: QRectF, entry: Entry) -> None:
    font = fonts.font(Step.BODY, semibold=True)
    base = rect.bottom() - fonts.px(S12)
    colour = Colour.WARN if entry.alarm else Colour.TEXT
    paint.draw(painter, QPointF(rect.left() + S4, base), entry.title, font, ink(colour))
    count = fonts.font(Step.SMALL, figures=True)
    place = QPointF(rect.left() + S4 + paint.width(entry.title, font) + S8, base)
    paint.draw(painter, place, entry.right, count, ink(Colour.FAINT))


def _paint_card(painter: QPainter, rect: QRectF, *, first: bool, last: bool, chosen: bool) -> None:
    """The part of the card that lies below one line: its corners are round where it begins and where it ends."""
    whole = rect.adjusted(0, 0 if first else -2 * RADIUS, 0, 0 if last else 2 * RADIUS)
    painter.save()
    painter.setClipRect(rect)
    paint.pill(painter, whole, Colour.CHOSEN if chosen else Colour.SURFACE, RADIUS, Colour.LINE)
    if not last:
        line = QRectF(rect.left() + S16, rect.bottom() - HAIRLINE, rect.width() - 2 * S16, HAIRLINE)
        painter.fillRect(line, ink(Colour.LINE))
    painter.restore()


def _paint_line(painter: QPainter, inside: QRectF, entry: Entry, *, pale: bool) -> None:
    hint = ink(Colour.FAINT if pale else Colour.SOFT)
    one = not (entry.second or entry.figure)
    strong = fonts.font(Step.BODY, semibold=not (entry.soft or entry.leads))
    upper = (
        paint.baseline(inside.top(), inside.height(), strong) if one else inside.top() + fonts.px(_TITLE_BASE)
    )
    lower = inside.top() + fonts.px(_SECOND_BASE)
    _paint_sign(painter, inside, entry, pale=pale)
    left = inside.left() + ICON + S12
    small, plain = fonts.font(Step.SMALL, figures=True), fonts.font(Step.BODY)
    when = ink(Colour.WARN) if entry.alarm else hint
    taken = paint.width(entry.right, small) + S12 if entry.right else 0.0
    paint.draw_right(painter, QPointF(inside.right(), upper), entry.right, small, when)
    colour = Colour.ACCENT if entry.leads else Colour.SOFT if entry.soft else Colour.TEXT
    title = paint.elided(entry.title, strong, inside.right() - left - taken)
    paint.draw(painter, QPointF(left, upper), title, strong, ink(colour))
    if one:
        return
    figures = fonts.font(Step.BODY, figures=True)
    room = inside.right() - left
    if entry.figure:
        paint.draw_right(painter, QPointF(inside.right(), lower), entry.figure, figures, ink(Colour.SOFT))
        room -= paint.width(entry.figure, figures) + S12
    second = paint.elided(entry.second, plain, room)
    paint.draw(painter, QPointF(left, lower), second, plain, ink(Colour.SOFT))


def _paint_sign(painter: QPainter, inside: QRectF, entry: Entry, *, pale: bool) -> None:
    """The box to tick, or the icon."""
    middle = inside.center().y()
    if entry.box:
        side = _BOX
        box = QRectF(inside.left() + (ICON - side) / 2, middle - side / 2, side, side)
        painter.setPen(QPen(ink(Colour.WARN if entry.alarm else Colour.EDGE), 1.4))
        painter.setBrush(ink(Colour.RAISED))
        painter.drawRoundedRect(box.adjusted(0.7, 0.7, -0.7, -0.7), 5, 5)
    elif entry.icon:
        tint = Colour.WARN if entry.alarm else Colour.FAINT if pale else Colour.SOFT
        icons.paint(painter, entry.icon, QRectF(inside.left(), middle - ICON / 2, ICON, ICON), tint)
