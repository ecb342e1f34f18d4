"""A journey begun and ended in the window, by the palette: names leave the list and come back, settings say so."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QLabel, QWidget

from app.paths import Profile
from app.ui.sure_panel import SurePanel
from tests.ui.driver import Driver

Opened = Callable[..., Driver]
DOTS = "•••"


def _all_text(part: QWidget) -> str:
    return " ".join(label.text() for label in part.findChildren(QLabel))


def _ask_for(driver: Driver) -> None:
    driver.press("Ctrl+K")
    driver.type("travel")
    driver.offer("Travel: begin or end a journey")


def test_what_stays_at_home_leaves_the_window_and_comes_back(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    session = driver.shell.session
    assert session is not None
    driver.until(lambda: driver.desk.counts and driver.desk.counts.unsent == 0)
    before = driver.titles()
    _ask_for(driver)
    driver.until(lambda: driver.window.findChild(SurePanel, "journey"))
    asked = driver.window.findChild(SurePanel, "journey")
    assert asked is not None
    assert "cannot add any of these here: customers" in _all_text(asked)
    assert not session.state.travelling
    asked.sure.emit()
    driver.until(lambda: session.state.travelling)
    driver.until(lambda: set(driver.titles()) == {DOTS})
    assert "Travel" in dict(driver.shell.about())
    driver.until(lambda: driver.shell.standing().words.startswith("Travelling · "))
    assert "This device travels" in driver.shell.standing().sentence
    assert driver.shell.foot()[0].startswith("This device travels")
    _ask_for(driver)
    driver.until(lambda: driver.titles() == before)
    driver.until(lambda: driver.shell.standing().words.startswith("Up to date"))
    assert "Travel" not in dict(driver.shell.about())
    assert "0 days old" in dict(driver.shell.about())["Keys of this device"]
