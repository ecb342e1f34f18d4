"""The painted list: two-line rows painted as one picture, 100,000 of them without a widget per row."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app.ui.kit.row_paint import BOX_EDGE, RowPainter
from app.ui.kit.rows import Row, RowsModel, RowSource
from app.ui.theme import fonts
from app.ui.theme.tokens import ROW

Index = QModelIndex | QPersistentModelIndex


def _ground() -> QWidget:
    """What the rows are painted on, as the view makes it: one that Python has not made it would first have to place
    among all the classes of widgets there are, and that takes longer than to paint the list."""
    made = QWidget()
    made.setObjectName("qt_scrollarea_viewport")
    made.setBackgroundRole(QPalette.ColorRole.Base)
    # The list paints the ground with its rows: whatever lies below needs no painting for that.
    made.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
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
        self._painter = RowPainter()
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
        self.executeDelayedItemsLayout()  # or all of it is painted once more, some moments later
        if stay:
            self.updateGeometries()
            self.verticalScrollBar().setValue(place)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows that the picture touches: the table would ask style and delegate anew for each of them."""
        height, touched = fonts.px(ROW), event.rect()
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(touched, self.palette().brush(QPalette.ColorRole.Base))
        look = self._painter.begin(self.viewport().width(), height)
        chosen = {index.row() for index in self.selectionModel().selectedIndexes()}
        focused = self.currentIndex().row() if self.hasFocus() else -1
        place = self.verticalScrollBar().value()
        last = min((place + touched.bottom()) // height, self._model.rowCount() - 1)
        for at in range((place + touched.top()) // height, last + 1):
            self._painter.paint(
                painter,
                look,
                at * height - place,
                self._model.row(at),
                chosen=at in chosen,
                focused=at == focused,
            )
        painter.end()

    def show_boxes(self, shown: bool) -> None:
        """Begin each row with a box, or no longer; and paint all of them anew."""
        self._painter.boxes = shown
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

    def row(self, at: int) -> Row | None:
        """What the row at that place says, None while it is being fetched."""
        return self._model.row(at)

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
            or (self._painter.boxes and event.position().x() < BOX_EDGE)
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
