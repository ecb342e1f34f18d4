"""A few choices side by side of which one holds, such as “Mine” and “Team”: by Tab and arrow keys, or a click."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QHBoxLayout, QSizePolicy

from app.ui.kit import paint
from app.ui.theme import fonts
from app.ui.theme.palette import ink
from app.ui.theme.tokens import FIELD, RADIUS, S12, Colour, Step


class Segments(QFrame):
    """`chosen(key)` is a person's choice."""

    chosen = Signal(str)

    def __init__(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        self._group = QButtonGroup(self)  # exclusive: the arrow keys go from one to the next, and choose it
        self._buttons: dict[str, _Segment] = {}
        for key, words in choices:
            button = self._buttons[key] = _Segment(words)
            button.setAccessibleName(f"{name}: {words}")
            button.clicked.connect(lambda _checked=False, key=key: self.chosen.emit(key))
            self._group.addButton(button)
            row.addWidget(button)

    def show_choice(self, key: str) -> None:
        """Show which one holds."""
        button = self._buttons.get(key)
        if button is not None:
            button.setChecked(True)

    def choice(self) -> str:
        """Which one holds, "" for none."""
        return next((key for key, button in self._buttons.items() if button.isChecked()), "")

    def choose(self, key: str) -> None:
        """Choose as a click does."""
        self._buttons[key].click()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground that all of them stand on."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.pill(painter, QRectF(self.rect()), Colour.QUIET, RADIUS + 1)


class _Segment(QAbstractButton):
    def __init__(self, words: str) -> None:
        super().__init__()
        self.setText(words)
        self.setCheckable(True)
        self.setFont(fonts.font(Step.BODY))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """As wide as its words, and as high as a finger."""
        strong = fonts.font(Step.BODY, semibold=True)
        return QSize(round(paint.width(self.text(), strong)) + 2 * S12, fonts.px(FIELD) - 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the words, and the ground of the one that holds."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect, on = QRectF(self.rect()), self.isChecked()
        if on:
            paint.pill(painter, rect.adjusted(1, 1, -1, -1), Colour.RAISED, RADIUS, Colour.LINE)
        font = fonts.font(Step.BODY, semibold=on)
        left = (rect.width() - paint.width(self.text(), font)) / 2
        base = paint.baseline(0, rect.height(), font)
        colour = Colour.TEXT if on or self.underMouse() else Colour.SOFT
        painter.setFont(font)
        painter.setPen(ink(colour))
        painter.drawText(round(left), round(base), self.text())
        if self.hasFocus():
            paint.ring(painter, rect)
