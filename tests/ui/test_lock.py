"""IT's lock page by keyboard: F5 asks the server again, and what it said stands there and is read out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from app.paths import Profile
from app.ui.lock import LockPage
from app.viewmodels.notices import Screen
from tests.ui.driver import Driver, words_below
from tests.ui.organisation import Organisation

Opened = Callable[..., Driver]


def test_f5_asks_again_and_the_answer_is_announced(
    opened: Opened, laptop: Profile, org: Organisation, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    driver = opened(laptop)
    driver.until(lambda: driver.shell.sync.last_ok and not driver.shell.sync.waiting)

    def hear(event: QAccessibleEvent) -> None:
        if isinstance(event, QAccessibleAnnouncementEvent):
            told.append(event.message())

    monkeypatch.setattr(QAccessible, "updateAccessibility", hear)
    org.admin("lock", name)
    driver.shell.try_now()
    driver.until(lambda: driver.shell.screen is Screen.LOCK)
    page = driver.window.shown
    assert isinstance(page, LockPage)
    driver.press("F5")
    driver.until(lambda: "this device stays locked." in words_below(page))
    assert told[0] == "Asking the server …"
    assert told[-1].endswith("this device stays locked.")

    org.stop()
    try:
        driver.press("F5")
        driver.until(lambda: "The server cannot be reached now." in told)
        assert "The server cannot be reached now." in words_below(page)
    finally:
        org.start()
    org.admin("unlock", name)
    driver.press("F5")
    driver.until(lambda: driver.shell.screen is Screen.WORK)


def test_the_open_menu_of_the_badge_does_not_keep_the_window_from_locking(
    opened: Opened, laptop: Profile
) -> None:
    driver = opened(laptop)
    driver.until(lambda: driver.shell.sync.last_ok and not driver.shell.sync.waiting)
    driver.work.rail.badge.click()
    menu = driver.application.activePopupWidget()
    assert isinstance(menu, QMenu)
    QTest.keyClick(menu, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    driver.until(lambda: driver.shell.screen is Screen.LOCK)
    assert driver.application.activePopupWidget() is None
