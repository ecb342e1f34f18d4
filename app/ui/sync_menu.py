"""What opens at the sync badge: the sentence behind its words, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.commands import CONFLICTS
from app.ui.kit.badge import BadgeState
from app.viewmodels.sync_state import Standing
from sync.protocol.texts import gettext as _


def tell(badge: QWidget, standing: Standing, sync_now: Callable[[], None], go: Callable[[str], None]) -> None:
    """Show it at the badge; what needs a person is shown at once."""
    if standing.state == BadgeState.NEEDS:
        go(CONFLICTS)
        return
    menu = QMenu(badge)
    told = menu.addAction(standing.sentence)
    told.setEnabled(False)
    if standing.action:
        menu.addAction(standing.action, sync_now)
    if standing.beside:
        menu.addAction(_("Show {conflicts}").format(conflicts=standing.beside), lambda: go(CONFLICTS))
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(badge.mapToGlobal(badge.rect().topLeft()))
