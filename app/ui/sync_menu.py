"""What opens at the sync badge: the sentence behind its words, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from app.commands import COMMANDS, CONFLICTS, Command
from app.ui.kit.badge import BadgeState
from app.viewmodels.sync_state import Standing
from sync.protocol.texts import gettext as _


class _Menu(QMenu):
    """A menu that takes no command's keys away: an open one holds all keys, and locking must not wait for it."""

    def __init__(self, badge: QWidget, run: Callable[[Command], None]) -> None:
        super().__init__(badge)
        self._run = run

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close, and do what the keys are for."""
        pressed = QKeySequence(event.keyCombination())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            for command in COMMANDS:
                if any(QKeySequence(keys) == pressed for keys in command.keys):
                    self.close()
                    self._run(command)
                    return
        super().keyPressEvent(event)


def tell(
    badge: QWidget,
    standing: Standing,
    sync_now: Callable[[], None],
    go: Callable[[str], None],
    run: Callable[[Command], None],
) -> None:
    """Show it at the badge; what needs a person is shown at once."""
    if standing.state == BadgeState.NEEDS:
        go(CONFLICTS)
        return
    menu = _Menu(badge, run)
    told = menu.addAction(standing.sentence)
    told.setEnabled(False)
    if standing.action:
        menu.addAction(standing.action, sync_now)
    if standing.beside:
        menu.addAction(_("Show {conflicts}").format(conflicts=standing.beside), lambda: go(CONFLICTS))
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(badge.mapToGlobal(badge.rect().topLeft()))
