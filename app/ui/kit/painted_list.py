"""The painted list: two-line rows drawn by a delegate, 100,000 of them without a widget per row."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.ui.kit import paint
from app.ui.kit.rows import Row, RowRole, RowsModel, RowSource
from app.ui.theme import fonts, icons
from app.ui.theme.palette import ink
from app.ui.theme.tokens import CHOSEN_EDGE, HAIRLINE, ROW, S4, S8, S12, S16, Colour, Step

Index = QModelIndex | QPersistentModelIndex

# Baselines from the top of a row, the same for every script.
_TITLE_BASE = 24
_SECOND_BASE = 44

_BOX = 16


class RowDelegate(QStyledItemDelegate):
    """Paints a `Row` on fixed baselines, cut by width, with an accent edge when it is the chosen one.

    While `boxes` is set, each row begins with a box that is ticked or not.
    """

    boxes = False

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """One height for all rows, so that the view never asks each."""
        return QSize(0, fonts.px(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row; a row still being fetched is two quiet bars."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        # The option says both too, in QStyle's own terms; to load those takes longer than to paint all the rows.
        view = self._view
        chosen = view.selectionModel().isSelected(index)
        focused = view.hasFocus() and index == view.currentIndex()
        if chosen:
            painter.fillRect(rect, ink(Colour.CHOSEN))
        hairline = QRectF(rect.left(), rect.bottom() - HAIRLINE, rect.width(), HAIRLINE)
        painter.fillRect(hairline, ink(Colour.LINE))
        if chosen:
            painter.fillRect(QRectF(rect.left(), rect.top(), CHOSEN_EDGE, rect.height()), ink(Colour.ACCENT))
        row = index.data(RowRole.ROW)
        inside = rect.adjusted(S16, 0, -S16, 0)
        if self.boxes:
            _paint_box(painter, inside, ticked=isinstance(row, Row) and row.picked)
            inside = inside.adjusted(_BOX + S12, 0, 0, 0)
        if isinstance(row, Row):
            _paint_row(painter, inside, row, chosen)
        else:
            _paint_bars(painter, inside)
        if focused:
            paint.ring(painter, rect.adjusted(0, 0, 0, -HAIRLINE), 0)
        painter.restore()


def _ground() -> QWidget:
    """What the rows are painted on, as the view makes it: one that Python has not made it would first have to place
    among all the classes of widgets there are, and that takes longer than to paint the list."""
    made = QWidget()
    made.setObjectName("qt_scrollarea_viewport")
    made.setBackgroundRole(QPalette.ColorRole.Base)
    made.setAutoFillBackground(True)
    return made


class PaintedList(QTableView):
    """A list of two-line rows by keyboard and pointer.

    A table of one column, because a list view would ask the model for each row once before the first picture
    (0.2 s for 100,000 rows, where the table takes the same 0.2 ms for any number).

    `chosen(row)` follows the arrow keys and clicks; `opened(row)` is Enter or a double click; `left()` is
    Esc; `typed(text)` is a letter typed while the list has the focus, for the search field to take over.

    Where rows can be selected (`selects`), `toggled(row)` is Space, a click with Ctrl or on a row's box,
    `reached(start, row)` a stretch by Shift, and `wanted_all()` Ctrl+A; whoever hears them keeps what is selected.
    """

    chosen = Signal(int)
    opened = Signal(int)
    left = Signal()
    typed = Signal(str)
    toggled = Signal(int)
    reached = Signal(int, int)
    wanted_all = Signal()

    def __init__(self, name: str, parent: QWidget | None = None, *, selects: bool = False) -> None:
        super().__init__(parent)
        self._selects = selects
        self.setProperty("part", "rows")
        self.setAccessibleName(name)
        self.setViewport(_ground())
        self._model = RowsModel(parent=self)
        self._silent = False
        self.setModel(self._model)
        self._delegate = RowDelegate(self)
        self.setItemDelegate(self._delegate)
        self._lay_out()
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.doubleClicked.connect(lambda index: self.opened.emit(index.row()))

    def _lay_out(self) -> None:
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        across, down = self.horizontalHeader(), self.verticalHeader()
        across.hide()
        across.setStretchLastSection(True)
        down.hide()
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setMinimumSectionSize(1)
        down.setDefaultSectionSize(fonts.px(ROW))
        self.verticalScrollBar().setSingleStep(fonts.px(ROW) // 2)

    def show_rows(self, source: RowSource, chosen: int = -1, *, stay: bool = False) -> None:
        """Show a source of rows with one chosen (-1: none), without telling `chosen`.

        `stay` keeps the place that is scrolled to, for news within the same list.
        """
        place = self.verticalScrollBar().value()
        self._silent = True
        self._model.use(source)
        self.choose(chosen)
        self._silent = False
        if stay:
            self.updateGeometries()
            self.verticalScrollBar().setValue(place)

    def show_boxes(self, shown: bool) -> None:
        """Begin each row with a box, or no longer; and paint all of them anew."""
        self._delegate.boxes = shown
        self.viewport().update()

    def top(self) -> tuple[int, int]:
        """The first row in view, and how much of it is above the view."""
        height = fonts.px(ROW)
        return divmod(self.verticalScrollBar().value(), height)

    def bring_to_top(self, row: int, above: int) -> None:
        """Scroll so that a row is the first in view, `above` pixels of it cut off."""
        self.updateGeometries()
        self.verticalScrollBar().setValue(row * fonts.px(ROW) + above)

    def rows_changed(self, first: int, last: int) -> None:
        """Paint rows `first` to `last` anew; their number is the same."""
        self._model.changed(first, last)

    def choose(self, row: int) -> None:
        """Choose a row and bring it into view; -1 chooses none."""
        index = self._model.index(row, 0) if row >= 0 else QModelIndex()
        self.setCurrentIndex(index)
        if index.isValid():
            self.scrollTo(index)
        else:
            self.clearSelection()

    def chosen_row(self) -> int:
        """The chosen row, or -1."""
        return self.currentIndex().row()

    def rows_in_view(self) -> range:
        """The rows that are on the screen now, for fetching those first."""
        count = self._model.rowCount()
        if not count:
            return range(0)
        height = fonts.px(ROW)
        first = self.verticalScrollBar().value() // height
        return range(min(first, count), min(count, first + self.viewport().height() // height + 2))

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell which row is chosen, unless the program chose it."""
        super().currentChanged(current, previous)
        if current.isValid() and not self._silent:
            self.chosen.emit(current.row())

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Home and End are the first and last row, not the first and last column."""
        last = self._model.rowCount() - 1
        if action is QAbstractItemView.CursorAction.MoveHome:
            return self._model.index(0, 0)
        if action is QAbstractItemView.CursorAction.MoveEnd:
            return self._model.index(last, 0)
        return super().moveCursor(action, modifiers)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, Esc leaves; arrows, Home, End and pages are Qt's own."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers() & ~_KEYPAD:
            if self.chosen_row() >= 0:
                self.opened.emit(self.chosen_row())
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif not (self._selects and self._select_by_key(event)):
            super().keyPressEvent(event)

    def _select_by_key(self, event: QKeyEvent) -> bool:
        """Whether a key selects: Ctrl+A, Space, and Shift with whatever moves."""
        key, held = event.key(), event.modifiers() & ~_KEYPAD
        at = self.chosen_row()
        if key == Qt.Key.Key_A and held == Qt.KeyboardModifier.ControlModifier:
            self.wanted_all.emit()
        elif key == Qt.Key.Key_Space and held in (_NONE, Qt.KeyboardModifier.ControlModifier):
            if at >= 0:
                self.toggled.emit(at)
        elif key in _MOVES and held == Qt.KeyboardModifier.ShiftModifier and at >= 0:
            moved = self.moveCursor(_MOVES[key], _NONE)
            if moved.isValid():
                self._reach(moved.row())
        else:
            return False
        event.accept()
        return True

    def _reach(self, row: int) -> None:
        start = self.chosen_row()
        self.choose(row)
        self.reached.emit(start if start >= 0 else row, row)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click chooses; with Ctrl or on the box it selects too, with Shift the stretch up to the row."""
        index = self.indexAt(event.position().toPoint())
        plain = not self._selects or event.button() != Qt.MouseButton.LeftButton or not index.isValid()
        if not plain and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._reach(index.row())
        elif not plain and (
            event.modifiers() & Qt.KeyboardModifier.ControlModifier
            or (self._delegate.boxes and event.position().x() < S16 + _BOX + S8)
        ):
            self.choose(index.row())
            self.toggled.emit(index.row())
        else:
            super().mousePressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Hand typed letters on: Qt's own search would read every row of the store."""
        self.typed.emit(search)


