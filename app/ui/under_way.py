"""What goes on while its own page is not shown, an import or an act on many records: told at the foot of the window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer

from app.commands import IMPORT
from app.ui.kit.bars import FootLine
from app.viewmodels.desk import Desk

_PACE_MS: Final = 500


class UnderWay(QObject):
    """Looks after the line at the foot; `words` stand there otherwise, `in_list` says that lists are shown."""

    def __init__(
        self, parent: QObject, desk: Desk, words: Callable[[], tuple[str, str]], in_list: Callable[[], bool]
    ) -> None:
        super().__init__(parent)
        self.line = FootLine()
        self._desk = desk
        self._words = words
        self._in_list = in_list
        self._pace = QTimer(self)
        self._pace.setInterval(_PACE_MS)
        self._pace.timeout.connect(self.refresh)
        self._unwatch = desk.acting.watch(self._acted)

    def refresh(self) -> None:
        """Say how far it is, or what is said otherwise."""
        left, right = self._words()
        self.line.show_words(self._told() or left, right)
        if not (self._desk.acting.running or IMPORT in self._desk.beside):
            self._pace.stop()
        elif not self._pace.isActive():
            self._pace.start()

    def let_go(self) -> None:
        """Stop watching."""
        self._pace.stop()
        self._unwatch()

    def _acted(self) -> None:
        if not (self._desk.acting.running and self._pace.isActive()):
            self.refresh()

    def _told(self) -> str:
        acting = self._desk.acting
        if acting.running and not self._in_list():
            from app.viewmodels.act_words import progress

            return progress(acting.going, acting.at, acting.total, acting.seconds_left())
        if IMPORT in self._desk.beside:
            from app.viewmodels.bringing import kept

            bringing = kept(self._desk)
            return bringing.in_a_line() if bringing is not None else ""
        return ""
