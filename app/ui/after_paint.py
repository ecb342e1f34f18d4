"""Calls something once a widget has been painted, so that what nobody waits for begins behind what is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

AT_LAST_MS: Final = 1_000  # what is not seen is not painted: a window that is covered, a list that is empty


class AfterPaint(QObject):
    """Waits for the next paint of a widget, or for `AT_LAST_MS`; then calls, and goes."""

    def __init__(self, widget: QWidget, call: Callable[[], None]) -> None:
        super().__init__(widget)
        self._call: Callable[[], None] | None = call
        self._watched = widget
        widget.installEventFilter(self)
        QTimer.singleShot(AT_LAST_MS, self, self._go_on)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The event goes its way; the call follows when it is done."""
        if event.type() is QEvent.Type.Paint:
            QTimer.singleShot(0, self, self._go_on)
        return False

    def _go_on(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            self._watched.removeEventFilter(self)
            self.deleteLater()
            call()