_KEYPAD = Qt.KeyboardModifier.KeypadModifier
_NONE = Qt.KeyboardModifier.NoModifier
_MOVES = {
    int(Qt.Key.Key_Up): QAbstractItemView.CursorAction.MoveUp,
    int(Qt.Key.Key_Down): QAbstractItemView.CursorAction.MoveDown,
    int(Qt.Key.Key_PageUp): QAbstractItemView.CursorAction.MovePageUp,
    int(Qt.Key.Key_PageDown): QAbstractItemView.CursorAction.MovePageDown,
    int(Qt.Key.Key_Home): QAbstractItemView.CursorAction.MoveHome,
    int(Qt.Key.Key_End): QAbstractItemView.CursorAction.MoveEnd,
}


def _paint_box(painter: QPainter, inside: QRectF, *, ticked: bool) -> None:
    box = QRectF(inside.left(), inside.top() + (inside.height() - _BOX) / 2, _BOX, _BOX)
    painter.setPen(QPen(ink(Colour.EDGE), HAIRLINE))
    painter.setBrush(ink(Colour.RAISED))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    if ticked:
        icons.paint(painter, "check", box.adjusted(1, 1, -1, -1), Colour.TEXT)


def _paint_row(painter: QPainter, inside: QRectF, row: Row, chosen: bool) -> None:
    upper, lower = inside.top() + fonts.px(_TITLE_BASE), inside.top() + fonts.px(_SECOND_BASE)
    # Hints are too pale on the ground of the chosen row.
    hint = ink(Colour.SOFT if chosen else Colour.FAINT)
    plain = fonts.font(Step.BODY)

    room = inside.width() - _paint_upper_right(painter, QPointF(inside.right(), upper), row, hint)
    strong = fonts.font(Step.BODY, semibold=True)
    title = paint.elided(row.title, strong, room)
    paint.draw(
        painter,
        QPointF(inside.left(), upper),
        title,
        strong,
        ink(Colour.TEXT),
        _kept(row.marks, title, row.title),
    )

    room = inside.width()
    if row.figure:
        figures = fonts.font(Step.BODY, figures=True)
        paint.draw_right(painter, QPointF(inside.right(), lower), row.figure, figures, ink(Colour.SOFT))
        room -= paint.width(row.figure, figures) + S12
    second = paint.elided(row.second, plain, room)
    marks = _kept(row.second_marks, second, row.second)
    paint.draw(painter, QPointF(inside.left(), lower), second, plain, ink(Colour.SOFT), marks)


