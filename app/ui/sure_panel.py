"""Asks once more before something large: what it is, and what becomes of it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.ui.kit.buttons import Button, Part
from app.ui.kit.text import Paragraph
from app.ui.question import took_key
from app.ui.theme.tokens import S8, S12, S16, Colour, Step
from sync.protocol.texts import gettext as _


class SurePanel(QFrame):
    """`sure()` is yes; `done()` is no. The focus begins on no, so a hasty Enter does nothing."""

    sure = Signal()
    done = Signal()

    def __init__(self, question: str, more: str, verb: str, part: Part) -> None:
        super().__init__()
        self.setProperty("part", "asking")
        self.setAccessibleName(question)
        column = QVBoxLayout(self)
        column.setContentsMargins(S16, S12, S16, S12)
        column.setSpacing(S8)
        column.addWidget(Paragraph(question, Step.BODY))
        column.addWidget(Paragraph(more, Step.SMALL, Colour.SOFT))
        row = QHBoxLayout()
        row.setSpacing(S8)
        self._yes = Button(verb, part)
        self._yes.clicked.connect(self.sure)
        self._no = Button(_("Cancel"), Part.QUIET)
        self._no.clicked.connect(self.done)
        self._no.setAccessibleDescription(question)
        row.addWidget(self._yes)
        row.addStretch(1)
        row.addWidget(self._no)
        column.addLayout(row)

    def enter(self) -> None:
        """Put the focus into it."""
        self._no.setFocus(Qt.FocusReason.TabFocusReason)

    def stops(self) -> list[QWidget]:
        """What takes the focus by Tab, in reading order."""
        return [self._yes, self._no]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus, Esc leaves."""
        if not took_key(self, event, self.done.emit, self.done.emit):
            super().keyPressEvent(event)
