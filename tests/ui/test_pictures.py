"""The window is drawn in every look and scale, and not by luck: what differs must differ."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtGui import QColor, QImage

from app.paths import Profile
from app.ui.theme.style import Look
from app.ui.theme.tokens import Colour, Scheme, value
from app.viewmodels.notices import Screen
from tests.ui import sample
from tests.ui.driver import Driver

Opened = Callable[..., Driver]


def _colours(image: QImage) -> set[int]:
    return {image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}


def _picture(driver: Driver, look: Look) -> QImage:
    driver.desktop.theme.use(look)
    driver.settle()
    return driver.window.grab().toImage()


@pytest.mark.parametrize(("look", "scheme"), [(Look.LIGHT, Scheme.LIGHT), (Look.DARK, Scheme.DARK)])
def test_every_screen_is_drawn_in_its_scheme(
    opened: Opened, laptop: Profile, look: Look, scheme: Scheme
) -> None:
    driver = opened(laptop)
    driver.choose(sample.FIRST)
    shots = {"main": _picture(driver, look)}
    driver.press("Ctrl+E")
    shots["form"] = _picture(driver, look)
    for section in ("deal", "today", "totals", "conflicts", "settings", "keys"):
        driver.work.go(section)
        driver.until(lambda: driver.desk.list.ready)
        shots[section] = _picture(driver, look)
    driver.press("Ctrl+L")
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)
    shots["lock"] = _picture(driver, look)
    for name, image in shots.items():
        assert len(_colours(image)) > 12, name
        ground = value(Colour.CANVAS, scheme)
        assert QColor(image.pixel(image.width() - 20, image.height() - 60)) == QColor(ground), name
    assert len({bytes(image.constBits()[:]) for image in shots.values()}) == len(shots)
    driver.desktop.theme.use(Look.LIGHT)
