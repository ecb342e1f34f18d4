"""Totals in the window by keyboard alone: by stage, owner and month, and from a bar to the list behind it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt

from app.paths import Profile
from app.ui.kit.measures import ColumnChart, MeasureTable
from app.ui.kit.placeholder import Placeholder
from app.ui.totals import TotalsPage
from tests.ui.driver import Driver
from tests.ui.organisation import Organisation

Opened = Callable[..., Driver]


def page(driver: Driver) -> TotalsPage:
    found = driver.work.findChild(TotalsPage)
    assert found is not None
    return found


def spoken(view: MeasureTable | ColumnChart) -> list[str]:
    model = view.model()
    return [
        str(model.index(at, 0).data(Qt.ItemDataRole.AccessibleTextRole)) for at in range(model.rowCount())
    ]


def to_stop(driver: Driver, name: str) -> None:
    for _step in range(25):
        if driver.focus().accessibleName() == name:
            return
        driver.press("Shift+Tab")
    raise AssertionError(f"no stop {name}")


def test_from_a_bar_to_the_list_behind_it_and_back(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.press("Ctrl+9")
    driver.until(lambda: isinstance(driver.focus(), MeasureTable))
    shown = page(driver)
    assert spoken(shown.table) == [
        "Stage, Deals, Sum in USD",
        "Engaging, 10, $219,380",
        "Total, 10, $219,380",
    ]
    driver.press("Return")
    driver.until(lambda: driver.desk.section == "deal" and driver.desk.list.whole)
    assert driver.desk.list.count() == 10
    chips = [chip.words() for chip in driver.work.list.filter.chips()]
    assert chips == ["Amount: in currency USD", "Stage: Engaging"]
    driver.press("Alt+Left")
    driver.until(lambda: isinstance(driver.focus(), MeasureTable))
    assert page(driver).table.isVisible()
    driver.press("Esc")
    assert driver.desk.section != "totals"


def test_months_are_columns_with_a_table_below_and_the_number_is_a_measure(
    opened: Opened, laptop: Profile
) -> None:
    driver = opened(laptop)
    driver.press("Ctrl+9")
    driver.until(lambda: isinstance(driver.focus(), MeasureTable))
    shown = page(driver)
    to_stop(driver, "By what: Stage")
    driver.press("Right")
    driver.press("Right")
    driver.until(lambda: shown.chart.isVisible())
    assert shown._state.currentText() == "Open"
    assert len(spoken(shown.table)) == len(spoken(shown.chart)) + 2
    shown.chart.setFocus()
    assert shown.chart.chosen_row() == len(spoken(shown.chart)) - 1, "the latest month first"
    driver.press("Left")
    assert shown.chart.chosen_row() == len(spoken(shown.chart)) - 2
    to_stop(driver, "Measured by")
    driver.press("End")
    driver.until(lambda: spoken(shown.table)[0] == "Month, Deals")
    shown.chart.setFocus()
    driver.press("Home")
    kept = int(spoken(shown.chart)[0].rpartition(", ")[2])
    driver.press("Return")
    driver.until(lambda: driver.desk.section == "deal" and driver.desk.list.whole)
    assert driver.desk.list.count() == kept


def test_without_a_deal_one_action_is_offered(opened: Opened, org: Organisation, name: str) -> None:
    driver = opened(org.laptop(name, org.person(name)))
    driver.press("Ctrl+9")
    driver.until(lambda: page(driver).findChild(Placeholder) is not None)
    assert not page(driver)._choosers.isVisible()
    for _step in range(20):
        driver.press("Tab")
        if driver.focus().property("text") == "New deal":
            break
    driver.press("Space")
    driver.until(lambda: driver.desk.editor is not None)
    assert driver.desk.section == "deal"
