"""Looks after what was copied out of the window: cleared where policy bars copying, after a while, and at every lock.

Only what is still ours is cleared: what another program has put there since is somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QClipboard

from app.viewmodels.ruled import Ruled

_MODES: Final = (QClipboard.Mode.Clipboard, QClipboard.Mode.Selection)


class ClipboardGuard(QObject):
    """`ruled` gives what policy says now; `refused` is told when something was copied that may not be."""

    def __init__(
        self, parent: QObject, clipboard: QClipboard, ruled: Callable[[], Ruled], refused: Callable[[], None]
    ) -> None:
        super().__init__(parent)
        self._clipboard = clipboard
        self._ruled = ruled
        self._refused = refused
        self._clearing = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.clear)
        clipboard.changed.connect(self._changed)

    def clear(self) -> None:
        """Take away what is still ours."""
        self._timer.stop()
        self._clearing = True
        try:
            for mode in _MODES:
                if self._is_ours(mode):
                    self._clipboard.clear(mode)
        finally:
            self._clearing = False

    def _changed(self, mode: QClipboard.Mode) -> None:
        # Told in the moment of the copying itself: no other program has been given anything by then.
        if self._clearing or mode not in _MODES or not self._is_ours(mode):
            return
        ruled = self._ruled()
        if not ruled.copies:
            self.clear()
            if mode is QClipboard.Mode.Clipboard:  # the other one follows every selection
                self._refused()
        elif ruled.clear_s > 0:
            self._timer.start(ruled.clear_s * 1_000)

    def _is_ours(self, mode: QClipboard.Mode) -> bool:
        if mode is QClipboard.Mode.Selection:
            return self._clipboard.supportsSelection() and self._clipboard.ownsSelection()
        return self._clipboard.ownsClipboard()
