"""Watches whether anybody uses the windows: keys and mouse, at the windows themselves, before any page has them.

A timer stands still while the machine sleeps. So the clock is asked, which does not: at the timer, at each wake, and
before anything that a person does after a long while reaches a page.
"""

from __future__ import annotations

import weakref
from typing import Final

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication, QWindow

from app.viewmodels.locking import Locking

_USE: Final = frozenset(
    {
        QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.Wheel,
        QEvent.Type.TouchBegin, QEvent.Type.TouchUpdate, QEvent.Type.TabletPress, QEvent.Type.TabletMove,
    }
)  # fmt: skip
_LOOK_MS: Final = 60_000  # at the latest; the policy may have changed
_SOON_MS: Final = 50


class IdleWatch(QObject):
    """Tells `locking` of each use, and has it look at the clock when the time may be over."""

    def __init__(self, application: QGuiApplication, locking: Locking) -> None:
        super().__init__(application)
        self._locking = locking
        self._watched: weakref.WeakSet[QWindow] = weakref.WeakSet()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)
        application.focusWindowChanged.connect(self._watch)
        self._look()

    def end(self) -> None:
        """Watch no more."""
        self._timer.stop()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Nothing that comes after too long reaches a page: the window locks first."""
        return event.type() in _USE and not self._locking.touched()

    def _watch(self, window: QWindow | None) -> None:
        if window is not None and window not in self._watched:
            self._watched.add(window)
            window.installEventFilter(self)

    def _look(self) -> None:
        self._locking.look_at_clock()
        left = self._locking.seconds_left()
        wait = _LOOK_MS if left is None else min(_LOOK_MS, max(_SOON_MS, int(left * 1000) + 1))
        self._timer.start(wait)
