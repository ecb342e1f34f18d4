"""The lines above the lists that say what policy asks of this device: a warning can be hidden, a restriction stays."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from app.ui.kit.announcing import announce
from app.ui.kit.buttons import icon_button
from app.ui.kit.text import Paragraph
from app.ui.theme.palette import ink
from app.ui.theme.tokens import S4, S8, S16, Colour
from app.viewmodels.ruled import Ruled
from sync.protocol.texts import gettext as _


class PolicyBar(QFrame):
    """Shows what it was given last; there is none while nothing is asked."""

    def __init__(self, place: QVBoxLayout) -> None:
        super().__init__()
        place.addWidget(self)
        self._hidden: frozenset[str] = frozenset()
        self._ruled = Ruled()
        self._shown: list[tuple[str, str]] = []
        self._lines: list[_Line] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def show_ruled(self, ruled: Ruled) -> None:
        """Show what policy asks now; said aloud where it is new."""
        self._ruled = ruled
        lines = ruled.lines(self._hidden)
        if lines == self._shown:
            return
        fresh = [text for _signal, text in lines if text not in {text for _signal, text in self._shown}]
        self._shown = lines
        for line in self._lines:
            self._column.removeWidget(line)
            line.setParent(None)
            line.deleteLater()
        self._lines = [_Line(self, signal, text) for signal, text in lines]
        for line in self._lines:
            self._column.addWidget(line)
        self.setVisible(bool(lines))
        for text in fresh:
            announce(self, text)

    def hide_warning(self, signal: str) -> None:
        """Somebody has read it."""
        self._hidden |= {signal}
        self.show_ruled(self._ruled)


class _Line(QFrame):
    """One sentence on its ground; with a signal, one that can be hidden."""

    def __init__(self, bar: PolicyBar, signal: str, text: str) -> None:
        super().__init__()
        self._ground = Colour.WARN_GROUND if signal else Colour.BAD_GROUND
        row = QHBoxLayout(self)
        row.setContentsMargins(S16, S4, S4, S4)
        row.setSpacing(S8)
        words = Paragraph(text)
        words.setAccessibleName(text)
        row.addWidget(words, 1, Qt.AlignmentFlag.AlignVCenter)
        if signal:
            close = icon_button("close", _("Hide this warning"))
            close.clicked.connect(lambda: bar.hide_warning(signal))
            row.addWidget(close)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground says how grave it is; the words say it as well."""
        QPainter(self).fillRect(self.rect(), ink(self._ground))
