"""What happened, newest first: a dot and a line at the left, a title with its time, a sentence below."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import (
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.ui.kit import paint
from app.ui.kit.items import Index, Items
from app.ui.theme import fonts
from app.ui.theme.palette import ink
from app.ui.theme.tokens import HAIRLINE, S8, S12, Colour, Step
from sync.protocol.joins import spoken

_HEIGHT = 54
_HEIGHT_BARE = 34
_DOT_AT = 8
_TEXT_AT = 22
_TITLE_BASE = 19
_BODY_BASE = 40


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened: a title, when and by whom in one quiet text, a sentence, what is spoken."""

    title: str
    when: str = ""
    body: str = ""
    spoken: str = ""

    @property
    def rests(self) -> bool:
        """Never: each is a stop on the way."""
        return False

    def sentence(self) -> str:
        """The moment in one sentence for screen readers."""
        return self.spoken or spoken((self.title, self.when, self.body))


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        moment = index.data(Qt.ItemDataRole.UserRole)
        return QSize(0, fonts.px(_HEIGHT if moment.body else _HEIGHT_BARE))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        moment = index.data(Qt.ItemDataRole.UserRole)
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        last = index.row() == index.model().rowCount() - 1
        _paint_dot(painter, rect, first=index.row() == 0, last=last)
        _paint_moment(painter, rect, moment)
        if option.state & QStyle.StateFlag.State_HasFocus:
            paint.ring(painter, rect.adjusted(0, 0, 0, -2), 4)
        painter.restore()


class Timeline(QListView):
    """A painted list of moments; `opened(row)` is Enter or a double click, `left()` is Esc.

    `moved(rect)` says where the chosen moment stands.
    """

    opened = Signal(int)
    left = Signal()
    moved = Signal(QRect)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setProperty("part", "timeline")
        self.setAccessibleName(name)
        self._whole = False
        self._model = Items[Moment](self)
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.doubleClicked.connect(lambda index: self.opened.emit(index.row()))

    def set_whole(self, whole: bool) -> None:
        """Be as high as all moments together, for a page that scrolls as one."""
        self._whole = whole
        if whole:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self._be_whole()

    def show_moments(self, moments: tuple[Moment, ...]) -> None:
        """Show these moments in place of those before."""
        if moments != self._model.items:
            self._model.use(moments)
            self._be_whole()

    def _be_whole(self) -> None:
        if self._whole:
            heights = (_HEIGHT if moment.body else _HEIGHT_BARE for moment in self._model.items)
            self.setFixedHeight(sum(fonts.px(height) for height in heights) + 2)

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell where the chosen moment is, for the page that scrolls."""
        super().currentChanged(current, previous)
        if current.isValid():
            self.moved.emit(self.visualRect(current))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, Esc leaves; arrows and pages are Qt's own."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.currentIndex().isValid():
                self.opened.emit(self.currentIndex().row())
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


def _paint_dot(painter: QPainter, rect: QRectF, *, first: bool, last: bool) -> None:
    centre = QPointF(rect.left() + _DOT_AT, rect.top() + fonts.px(_TITLE_BASE) - 5)
    painter.setPen(QPen(ink(Colour.LINE), HAIRLINE))
    top = centre.y() if first else rect.top()
    bottom = centre.y() if last else rect.bottom()
    painter.drawLine(QPointF(centre.x(), top), QPointF(centre.x(), bottom))
    painter.setPen(QPen(ink(Colour.ACCENT), 2))
    painter.setBrush(ink(Colour.SURFACE))
    painter.drawEllipse(centre, 5, 5)


def _paint_moment(painter: QPainter, rect: QRectF, moment: Moment) -> None:
    left, right = rect.left() + _TEXT_AT, rect.right() - S8
    base = rect.top() + fonts.px(_TITLE_BASE)
    strong, small, plain = fonts.font(semibold=True), fonts.font(Step.SMALL, figures=True), fonts.font()
    wide = paint.width(moment.when, small) + S8 if moment.when else 0.0
    title = paint.elided(moment.title, strong, right - left - wide)
    paint.draw(painter, QPointF(left, base), title, strong, ink(Colour.TEXT))
    start = left + paint.width(title, strong) + S12 - 4
    paint.draw(painter, QPointF(start, base), moment.when, small, ink(Colour.FAINT))
    body = paint.elided(moment.body, plain, right - left)
    paint.draw(painter, QPointF(left, rect.top() + fonts.px(_BODY_BASE)), body, plain, ink(Colour.SOFT))
