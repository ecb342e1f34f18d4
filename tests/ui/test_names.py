"""Everything that takes the focus says what it is, on every screen; and nothing is without reach of the keyboard."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from app.paths import Profile
from app.viewmodels.notices import Screen
from tests.ui import sample
from tests.ui.driver import Driver, stops
from tests.ui.organisation import Organisation

Opened = Callable[..., Driver]


def nameless(root: QWidget) -> list[str]:
    labelled = {label.buddy() for label in root.findChildren(QLabel) if label.buddy() is not None}
    return [
        type(widget).__name__
        for widget in stops(root)
        if not widget.accessibleName()
        and not (isinstance(widget, QAbstractButton) and widget.text())
        and widget not in labelled
    ]


def test_every_stop_has_a_name_in_the_workplace(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    assert not nameless(driver.window)
    for title in (sample.FIRST, "Betatech"):
        driver.choose(title)
        for tab in driver.work.detail.pages():
            driver.work.detail.show_page(tab)
            driver.settle()
            assert not nameless(driver.window), tab
    for at in range(1, 8):
        driver.press(f"Ctrl+{at}")
        driver.until(lambda: driver.desk.list.ready)
        driver.press("Ctrl+N")
        assert not nameless(driver.window)
        driver.press("Esc")
        driver.press("Esc")
    for section in ("today", "totals", "conflicts", "settings", "keys"):
        driver.work.go(section)
        driver.settle()
        assert not nameless(driver.window), section


def test_every_stop_has_a_name_on_pages_without_records(
    opened: Opened, laptop: Profile, org: Organisation, name: str
) -> None:
    enrol = opened(Profile(org.folder / f"{name}-none"))
    assert enrol.shell.screen is Screen.ENROL
    assert not nameless(enrol.window)
    enrol.close()
    driver = opened(laptop)
    driver.press("Ctrl+L")
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)
    driver.settle()
    assert [type(stop).__name__ for stop in stops(driver.window)] == ["Button"]
    assert not nameless(driver.window)


def test_rows_speak_in_one_sentence(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    row = driver.desk.rows.row(driver.row_of("Betatech"))
    assert row is not None
    model = driver.work.list.rows.model()

    spoken = model.index(driver.row_of("Betatech"), 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Betatech, Medical · Boston, Prospect, waiting")


def test_tab_goes_through_the_form_in_reading_order(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.choose("Betatech")
    driver.press("Ctrl+E")
    seen = [driver.focus().accessibleName()]
    for _step in range(4):
        driver.press("Tab")
        seen.append(driver.focus().accessibleName())
    assert seen == ["Name", "Type", "Stage", "Industry", "Phones"]


def test_a_narrow_window_shows_list_and_detail_in_turn(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop, (720, 700))
    assert driver.work.list.isVisible()
    assert not driver.work.detail.isVisible()
    driver.choose("Betatech")
    driver.press("Return")
    assert driver.work.detail.isVisible()
    assert not driver.work.list.isVisible()
    driver.press("Esc")
    assert driver.work.list.isVisible()
    assert not driver.work.detail.isVisible()
    assert driver.work.rail.width() == 72
    driver.window.resize(1200, 700)
    driver.settle()
    assert driver.work.list.isVisible()
    assert driver.work.detail.isVisible()
    assert driver.work.rail.width() == 184
