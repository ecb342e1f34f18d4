"""Collects garbage in the screen's thread alone: in any other it can stop the window for good.

The interpreter collects in whichever thread happens to allocate. When what it finds hangs on a Qt object, PySide
disconnects signals there and then: it holds Qt's lock and waits for the interpreter's, which the screen's thread may
hold while it waits for Qt's. So while a window is open nobody collects but this sweeper, between two events.
"""

from __future__ import annotations

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

EVERY_MS: Final = 250  # what threads leave behind in that time is no weight


class Sweeper(QObject):
    """Takes the collecting over from the interpreter; begins when it is told."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._old = 0  # how many objects the last look at all of them has left
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self._sweep)

    def begin(self) -> None:
        """From now on look at what has come together; a second call does nothing."""
        if not self._timer.isActive():
            self._timer.start()

    def _sweep(self) -> None:
        self._old = sweep(self._old)


def sweep(old: int = 0) -> int:
    """Collect the oldest generation that has come to its threshold, as the interpreter would; how many objects the
    last look at all of them has left, of which `old` tells before.

    Such a look takes longer than a frame, so there must be a fourth more of the old ones than it has left: the
    interpreter has that rule for itself, and not for whoever calls it.
    """
    due = [count > limit for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)]
    if due[2] and len(gc.get_objects(2)) * 4 > old * 5:
        gc.collect(2)
        return len(gc.get_objects(2))
    if due[1]:
        gc.collect(1)
    elif due[0]:
        gc.collect(0)
    return old
