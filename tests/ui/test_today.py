"""A day in the window by keyboard alone: from the first line to a record and back, a task done and undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.paths import Profile
from app.services.opening import open_session
from app.store import records
from app.ui.kit.grouped_list import Entry, GroupedList
from app.ui.kit.painted_list import PaintedList
from app.ui.kit.placeholder import Placeholder
from app.ui.today import TodayPage
from sync.protocol.kinds import KINDS
from tests.ui.driver import Driver, words_below
from tests.ui.organisation import Organisation, plan

Opened = Callable[..., Driver]


@pytest.fixture
def planned(laptop: Profile) -> Profile:
    """The sample, with something on today."""
    plan(laptop)
    return laptop


def page(driver: Driver) -> TodayPage:
    found = driver.work.findChild(TodayPage)
    assert found is not None
    return found


def here(driver: Driver) -> str:
    """The title of the line with the focus."""
    focused = driver.focus()
    assert isinstance(focused, GroupedList)
    return str(focused.currentIndex().data())


def titles(made: GroupedList) -> list[str]:
    model = made.model()
    return [str(model.index(at, 0).data()) for at in range(model.rowCount())]


def show_today(driver: Driver) -> TodayPage:
    driver.press("Ctrl+0")
    driver.until(lambda: isinstance(driver.focus(), GroupedList))
    return page(driver)


def test_a_day_is_gone_through_opened_and_come_back_to_by_keys(opened: Opened, planned: Profile) -> None:
    driver = opened(planned)
    show_today(driver)
    assert driver.window.windowTitle() == "Fieldkeep – Today"
    assert here(driver) == "Sign the service contract"
    driver.press("Down")
    assert here(driver) == "Send quote"
    driver.press("Down")
    assert here(driver) == "Confirm delivery date", "headings are passed over"
    driver.press("Right")
    assert here(driver) == "Spare parts 2026"
    driver.press("Down")
    driver.press("Return")
    driver.until(lambda: driver.desk.detail is not None)
    assert driver.desk.detail is not None
    assert (driver.desk.section, driver.desk.detail.record.title) == ("deal", "Service contract 1")
    driver.until(lambda: isinstance(driver.focus(), PaintedList))
    driver.press("Alt+Left")
    driver.until(lambda: driver.desk.section == "today" and isinstance(driver.focus(), GroupedList))
    assert here(driver) == "Service contract 1", "one comes back to where one was"
    driver.press("Left")
    driver.press("End")
    assert here(driver) == "Prepare the trade fair"
    driver.press("Down")
    assert here(driver) == "Spare parts 2026", "after the last one it goes on beside"
    driver.press("Up")
    assert here(driver) == "Prepare the trade fair"
    driver.press("Esc")
    assert driver.desk.section == "customer"


def test_a_task_is_done_with_space_and_undone(opened: Opened, planned: Profile) -> None:
    driver = opened(planned)
    made = show_today(driver)._doing
    driver.press("Down")
    driver.press("Space")
    driver.until(lambda: "Send quote" not in titles(made))
    assert here(driver) == "Confirm delivery date", "the next line takes its place"
    assert driver.work.aside.isVisible()
    driver.until(lambda: driver.desk.counts is not None and driver.desk.counts.due == 2)
    driver.press("Space")  # an activity cannot be ticked
    driver.press("Ctrl+Z")
    driver.until(lambda: "Send quote" in titles(made))
    assert driver.desk.section == "today"
    assert isinstance(driver.focus(), GroupedList)


def test_the_team_is_one_key_away_and_a_line_speaks_in_one_sentence(
    opened: Opened, planned: Profile, name: str
) -> None:
    driver = opened(planned)
    shown = show_today(driver)
    model = shown._doing.model()
    spoken = model.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Sign the service contract, High · Betatech, ")
    assert spoken.endswith(", Overdue")
    for _step in range(20):
        driver.press("Shift+Tab")
        if driver.focus().accessibleName() == "Whose day: Mine":
            break
    driver.press("Right")
    driver.until(
        lambda: name in str(shown._doing.model().index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole))
    )


def test_without_anything_to_do_one_action_is_offered(opened: Opened, org: Organisation, name: str) -> None:
    driver = opened(org.laptop(name, org.person(name)))
    driver.press("Ctrl+0")
    driver.until(lambda: page(driver).findChild(Placeholder) is not None)
    for _step in range(20):
        driver.press("Tab")
        if driver.focus().property("text") == "New task":
            break
    driver.press("Space")
    driver.until(lambda: driver.desk.editor is not None)
    assert driver.desk.section == "task"
    assert driver.desk.editor is not None
    assert driver.desk.editor.kind.name == "task"


def test_a_narrow_window_shows_one_column_and_no_text_is_lost_at_200_percent(
    opened: Opened, planned: Profile
) -> None:
    driver = opened(planned, (720, 700))
    shown = show_today(driver)
    assert shown._beside.mapTo(shown, shown._beside.rect().topLeft()).y() > shown._doing.height()
    assert shown.horizontalScrollBar().maximum() == 0
    driver.press("End")
    driver.press("Down")
    driver.press("End")
    driver.settle()
    chosen = shown._beside.visualRect(shown._beside.currentIndex())
    top = shown._beside.mapTo(shown.viewport(), chosen.topLeft()).y()
    assert 0 <= top <= shown.viewport().height() - chosen.height(), "the page follows the chosen line"


def test_news_keep_the_line_that_one_is_on(opened: Opened, planned: Profile) -> None:
    driver = opened(planned)
    made = show_today(driver)._doing
    driver.press("Down")
    at = made.chosen_row()
    driver.desk.on_news.tell()
    driver.settle()
    assert made.chosen_row() == at
    made.show_entries([Entry("Overdue", heading=True), Entry("Only")], 1)
    assert here(driver) == "Only"


def test_with_nothing_ahead_the_day_says_so_beside_what_is_kept_in_sight(
    opened: Opened, org: Organisation, name: str, person: str
) -> None:
    bare = org.laptop(name, person)
    soon = (dt.datetime.now().astimezone().date() + dt.timedelta(days=9)).isoformat()
    with open_session(bare) as session:
        values = {"name": "To close", "close_on": soon, "stage": "proposal", "owner": person}
        session.call(lambda store: records.add(store, KINDS["deal"], values))
    driver = opened(bare)
    driver.press("Ctrl+0")
    driver.until(lambda: driver.desk.section == "today")
    shown = page(driver)
    driver.until(shown._nothing.isVisible)
    day = shown._today.day
    assert day is not None
    assert (day.doing, bool(day.beside)) == ((), True)
    assert "Nothing is due" in words_below(shown)
    assert not shown._doing.isVisible()
    (button,) = [each for each in shown.findChildren(QPushButton) if each.text() == "New task"]
    button.click()
    driver.until(lambda: driver.desk.section == "task" and driver.desk.editor is not None)
