"""A short list on a card: names at the left, figures at the right, each a way to its record."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from app.ui.kit import paint
from app.ui.theme import fonts
from app.ui.theme.palette import ink
from app.ui.theme.tokens import HAIRLINE, S4, S8, TOUCH, Colour, Step

Told = tuple[str, bytes, str, str, bool]  # kind, id, name, figure, alarming


class LineList(QWidget):
    """`opened(kind, id)` is a click or Enter on a line; `left()` is Esc."""

    opened = Signal(str, bytes)
    left = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._lines: list[Told] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def show_lines(self, lines: Sequence[Told]) -> None:
        """Show these lines in place of those before; the same ones keep their focus."""
        if list(lines) == self._lines:
            return
        self._lines = list(lines)
        while (item := self._column.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for at, (kind, id_, name, figure, alarm) in enumerate(lines):
            line = _FigureLine(name, figure, alarm=alarm, last=at == len(lines) - 1)
            line.clicked.connect(lambda _checked=False, kind=kind, id_=id_: self.opened.emit(kind, id_))
            self._column.addWidget(line)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class _FigureLine(QAbstractButton):
    """One line, as wide as its card and as high as a finger."""

    def __init__(self, name: str, figure: str, *, alarm: bool, last: bool) -> None:
        super().__init__()
        self._figure = figure
        self._alarm = alarm
        self._last = last
        self.setText(name)
        self.setFont(fonts.font(Step.BODY))
        self.setAccessibleName(f"{name}, {figure}" if figure else name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """The card gives the width."""
        return QSize(fonts.px(120), max(TOUCH, fonts.px(TOUCH)))

    def minimumSizeHint(self) -> QSize:
        """A few letters and the figure."""
        return QSize(fonts.px(80), max(TOUCH, fonts.px(TOUCH)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, as Space does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw name, figure, hairline and ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect())
        if self.underMouse():
            paint.pill(painter, rect.adjusted(-S4, 0, S4, 0), Colour.QUIET, S4)
        if not self._last:
            line = QRectF(rect.left(), rect.bottom() - HAIRLINE, rect.width(), HAIRLINE)
            painter.fillRect(line, ink(Colour.LINE))
        figures = fonts.font(Step.BODY, figures=True)
        base = paint.baseline(0, self.height(), self.font())
        tone = Colour.WARN if self._alarm else Colour.TEXT
        paint.draw_right(painter, QPointF(rect.right(), base), self._figure, figures, ink(tone))
        room = rect.width() - paint.width(self._figure, figures) - S8
        name = paint.elided(self.text(), self.font(), room)
        paint.draw(painter, QPointF(0, base), name, self.font(), ink(Colour.TEXT))
        if self.hasFocus():
            paint.ring(painter, rect, S4)
