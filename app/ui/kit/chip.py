"""A chip: a condition in a few words; a click or Enter changes it, Delete takes it away."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent

from app.ui.kit import paint
from app.ui.kit.buttons import Button, Part
from app.ui.theme import fonts
from app.ui.theme.tokens import FIELD, S24, Step

_WIDEST = 320


class Chip(Button):
    """`removed()` is Delete or Backspace; the arrow keys go to the chips beside it."""

    removed = Signal()

    def __init__(self, words: str, spoken: str = "") -> None:
        super().__init__("", Part.CHIP)
        self.setFont(fonts.font(Step.SMALL))
        self._words = words
        shown = paint.elided(words, self.font(), fonts.px(_WIDEST) - S24 - 4)
        self.setText(shown.replace("&", "&&"))
        self.setAccessibleName(spoken or words)
        if shown != words:
            self.setToolTip(words)

    def words(self) -> str:
        """What it says, in full."""
        return self._words

    def sizeHint(self) -> QSize:
        """As wide as its words."""
        shown = self.text().replace("&&", "&")
        return QSize(round(paint.width(shown, self.font())) + S24 + 4, fonts.px(FIELD))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter clicks, Delete removes, arrows go on; all else as in any button."""
        key = event.key()
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._go(1 if key == Qt.Key.Key_Right else -1)
        else:
            super().keyPressEvent(event)

    def _go(self, step: int) -> None:
        row = self.parentWidget()
        if row is None:
            return
        beside = [each for each in row.findChildren(Button) if each.isVisible()]
        at = beside.index(self) + step
        if 0 <= at < len(beside):
            beside[at].setFocus(Qt.FocusReason.TabFocusReason)
