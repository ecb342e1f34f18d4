"""What a person sees of the window, and when: waits for the moment in which something was painted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from app.paths import Profile
from app.ui.kit.painted_list import PaintedList
from app.ui.kit.search_field import SearchField
from app.ui.run import Desktop, make_application
from app.ui.window import Window
from app.ui.workplace import Workplace
from app.viewmodels.desk import Desk

WAIT_MS: Final = 60_000


class Painted(QObject):
    """Watches a widget; `wait` ends when it has been painted while a condition held."""

    def __init__(self, watched: QObject) -> None:
        super().__init__()
        self._condition: Callable[[], bool] | None = None
        self._loop = QEventLoop()
        self._done = 0.0
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A paint that counts ends the waiting, after it has been painted."""
        if event.type() is QEvent.Type.Paint and self._condition is not None and self._condition():
            self._condition = None
            QTimer.singleShot(0, self._finish)
        return False

    def _finish(self) -> None:
        self._done = time.perf_counter()
        self._loop.quit()

    def after(self, act: Callable[[], object], condition: Callable[[], bool]) -> float:
        """Milliseconds from `act` to the end of the first paint in which `condition` held.

        Raises TimeoutError when there is none.
        """
        self._condition = condition
        self._done = 0.0
        limit = QTimer()
        limit.setSingleShot(True)
        limit.timeout.connect(self._loop.quit)
        limit.start(WAIT_MS)
        began = time.perf_counter()
        act()
        if not self._done:
            self._loop.exec()
        limit.stop()
        if not self._done:
            raise TimeoutError("it was never painted")
        return (self._done - began) * 1000


class Shown:
    """The desktop of a profile, open, with its first list painted and every place of it known."""

    def __init__(self, profile: Profile) -> None:
        self.application = application()
        self.desktop = Desktop(profile, self.application)
        self.desktop.open()
        wait_for(lambda: isinstance(self.window.shown, Workplace))
        self.painted = Painted(self.rows.viewport())
        if not (self.desk.list.ready and all_here(self.rows)):
            self.painted.after(lambda: None, lambda: self.desk.list.ready and all_here(self.rows))
        began = time.perf_counter()
        wait_for(lambda: self.desk.list.whole)
        self.whole_s = time.perf_counter() - began  # until every place of the list is known

    @property
    def window(self) -> Window:
        """The window."""
        return self.desktop.window

    @property
    def work(self) -> Workplace:
        """The open workplace."""
        shown = self.window.shown
        assert isinstance(shown, Workplace)
        return shown

    @property
    def rows(self) -> PaintedList:
        """The list of the workplace."""
        return self.work.list.rows

    @property
    def search(self) -> SearchField:
        """The search field."""
        return self.work.search

    @property
    def desk(self) -> Desk:
        """What the workplace knows."""
        desk = self.desktop.shell.desk
        assert desk is not None
        return desk

    def close(self) -> None:
        """Close as a person does."""
        gone = QEventLoop()
        self.window.gone.connect(gone.quit)
        QTimer.singleShot(0, self.window.close)
        gone.exec()
        self.desktop.close()


def application() -> QApplication:
    """The one application of this process."""
    there = QApplication.instance()
    return there if isinstance(there, QApplication) else make_application()


def all_here(rows: PaintedList) -> bool:
    """Whether every row on the screen says something; a row still being fetched does not."""
    count, first = rows.model().rowCount(), rows.rowAt(0)
    last = rows.rowAt(rows.viewport().height() - 1)
    last = count - 1 if last < 0 else last
    return first >= 0 and all(rows.row(at) is not None for at in range(first, last + 1))


def wait_for(condition: Callable[[], object], limit_ms: int = WAIT_MS) -> None:
    """Let the loop run until a condition holds. Raises TimeoutError."""
    loop = QEventLoop()
    until = time.monotonic() + limit_ms / 1000
    timer = QTimer()
    timer.setInterval(2)
    timer.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() > until else None)
    timer.start()
    if not condition():
        loop.exec()
    timer.stop()
    if not condition():
        raise TimeoutError("it did not come about")


def let_run(milliseconds: int) -> None:
    """Let the loop run for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
