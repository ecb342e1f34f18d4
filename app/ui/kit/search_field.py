"""The search field: a lens, what to type, and the keys that bring one here."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit

from app.ui.kit.text import key_hint
from app.ui.theme import fonts, icons
from app.ui.theme.tokens import S4, S8, Colour, Step

_LENS = 16


class SearchField(QLineEdit):
    """A field to filter by; `typed(text)` follows each letter, and not what `empty` does.

    `onward()` is Down or Enter: go to what was found. `left()` is Esc in an empty field; a filled one is
    cleared by it. `undoing()` is Ctrl+Z with nothing typed to take back.
    """

    typed = Signal(str)
    undoing = Signal()
    onward = Signal()
    left = Signal()

    def __init__(self, name: str, hint: str, keys: str = "") -> None:
        super().__init__()
        self.setProperty("part", "search")
        self.setFont(fonts.font(Step.BODY))
        self.setAccessibleName(name)
        self.setPlaceholderText(hint)
        self._keys = key_hint(keys) if keys else None
        room = 0
        if self._keys is not None:
            self._keys.setParent(self)
            self._keys.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            room = self._keys.sizeHint().width() + S4
            self.textChanged.connect(self._hide_keys_over)
        self._telling = False
        self.textChanged.connect(self._tell)
        self.setTextMargins(_LENS + S4, 0, room, 0)

    def empty(self) -> None:
        """Something else is shown than what was searched for: no text, and none that Ctrl+Z brings back."""
        told, self._telling = self._telling, True
        self.setText("")
        self._telling = told

    def follow(self, searched: str) -> None:
        """Keep no text that is not searched for any more."""
        if not self._telling and not searched and self.text():
            self.empty()

    def _tell(self, text: str) -> None:
        if not self._telling:
            self._telling = True
            self.typed.emit(text)
            self._telling = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Down and Enter go on, Esc clears and then leaves; all else is typing."""
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.onward.emit()
        elif event.matches(QKeySequence.StandardKey.Undo) and not self.isUndoAvailable():
            self.undoing.emit()
        elif event.key() == Qt.Key.Key_Escape:
            if self.text():
                self.clear()
            else:
                self.left.emit()
        else:
            super().keyPressEvent(event)

    def _hide_keys_over(self, text: str) -> None:
        if self._keys is not None:
            self._keys.setVisible(not text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the keys at the right."""
        super().resizeEvent(event)
        if self._keys is not None:
            wide, high = self._keys.sizeHint().width(), self._keys.height()
            self._keys.setGeometry(self.width() - wide - S8, (self.height() - high) // 2, wide, high)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field and the lens."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        icons.paint(painter, "search", QRectF(S8, (self.height() - _LENS) / 2, _LENS, _LENS), Colour.FAINT)