def _paint_upper_right(painter: QPainter, place: QPointF, row: Row, hint: QColor) -> float:
    """Paint time and word, and give back the width that they take from the title."""
    taken = 0.0
    when = fonts.font(Step.SMALL, figures=True)
    if row.right:
        paint.draw_right(painter, place, row.right, when, hint)
        taken += paint.width(row.right, when) + S8
    if row.word:
        word = fonts.font(Step.SMALL, semibold=True)
        paint.draw_right(
            painter, QPointF(place.x() - taken, place.y()), row.word, word, ink(paint.INKS[row.tone])
        )
        taken += paint.width(row.word, word) + S8
    return taken + S4 if taken else 0.0


def _kept(marks: tuple[tuple[int, int], ...], shown: str, whole: str) -> tuple[tuple[int, int], ...]:
    """Marks of the whole text that are still in the part shown."""
    if not marks or shown == whole:
        return marks
    last = len(shown) - 1
    return tuple(
        (start, min(end, last)) for start, end in marks if start < last and whole.startswith(shown[:last])
    )


def _paint_bars(painter: QPainter, inside: QRectF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink(Colour.QUIET))
    for base, part in ((_TITLE_BASE, 0.45), (_SECOND_BASE, 0.3)):
        top = inside.top() + fonts.px(base) - S8
        painter.drawRoundedRect(QRectF(inside.left(), top, inside.width() * part, S8), S4, S4)
