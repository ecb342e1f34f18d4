"""One line about something just done, with a way to undo it; it goes by itself."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from app.ui.kit.buttons import Button, Part, icon_button
from app.ui.kit.text import Line
from app.ui.theme import fonts
from app.ui.theme.tokens import S4, S16
from app.viewmodels.telling import Aside
from sync.protocol.texts import gettext as _

SHOWN_MS: Final = 12_000
_HEIGHT = 44


class AsideLine(QFrame):
    """`undone()` is a click on Undo, `again()` one on Import again, `wanted_on()` one on Go on; `gone()` says that it
    may go.
    """

    undone = Signal()
    again = Signal()
    wanted_on = Signal()
    gone = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("part", "aside")
        self.setFixedHeight(fonts.px(_HEIGHT))
        row = QHBoxLayout(self)
        row.setContentsMargins(S16, 0, S4, 0)
        self._words = Line("")
        self._undo = Button(_("Undo"), Part.LINK)
        self._undo.clicked.connect(self.undone)
        self._again = Button(_("Import again"), Part.LINK)
        self._again.clicked.connect(self.again)
        self._on = Button(_("Go on"), Part.LINK)
        self._on.clicked.connect(self.wanted_on)
        close = icon_button("close", _("Hide this line"))
        close.clicked.connect(self.gone)
        row.addWidget(self._words, 1)
        row.addWidget(self._on)
        row.addWidget(self._undo)
        row.addWidget(self._again)
        row.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOWN_MS)
        self._timer.timeout.connect(self._expire)
        self.hide()

    def show_aside(self, aside: Aside | None) -> None:
        """Show the line, or hide it."""
        self.setVisible(aside is not None)
        if aside is None:
            self._words.setText("")
            self._timer.stop()
            return
        self._words.setText(aside.text)
        self._undo.setVisible(aside.undoes)
        self._again.setVisible(bool(aside.again))
        self._on.setVisible(aside.goes_on)
        if aside.stays:
            self._timer.stop()
        else:
            self._timer.start()
        from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent  # the first list says nothing

        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, aside.text))

    def _expire(self) -> None:
        # Whoever is on it with the keyboard still wants it.
        if self.focusWidget() is not None and self.focusWidget().hasFocus():
            self._timer.start()
        else:
            self.gone.emit()
