"""Icons are on one grid with one stroke and no colour of their own, and are drawn sharp in the colour asked for."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import QApplication

from app import resources
from app.ui.theme import icons, tokens
from app.ui.theme.palette import palette
from app.ui.theme.tokens import Colour, Scheme

WANTED = {
    "today",
    "customer",
    "contact",
    "deal",
    "product",
    "activity",
    "task",
    "consent",
    "conflict",
    "settings",
    "search",
    "lock",
    "cloud-done",
    "cloud-up",
    "cloud-off",
    "cloud-cross",
    "plus",
    "back",
    "import",
    "phone",
    "mail",
    "company",
    "person",
    "chevron",
    "check",
    "alert",
    "wiped",
}


def test_all_that_are_wanted_are_there() -> None:
    assert not WANTED.difference(icons.names())


@pytest.mark.parametrize("name", icons.names())
def test_one_grid_one_stroke_no_colour(name: str) -> None:
    source = resources.read_text(f"icons/{name}.svg")
    assert 'viewBox="0 0 24 24"' in source
    assert re.findall(r'stroke-width="([^"]+)"', source) == ["1.7"]
    assert set(re.findall(r'(?:stroke|fill)="([^"]+)"', source)) == {"currentColor", "none"}


@pytest.mark.parametrize("name", icons.names())
def test_each_draws_something_of_its_own(qapp: QApplication, name: str) -> None:
    qapp.setPalette(palette(Scheme.LIGHT))
    mine = icons.picture(name, Colour.TEXT, 24, 1.0).toImage()
    assert _colours(mine) == {tokens.value(Colour.TEXT, Scheme.LIGHT).lower()}
    twins = [other for other in icons.names() if icons.picture(other, Colour.TEXT, 24, 1.0).toImage() == mine]
    assert twins == [name]


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_pixels_follow_the_screen(qapp: QApplication, ratio: float) -> None:
    drawn = icons.icon("lock").pixmap(QSize(20, 20), ratio)
    assert drawn.size() == QSize(round(20 * ratio), round(20 * ratio))
    assert drawn.devicePixelRatio() == pytest.approx(ratio)


def test_one_icon_takes_the_tint_of_the_scheme_worn(qapp: QApplication) -> None:
    held = icons.icon("lock", Colour.ACCENT)
    for scheme in (Scheme.LIGHT, Scheme.DARK, Scheme.LIGHT):
        qapp.setPalette(palette(scheme))
        assert _colours(held.pixmap(QSize(20, 20)).toImage()) == {tokens.value(Colour.ACCENT, scheme).lower()}
    unable = held.pixmap(QSize(20, 20), QIcon.Mode.Disabled).toImage()
    assert _colours(unable) == {tokens.value(Colour.FAINT, Scheme.LIGHT).lower()}


def test_unknown_icon_is_refused(qapp: QApplication) -> None:
    with pytest.raises(FileNotFoundError):
        icons.icon("no-such-icon")


def _colours(image: QImage) -> set[str]:
    """Colours of all wholly painted pixels."""
    return {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    }
