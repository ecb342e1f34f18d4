"""Empty state: icon, one sentence, an explanation if it helps, one button."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.ui.kit.buttons import Button, Part
from app.ui.kit.text import Paragraph
from app.ui.theme import fonts, icons
from app.ui.theme.tokens import S8, S16, S24, Colour, Step


class Picture(QWidget):
    """An icon that is looked at and not clicked."""

    def __init__(self, icon: str, side: int, colour: Colour = Colour.FAINT) -> None:
        super().__init__()
        self._icon = icon
        self._colour = colour
        self.setFixedSize(QSize(side, side))

    def show_icon(self, icon: str, colour: Colour = Colour.FAINT) -> None:
        """Show another icon."""
        self._icon, self._colour = icon, colour
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icon at the device's own ratio."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        icons.paint(painter, self._icon, QRectF(self.rect()), self._colour)


class Placeholder(QWidget):
    """Stands where a list or a page would be; `acted` is its button, `other_acted` a second, quieter one.

    The button is main unless the page has another main button (`main=False`).
    """

    acted = Signal()
    other_acted = Signal()

    def __init__(
        self,
        icon: str,
        sentence: str,
        explanation: str = "",
        action: str = "",
        other: str = "",
        *,
        main: bool = True,
    ) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(S24, S24, S24, S24)
        column.setSpacing(S8)
        column.addStretch(2)
        column.addWidget(Picture(icon, fonts.px(44)), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(S8)
        column.addLayout(_middle(Paragraph(sentence, Step.LARGE, semibold=True, centred=True)))
        if explanation:
            column.addLayout(_middle(Paragraph(explanation, Step.BODY, Colour.SOFT, centred=True)))
        if action or other:
            column.addSpacing(S16)
            column.addLayout(self._buttons(action, other, main))
        column.addStretch(3)

    def _buttons(self, action: str, other: str, main: bool) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(S8)
        row.addStretch(1)
        if action:
            first = Button(action, Part.MAIN if main else Part.PLAIN)
            first.clicked.connect(self.acted)
            row.addWidget(first)
        if other:
            second = Button(other)
            second.clicked.connect(self.other_acted)
            row.addWidget(second)
        row.addStretch(1)
        return row


def _middle(paragraph: Paragraph) -> QHBoxLayout:
    paragraph.setMaximumWidth(fonts.px(360))
    policy = paragraph.sizePolicy()
    policy.setHorizontalPolicy(QSizePolicy.Policy.Expanding)
    paragraph.setSizePolicy(policy)
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(paragraph, 100)
    row.addStretch(1)
    return row
