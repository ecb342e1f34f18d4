"""The search field, undo and haste: no text stands there that is not searched for, the focus stays where one types."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit

from app.paths import Profile
from tests.ui import sample
from tests.ui.driver import Driver

Opened = Callable[..., Driver]


def test_undo_beside_a_search_leaves_no_text_that_is_not_searched_for(
    opened: Opened, laptop: Profile
) -> None:
    driver = opened(laptop)
    driver.press("Ctrl+F")
    driver.type("博泰")
    driver.until(lambda: driver.titles() == ["深圳市博泰电子科技"])
    driver.press("Down")
    driver.until(lambda: driver.desk.detail is not None)
    driver.press("Return")
    driver.until(lambda: isinstance(driver.focus(), QLineEdit))
    driver.press("End")
    driver.type(" 2")
    driver.press("Esc")
    driver.until(lambda: driver.titles() == ["深圳市博泰电子科技 2"])
    driver.press("Ctrl+Z")
    driver.until(lambda: not driver.desk.finding)
    assert driver.work.search.text() == ""
    driver.until(lambda: driver.desk.list.count() == len(sample.CUSTOMERS))

    driver.press("Ctrl+F")
    driver.press("Ctrl+Z")  # nothing was typed here since
    assert (driver.work.search.text(), driver.desk.finding) == ("", False)
    assert driver.desk.aside is not None
    assert driver.desk.aside.text == "There is nothing to undo."
    driver.type("x")
    driver.press("Ctrl+Z")
    assert (driver.work.search.text(), driver.desk.finding) == ("", False)


def test_letters_after_a_hasty_enter_keep_the_focus_in_the_field(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.press("Ctrl+F")
    for text in ("Beta", "Betatech"):  # with no moment between in which an answer could come
        driver.work.search.setText(text)
        if text == "Beta":
            driver.work.list.onward()  # as Enter does
            assert driver.desk.found.pending
    driver.until(lambda: driver.titles() == ["Betatech"] and not driver.desk.found.pending)
    assert (driver.focus(), driver.work.search.text()) == (driver.work.search, "Betatech")
