"""Scenes for the pictures: a record in a window of its own, and the badge in each of its states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit

from app.changes import SYNC, Changes
from sync.client.status import Phase, SyncStatus

if TYPE_CHECKING:
    from tests.ui.pictures import Camera


def shoot_torn(camera: Camera, title: str) -> None:
    """A record in a window of its own, its form, and the menu of a field in it."""
    camera.choose(title)
    camera.work.tear_off()
    assert camera.desk.detail is not None
    window = camera.work.torn.windows[camera.desk.detail.record.id]
    camera.until(window.isVisible)
    camera.shoot("torn", window)
    window.pane.edit()
    camera.until(lambda: True)
    camera.shoot("torn-form", window)
    line = next(each for each in window.findChildren(QLineEdit) if each.isVisibleTo(window))
    menu = line.createStandardContextMenu()
    menu.ensurePolished()
    menu.resize(menu.sizeHint())
    camera.shoot("field-menu", menu)
    menu.deleteLater()
    window.close()
    camera.until(lambda: not camera.work.torn.windows)


def shoot_syncing(camera: Camera) -> None:
    """The badge in each of its states, staged as the engine would tell them."""
    now = camera.shell.sync.last_ok
    states = {
        "sent": SyncStatus(Phase.IDLE, last_ok=now),
        "sending": SyncStatus(Phase.SENDING, waiting=3, last_ok=now),
        "fetching": SyncStatus(Phase.SENDING, last_ok=now, first=True, fetched=340, percent=28),
        "offline": SyncStatus(Phase.OFFLINE, waiting=3, last_ok=now),
        "needs": SyncStatus(Phase.IDLE, conflicts=2, attention=2, last_ok=now),
        "refused": SyncStatus(Phase.REFUSED, title="The server is newer than this program.", last_ok=now),
    }
    for name, status in states.items():
        camera.shell._stands(status)
        camera.until(lambda: True)
        camera.shoot(f"badge-{name}", camera.work.rail)
    camera.window.resize(980, 700)
    camera.until(lambda: True)
    camera.shoot("badge-compact", camera.work.rail)
    camera.window.resize(1440, 900)
    camera.shell._stands(states["sent"])
    camera.desk.heard(Changes((("deal", bytes(16)),), SYNC, 12))
    camera.until(lambda: True)
    camera.shoot("left")
    camera.desk.hush()
