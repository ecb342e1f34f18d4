"""The windows of records that were torn off: made, brought to the front, and destroyed with the workplace."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Protocol

from PySide6.QtWidgets import QWidget

from app.commands import Command
from app.ui.screenshots import shield
from app.viewmodels.desk import Desk
from app.viewmodels.shell import Shell

if TYPE_CHECKING:
    from app.ui.torn_window import TornWindow

# What is done without the main window coming to the front.
_BEHIND = frozenset({"lock", "sync"})


class Main(Protocol):
    """The main window, for what is asked of it in another."""

    def run(self, command: Command) -> None:
        """Run a command."""

    def come_forward(self) -> None:
        """Show what the desk shows now."""


class TornOff:
    """One window for each record of `desk.torn`."""

    def __init__(self, owner: QWidget, main: Main, shell: Shell, desk: Desk) -> None:
        self._owner = owner
        self.windows: dict[bytes, TornWindow] = {}
        self._main = main
        self._shell = shell
        self._desk = desk
        self._unwatch: Callable[[], None] = desk.on_torn.watch(self._follow)

    def tear_off(self) -> None:
        """Show the record that the desk shows in a window of its own, at the front."""
        if self._desk.detail is not None:
            self._desk.tear_off()
            self.windows[self._desk.detail.record.id].begin()

    def let_go(self) -> None:
        """Destroy all of them; drafts stay with the desk until the store has taken them."""
        self._unwatch()
        while self.windows:
            self._end(self.windows.popitem()[1])

    def _follow(self) -> None:
        for id_ in [each for each in self.windows if each not in self._desk.torn]:
            self._end(self.windows.pop(id_))
        for id_, torn in self._desk.torn.items():
            if id_ not in self.windows:
                from app.ui.torn_window import TornWindow  # forms and all: the first list needs none of it

                made = self.windows[id_] = TornWindow(
                    self._shell, torn, self._run, self._number(torn.kind.name)
                )
                shield(made, self._shell.ruled.shields)
                made.left.connect(lambda torn=torn: self._desk.put_back(torn))
                torn.on_elsewhere.watch(self._come_forward)

    def _number(self, kind: str) -> int:
        """The first number that no window of this kind has: it stays as long as the window."""
        taken = {each.number for each in self.windows.values() if each.torn.kind.name == kind}
        return next(number for number in count(1) if number not in taken)

    def _end(self, window: TornWindow) -> None:
        """Destroy a window; whoever was in it goes on in the main window."""
        main = self._owner.window()
        if window.isActiveWindow() and main.isVisible():
            main.activateWindow()
        window.let_go()

    def _come_forward(self) -> None:
        window = self._owner.window()
        window.raise_()
        window.activateWindow()
        self._main.come_forward()

    def _run(self, command: Command) -> None:
        if command.id not in _BEHIND:
            self._come_forward()
        self._main.run(command)
