"""Filters, orders and selections in the real window, by keyboard alone, on a real store."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QWidget

from app.changes import SYNC, Changes
from app.paths import Profile
from app.services import acting
from app.store import records
from app.store.filters import Asks, Condition, Filter
from app.store.store import Store
from app.ui.kit.chip import Chip
from app.ui.kit.controls import CheckBox
from app.ui.kit.painted_list import PaintedList
from app.ui.theme.tokens import ROW
from sync.protocol.kinds import KINDS
from tests.ui import sample
from tests.ui.driver import Driver, stops, words_below

Opened = Callable[..., Driver]
CUSTOMER = KINDS["customer"]
LEADS = [row[0] for row in sample.CUSTOMERS if row[3] == "lead"]


def choose(driver: Driver, label: str) -> None:
    """Choose in a box by its keys: Home, then down to the label."""
    found = driver.focus()
    assert isinstance(found, QComboBox)
    driver.press("Home")
    for _at in range(found.findText(label) - found.currentIndex()):
        driver.press("Down")
    assert found.currentText() == label


def verb(root: QWidget, text: str) -> QPushButton:
    """The button that says this."""
    return next(each for each in stops(root) if isinstance(each, QPushButton) and each.text() == text)


def shown(driver: Driver) -> set[str]:
    return set(driver.titles())


def narrowed(driver: Driver, count: int) -> None:
    driver.until(lambda: driver.desk.list.whole and driver.desk.list.count() == count)


def test_another_section_begins_at_its_top(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop, (1440, 600))
    rows = driver.work.list.rows
    driver.choose(sample.FIRST)  # the last one
    driver.press("Return")
    driver.until(lambda: rows.top()[0] > 5)
    driver.press("Ctrl+3")
    driver.until(lambda: driver.desk.list.whole and driver.desk.list.count() > 10)
    driver.settle()
    assert rows.top() == (0, 0)


def test_a_click_on_the_chosen_row_shows_its_record_again(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.choose("Betatech")
    rows = driver.work.list.rows
    at = driver.row_of("Betatech")
    driver.press("Esc")
    driver.until(lambda: driver.desk.detail is None)
    place = rows.visualRect(rows.model().index(at, 0)).center()
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    driver.until(lambda: driver.desk.detail is not None)


def test_a_list_is_narrowed_changed_and_cleared_by_keys(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.press("Ctrl+Shift+F")
    choose(driver, "Stage")
    driver.press("Tab")
    driver.press("Tab")
    box = driver.focus()
    assert isinstance(box, CheckBox)
    assert box.accessibleName() == "Stage: Lead"
    driver.press("Space")
    driver.press("Return")
    narrowed(driver, len(LEADS))
    assert shown(driver) == set(LEADS)
    chip = driver.focus()
    assert isinstance(chip, Chip)
    assert chip.words() == "Stage: Lead"
    assert driver.work.list.head.counted() == f"{len(LEADS)} of {len(sample.CUSTOMERS)}"

    driver.press("Return")  # the same condition again, one choice more
    assert isinstance(driver.focus(), CheckBox)
    driver.press("Tab")
    driver.press("Space")
    driver.press("Return")
    both = {row[0] for row in sample.CUSTOMERS if row[3] in ("lead", "prospect")}
    narrowed(driver, len(both))
    assert shown(driver) == both
    assert [each.words() for each in driver.work.list.filter.chips()] == ["Stage: Lead, Prospect"]

    driver.press("Del")
    narrowed(driver, len(sample.CUSTOMERS))
    assert driver.work.list.head.counted() == ""
    assert isinstance(driver.focus(), PaintedList)


def test_words_fields_and_what_is_wrong_with_a_value(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.press("Ctrl+Shift+F")
    choose(driver, "Words")
    driver.press("Tab")
    driver.type("zurich")
    driver.press("Return")
    narrowed(driver, 1)
    assert driver.titles() == ["Zürcher Präzision AG"]

    driver.press("Ctrl+Shift+F")
    choose(driver, "Employees")
    driver.press("Tab")
    choose(driver, "more than")
    driver.press("Tab")
    assert isinstance(driver.focus(), QLineEdit)
    driver.press("Return")
    assert "needs a value" in words_below(driver.work.list.filter)
    driver.type("many")
    driver.press("Return")
    assert "whole number" in words_below(driver.work.list.filter)
    driver.press("Ctrl+A")
    driver.type("3")
    driver.press("Return")
    narrowed(driver, 0)
    assert "Nothing found" in words_below(driver.work.list)
    assert [each.words() for each in driver.work.list.filter.chips()] == [
        "Employees: more than 3",
        "Words: zurich",
    ]
    driver.press("Left")
    driver.press("Esc")
    clear = verb(driver.work.list, "Clear filter")
    clear.setFocus()
    driver.press("Space")
    narrowed(driver, len(sample.CUSTOMERS))


def test_filter_and_order_stay_with_their_section(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    leads = Filter((Condition("stage", Asks.ONE_OF, ("lead",)),))
    driver.desk.sections.show(leads, "-")
    narrowed(driver, len(LEADS))
    driver.press("Ctrl+3")
    driver.until(lambda: driver.desk.list.whole)
    assert not driver.work.list.filter.chips()
    driver.press("Ctrl+1")
    narrowed(driver, len(LEADS))
    assert (driver.desk.list.filter, driver.desk.list.order) == (leads, "-")
    assert [each.words() for each in driver.work.list.filter.chips()] == ["Stage: Lead"]
    driver.press("Ctrl+L")
    driver.until(lambda: driver.shell.desk is None and not driver.shell.busy)
    driver.shell.locking.unlock()
    driver.until(lambda: driver.shell.desk is not None and driver.desk.list.whole)
    assert not driver.desk.list.filter  # a filter may hold a name: a lock forgets it


def test_the_menu_of_orders_turns_the_list_round(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    first = driver.titles()[0]
    button = driver.work.list.head.sort_button()
    assert button.accessibleName() == "Sort by Name, A to Z"
    button.menu().aboutToShow.emit()
    back = next(each for each in button.menu().actions() if each.text() == "Z to A")
    back.trigger()
    driver.until(lambda: driver.desk.list.order == "-" and driver.titles() and driver.titles()[0] != first)
    assert driver.titles()[-1] == first
    button.menu().aboutToShow.emit()
    by_stage = next(each for each in button.menu().actions() if each.text() == "Stage")
    by_stage.trigger()
    driver.until(lambda: driver.desk.list.order == "stage" and driver.titles()[0] in LEADS)


def test_rows_are_selected_by_keys_and_set_at_once_and_all_of_it_is_undone(
    opened: Opened, laptop: Profile
) -> None:
    driver = opened(laptop)
    rows = driver.work.list.rows
    rows.setFocus()
    driver.press("Home")
    driver.press("Space")
    driver.press("Down")
    driver.press("Down")
    driver.press("Shift+Down")
    driver.press("Shift+Down")
    assert len(driver.desk.sections.picked) == 4
    driver.press("Shift+Up")
    assert [at for at in range(6) if driver.desk.sections.picked.has(at)] == [0, 2, 3]
    assert "3 selected" in words_below(driver.work.list.selection)
    chosen = {driver.titles()[at] for at in (0, 2, 3)}
    spoken = rows.model().index(2, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.endswith(", selected")
    before = {each.title: each.values for each in _all(driver)}

    set_it = verb(driver.work.list.selection, "Set …")
    set_it.setFocus()
    driver.press("Space")
    choose(driver, "Industry")
    driver.press("Tab")
    driver.type("Shipping")
    driver.press("Return")
    driver.until(lambda: not driver.desk.acting.running and driver.desk.aside is not None)
    assert driver.desk.aside is not None
    assert driver.desk.aside.text == "Industry set for 3 records."
    assert {each.title for each in _all(driver) if each.values.get("industry") == "Shipping"} == chosen

    driver.press("Ctrl+Z")
    driver.until(lambda: driver.desk.aside is not None and driver.desk.aside.text.startswith("Undone for 3"))
    assert {each.title: each.values for each in _all(driver)} == before
    rows.setFocus()
    driver.press("Esc")
    assert not len(driver.desk.sections.picked)
    assert driver.work.list.head.isVisible()


def _all(driver: Driver) -> list[records.Record]:
    found: list[list[records.Record]] = []
    driver.desk.errands.run(
        lambda: driver.desk.session.call(_read_all), lambda read: found.append(read), lambda _problem: None
    )
    driver.until(lambda: found)
    return found[0]


def _read_all(store: Store) -> list[records.Record]:
    shape = store.shapes["customer"]
    rows = store.db.all(f"{shape.select} WHERE _deleted = 0")
    return [records.record_of(shape, shape.stored(row)) for row in rows]


def test_all_but_one_are_deleted_and_come_back(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    rows = driver.work.list.rows
    rows.setFocus()
    driver.press("Ctrl+A")
    assert f"{len(sample.CUSTOMERS)} selected" in words_below(driver.work.list.selection)
    driver.press("Home")
    driver.press("Space")
    spared = driver.titles()[0]
    delete = verb(driver.work.list.selection, "Delete")
    delete.setFocus()
    driver.press("Space")
    driver.until(lambda: driver.titles() == [spared] and not driver.desk.acting.running)
    assert not len(driver.desk.sections.picked)
    driver.press("Ctrl+Z")
    driver.until(lambda: driver.desk.list.count() == len(sample.CUSTOMERS) and not driver.desk.acting.running)


def test_a_pointer_selects_by_ctrl_shift_and_box(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    view = driver.work.list.rows.viewport()

    def click(row: int, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, x: int = 120) -> None:
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, held, QPoint(x, ROW * row + 20))
        driver.settle()

    picked = driver.desk.sections.picked
    click(1)
    assert len(picked) == 0
    click(3, Qt.KeyboardModifier.ShiftModifier)
    assert [at for at in range(8) if picked.has(at)] == [1, 2, 3]
    click(6, Qt.KeyboardModifier.ControlModifier)
    click(2, x=20)
    assert [at for at in range(8) if picked.has(at)] == [1, 3, 6]
    click(5)
    assert [at for at in range(8) if picked.has(at)] == [1, 3, 6]


def test_the_selected_are_written_to_a_file(opened: Opened, laptop: Profile, tmp_path: Path) -> None:
    driver = opened(laptop)
    driver.desk.sections.show(Filter((Condition("stage", Asks.ONE_OF, ("lead",)),)), "")
    narrowed(driver, len(LEADS))
    driver.work.list.rows.setFocus()
    driver.press("Ctrl+A")
    path = tmp_path / "leads.csv"
    driver.work.list.selection.export_to(path)
    driver.until(lambda: driver.desk.aside is not None and "written to the file" in driver.desk.aside.text)
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert {row["Name"] for row in found} == set(LEADS)
    assert {row["Stage"] for row in found} == {"Lead"}
    assert list(tmp_path.iterdir()) == [path]


def test_an_act_can_be_stopped_and_typing_goes_on_meanwhile(
    opened: Opened, laptop: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "LEAST", 1)
    monkeypatch.setattr(acting, "MOST", 1)
    driver = opened(laptop)
    session = driver.desk.session
    driver.desktop.slow_bridge.run(lambda: session.call(_many), lambda _done: None)
    driver.desktop.slow_bridge.run(lambda: session.bus.publish(Changes((), SYNC)), lambda _done: None)
    total = len(sample.CUSTOMERS) + 600
    driver.until(lambda: driver.desk.list.count() == total)
    driver.work.list.rows.setFocus()
    driver.press("Ctrl+A")
    driver.work.list.selection.ask()
    choose(driver, "Territory")
    driver.press("Tab")
    driver.type("North")
    driver.press("Return")
    driver.until(lambda: driver.desk.acting.at > 5)
    assert f"of {total}" in words_below(driver.work.list.selection)
    driver.press("Ctrl+F")
    driver.type("Acme")
    driver.until(lambda: driver.titles() == ["Acme Corporation"])
    assert driver.desk.acting.running
    stop = verb(driver.work.list.selection, "Stop")
    stop.setFocus()
    driver.press("Space")
    driver.until(lambda: not driver.desk.acting.running)
    assert driver.desk.aside is not None
    assert driver.desk.aside.text.startswith("Stopped. Territory set for ")
    done = [each for each in _all(driver) if each.values.get("territory") == "North"]
    assert 5 < len(done) < total
    driver.desk.undo()
    driver.until(lambda: driver.desk.aside is not None and driver.desk.aside.text.startswith("Undone for"))
    assert not [each for each in _all(driver) if each.values.get("territory") == "North"]


def _many(store: Store) -> None:
    with records.batch(store) as batch:
        for at in range(600):
            batch.add(CUSTOMER, {"name": f"Customer {at:04}"})


def test_rows_in_view_stay_while_others_come_before_them(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    session = driver.desk.session
    driver.desktop.slow_bridge.run(lambda: session.call(_many), lambda _done: None)
    driver.desktop.slow_bridge.run(lambda: session.bus.publish(Changes((), SYNC)), lambda _done: None)
    driver.until(lambda: driver.desk.list.count() == len(sample.CUSTOMERS) + 600)
    rows = driver.work.list.rows
    rows.bring_to_top(100, 17)
    driver.settle()
    top = driver.desk.list.rowid(100)

    def from_elsewhere() -> None:
        made = session.call(
            lambda store: [records.add(store, CUSTOMER, {"name": f"AA {n}"}) for n in range(7)]
        )
        session.bus.publish(Changes(tuple(("customer", each.id) for each in made), SYNC))

    driver.desktop.slow_bridge.run(from_elsewhere, lambda _done: None)
    driver.until(lambda: driver.desk.list.at(top) == 107)
    driver.settle()
    assert rows.top() == (107, 17)


def test_every_field_can_be_asked_and_set_and_everything_has_a_name(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    for at, kind in enumerate(sorted(KINDS.values(), key=lambda each: each.order), 1):
        driver.press(f"Ctrl+{at}") if at < 8 else driver.work.go(kind.name)
        driver.until(lambda: driver.desk.list.whole)
        driver.press("Ctrl+Shift+F")
        bar = driver.work.list.filter
        fields, asked = bar.editor.findChildren(QComboBox)[:2] if bar.editor else (None, None)
        assert fields is not None
        assert asked is not None
        assert fields.count() == len(kind.fields) + 1
        for field in range(1, fields.count()):
            fields.setCurrentIndex(field)
            for test in range(asked.count()):
                asked.setCurrentIndex(test)
                assert not _nameless(bar)
        driver.press("Esc")
        driver.work.list.rows.setFocus()
        driver.press("Ctrl+A")
        driver.work.list.selection.ask()
        panel = driver.work.list.selection.panel
        assert panel is not None
        box = panel.findChildren(QComboBox)[0]
        for field in range(box.count()):
            box.setCurrentIndex(field)
            assert not _nameless(driver.work.list)
        driver.press("Esc")
        driver.press("Esc")
        assert not len(driver.desk.sections.picked)


def _nameless(root: QWidget) -> list[QWidget]:
    return [
        each
        for each in stops(root)
        if not each.accessibleName() and not (isinstance(each, QPushButton) and each.text())
    ]
