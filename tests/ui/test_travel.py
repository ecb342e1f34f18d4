"""A journey begun and ended in the window, by the palette: names leave the list and come back, settings say so."""

from __future__ import annotations

from collections.abc import Callable

from app.paths import Profile
from tests.ui.driver import Driver

Opened = Callable[..., Driver]
DOTS = "•••"


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
    driver.until(lambda: session.state.travelling)
    driver.until(lambda: set(driver.titles()) == {DOTS})
    assert "Travel" in dict(driver.shell.about())
    _ask_for(driver)
    driver.until(lambda: driver.titles() == before)
    assert "Travel" not in dict(driver.shell.about())
    assert "0 days old" in dict(driver.shell.about())["Keys of this device"]
