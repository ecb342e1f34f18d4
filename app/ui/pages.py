"""What pages beside the list share: a heading, a column of limited width, and scrolling."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.ui.kit.text import Paragraph, label
from app.ui.theme import fonts
from app.ui.theme.tokens import S12, S16, S24, TEXT_WIDTH, Colour, Step


class Page(QScrollArea):
    """A page with a heading; `left()` is Esc. `column` takes what stands on it, `head` goes on beside the heading."""

    left = Signal()

    def __init__(self, heading: str, below: str = "", width: int = TEXT_WIDTH) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page = QFrame()
        page.setProperty("part", "page")
        outer = QVBoxLayout(page)
        outer.setContentsMargins(S24, S24, S24, S24)
        holder = QWidget()
        holder.setMaximumWidth(fonts.px(width))
        self.column = QVBoxLayout(holder)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(S16)
        self.head = QHBoxLayout()
        self.head.setSpacing(S12)
        self.head.addWidget(label(heading, Step.TITLE, semibold=True))
        self.column.addLayout(self.head)
        if below:
            self.column.addWidget(Paragraph(below, Step.BODY, Colour.SOFT))
        outer.addWidget(holder)
        outer.addStretch(1)
        self.setWidget(page)

    def enter(self) -> None:
        """Put the focus on its first stop."""
        first = self.nextInFocusChain()
        if first is not None and self.isAncestorOf(first):
            first.setFocus()

    def let_go(self) -> None:
        """Stop watching: the page goes. Pages that watch nothing have nothing to do."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)
