"""What a person does all day, by keyboard alone, on a real store behind a real server."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QLineEdit

from app import compose
from app.changes import SYNC, Changes
from app.paths import Profile
from app.services import enrolment
from app.services.opening import open_session
from app.store import lists, records
from app.ui.kit.painted_list import PaintedList
from app.ui.run import closed_when_asked
from app.viewmodels.notices import Screen
from sync.protocol.kinds import KINDS
from tests.ui import sample
from tests.ui.driver import Driver, stops, words_below
from tests.ui.organisation import Organisation

Opened = Callable[[Profile], Driver]


def test_a_customer_is_made_changed_undone_deleted_and_taken_back(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.press("Ctrl+N")
    driver.type("Nordwind GmbH")
    driver.press("Esc")
    driver.until(lambda: driver.row_of("Nordwind GmbH") >= 0)
    driver.until(lambda: driver.desk.detail is not None)
    assert isinstance(driver.focus(), PaintedList)
    driver.until(lambda: driver.work.list.rows.chosen_row() == driver.row_of("Nordwind GmbH"))

    driver.press("Return")
    assert isinstance(driver.focus(), QLineEdit)
    driver.press("Ctrl+A")
    driver.type("Nordwind AG")
    driver.press("Esc")
    driver.until(lambda: driver.row_of("Nordwind AG") >= 0)

    driver.press("Ctrl+Z")
    driver.until(lambda: driver.row_of("Nordwind GmbH") >= 0)
    driver.until(
        lambda: driver.desk.detail is not None and driver.desk.detail.record.title == "Nordwind GmbH"
    )

    driver.press("Ctrl+Del")
    driver.until(lambda: driver.row_of("Nordwind GmbH") < 0)
    assert driver.work.aside.isVisible()
    driver.press("Ctrl+Z")
    driver.until(lambda: driver.row_of("Nordwind GmbH") >= 0)


def test_a_wrong_value_is_told_under_its_field_and_nothing_is_saved(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.choose("Betatech")
    driver.press("Ctrl+E")
    form = driver.work.detail.findChild(QLineEdit, "")
    assert form is not None
    line = next(each for each in stops(driver.work.detail) if each.accessibleName() == "Founded in")
    line.setFocus()
    driver.type("soon")
    driver.press("Esc")
    assert "whole number" in words_below(driver.work.detail)
    assert driver.focus().accessibleName() == "Founded in"
    driver.press("Ctrl+A")
    driver.type("1999")
    driver.press("Esc")
    driver.until(
        lambda: driver.desk.detail is not None and driver.desk.detail.record.values.get("founded") == 1999
    )


def test_search_finds_as_one_types_and_leads_to_the_record(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.press("Ctrl+F")
    driver.type("博泰")
    driver.until(lambda: driver.titles() == ["深圳市博泰电子科技"])
    driver.press("Down")
    driver.until(lambda: driver.desk.detail is not None)
    driver.press("Esc")
    driver.until(lambda: not driver.desk.finding)
    assert driver.desk.list.count() == len(sample.CUSTOMERS)
    driver.press("Ctrl+F")
    driver.type("no such thing at all")
    driver.until(lambda: driver.desk.found.ready and not driver.desk.rows.count())
    assert "Nothing matches" in words_below(driver.work.list)
    driver.press("Esc")
    driver.until(lambda: driver.desk.rows.count() == len(sample.CUSTOMERS))


def test_who_goes_on_before_the_answer_goes_to_what_was_typed(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.press("Ctrl+F")
    driver.work.search.setText("博泰")
    driver.press("Down")  # as a rule nothing was found yet: the list still shows what it did before
    driver.until(lambda: driver.desk.detail is not None)
    driver.until(lambda: driver.focus() is driver.work.list.rows)
    assert driver.titles() == ["深圳市博泰电子科技"]
    detail = driver.desk.detail
    assert detail is not None
    assert detail.record.title == "深圳市博泰电子科技"


def test_a_letter_typed_in_the_list_begins_a_search(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.work.list.rows.setFocus()
    driver.press("c")
    driver.type("od")
    driver.until(lambda: driver.titles() == ["Codehow"])


def test_sections_and_the_way_back_are_on_keys(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    for at, kind in enumerate(sorted(KINDS.values(), key=lambda kind: kind.order), 1):
        driver.press(f"Ctrl+{at}") if at < 8 else driver.work.go(kind.name)
        assert driver.desk.section == kind.name
        driver.until(lambda: driver.desk.list.ready)
    *_others, before, _last = sorted(KINDS.values(), key=lambda kind: kind.order)
    driver.press("Alt+Left")
    assert driver.desk.section == before.name
    driver.press("F1")
    assert driver.desk.section == "keys"
    driver.press("Esc")
    assert driver.desk.section == before.name


def test_a_note_becomes_an_activity_of_the_customer(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)

    def line() -> QLineEdit:
        driver.choose("Betatech")
        found = next(each for each in stops(driver.work.detail) if each.accessibleName() == "Write a note")
        assert isinstance(found, QLineEdit)
        found.setFocus()
        return found

    line()
    driver.type("Asked for a qu")
    driver.press("Ctrl+L")
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)
    driver.until(lambda: driver.shell.desk is None)
    driver.press("Return")
    driver.until(lambda: driver.shell.screen is Screen.WORK and driver.desk.list.ready)
    again = line()
    driver.until(lambda: again.text() == "Asked for a qu")
    driver.press("End")
    driver.type("ote")
    assert "Press Enter to save" in words_below(driver.work.detail)
    driver.press("Return")
    assert again.text() == ""
    driver.until(lambda: driver.desk.detail and "Asked for a quote" in driver.desk.detail.moments[0].title)
    driver.until(lambda: driver.desk.counts and driver.desk.counts.kinds["activity"] == 5)


def test_news_from_elsewhere_leave_the_chosen_row_in_place(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.choose("Betatech")
    session = driver.desk.session

    def from_elsewhere() -> None:
        record = session.call(records.add, KINDS["customer"], {"name": "AAA first in the list"})
        session.bus.publish(_changes(record))

    driver.desktop.slow_bridge.run(from_elsewhere, lambda _done: None)
    driver.until(lambda: driver.row_of("AAA first in the list") == 0)
    driver.settle()
    chosen = driver.work.list.rows.chosen_row()
    assert driver.titles()[chosen] == "Betatech"


def _changes(record: records.Record) -> Changes:
    return Changes(((record.kind.name, record.id),), SYNC)


def test_locking_saves_the_draft_and_leaves_no_word_of_it(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.choose(sample.FIRST)
    driver.press("Ctrl+E")
    driver.press("End")
    driver.type(" Zwei")
    driver.press("Ctrl+L")
    driver.until(
        lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy and driver.shell.desk is None
    )
    driver.settle()
    assert driver.window.windowTitle() == "Fieldkeep"
    seen = words_below(driver.window)
    assert not [word for word in (*sample.SECRET_WORDS, "Zwei") if word in seen]
    assert not [widget for widget in driver.application.topLevelWidgets() if "Zwei" in words_below(widget)]
    driver.press("Return")
    driver.until(lambda: driver.shell.screen is Screen.WORK and driver.desk.list.ready)
    driver.until(lambda: driver.row_of(f"{sample.FIRST} Zwei") >= 0)


def test_the_list_goes_to_the_record_that_was_just_made(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.window.resize(1100, 480)
    driver.settle()
    rows = driver.work.list.rows
    assert driver.row_of("Zyx Harbour") < 0
    driver.press("Ctrl+N")
    driver.type("Zyx Harbour")
    driver.press("Esc")
    driver.until(lambda: driver.row_of("Zyx Harbour") >= 0)
    driver.until(lambda: rows.chosen_row() == driver.row_of("Zyx Harbour"))
    driver.until(lambda: driver.row_of("Zyx Harbour") in rows.rows_in_view())
    assert rows.verticalScrollBar().value() > 0  # it was below what was in view


@pytest.mark.parametrize("ending", ["closed", "terminated"])
def test_a_draft_is_saved_however_the_window_ends(opened: Opened, laptop: Profile, ending: str) -> None:
    driver = opened(laptop)
    driver.choose("Betatech")
    stop = next(each for each in stops(driver.work.detail) if each.accessibleName() == "Write a note")
    stop.setFocus()
    driver.type("Half a note")
    driver.press("Ctrl+E")
    driver.press("End")
    driver.type(" typed before the end")
    editor = driver.desk.editor
    assert editor is not None
    assert editor.has_unsaved()
    if ending == "closed":
        driver.close()
    else:
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {number: signal.getsignal(number) for number in numbers}
        asked = compose.asked_to_end()
        assert asked is not None
        try:
            with asked, closed_when_asked(driver.window, asked):
                signal.raise_signal(signal.SIGTERM)
                driver.until(lambda: not driver.window.isVisible())
                driver.close()
        finally:
            os.close(signal.set_wakeup_fd(-1))
            for number, handler in before.items():
                signal.signal(number, handler)
    with open_session(laptop) as session:
        found = session.call(
            lambda store: (
                lists.page(store, KINDS["customer"], where={"name": "Betatech typed before the end"}).records
            )
        )
        noted = session.call(
            lambda store: lists.page(store, KINDS["activity"], where={"subject": "Half a note"}).records
        )
    assert len(found) == 1
    assert [each.values["customer"] for each in noted] == [found[0].id]


def test_an_order_to_lock_arrives_while_a_draft_is_open(
    opened: Opened, org: Organisation, laptop: Profile, name: str
) -> None:
    driver = opened(laptop)
    driver.choose("Betatech")
    driver.press("Ctrl+E")
    driver.press("End")
    driver.type(" typed at the last moment")
    org.admin("lock", name, "--reason", "Audit week")
    driver.press("F5")
    driver.until(lambda: driver.shell.screen is Screen.LOCK)
    driver.until(lambda: driver.shell.desk is None)
    driver.settle()
    seen = words_below(driver.window)
    assert "locked by Demo Ltd" in seen
    assert "Reason: Audit week" in seen
    assert not [word for word in sample.SECRET_WORDS if word in seen]
    org.admin("unlock", name)
    driver.press("Space")
    driver.until(lambda: driver.shell.screen is Screen.WORK and driver.desk.list.ready)
    driver.until(lambda: driver.row_of("Betatech typed at the last moment") >= 0)


def test_an_order_to_wipe_arrives_while_a_draft_is_open_and_the_draft_comes_back(
    opened: Opened, org: Organisation, laptop: Profile, name: str, person: str
) -> None:
    driver = opened(laptop)
    driver.until(lambda: driver.shell.sync.last_ok and not driver.shell.sync.waiting)
    driver.choose("Betatech")
    driver.press("Ctrl+E")
    driver.press("End")
    driver.type(" written before the wipe")
    org.admin("wipe", name, "--reason", "stolen", keys=True)
    driver.press("F5")
    driver.until(lambda: driver.shell.screen is Screen.WIPED and "stolen" in driver.shell.notice.body)
    driver.settle()
    assert driver.window.windowTitle() == "Fieldkeep"
    seen = words_below(driver.window)
    assert "This device was wiped by Demo Ltd." in seen
    assert "Ask your IT what comes next." in seen
    assert not [word for word in sample.SECRET_WORDS if word in seen]
    assert len(list(stops(driver.window))) <= 1  # the way to join anew, once all is handed in
    device = next(each for each in org.admin("devices") if each["name"] == name)
    driver.until(lambda: _receipt(org, device["id"]) == "verified")
    driver.close()

    again = opened(laptop)
    assert again.shell.screen is Screen.WIPED
    again.close()

    fresh = org.laptop(f"{name}-new", person)
    org.admin("recover", device["id"], "--to", f"{name}-new", keys=True)
    desk = opened(fresh)
    desk.until(lambda: desk.row_of("Betatech written before the wipe") >= 0)


def _receipt(org: Organisation, device: str) -> str:
    return str(next(each["receipt"] for each in org.admin("devices") if each["id"] == device))


def test_enrolment_by_keyboard(opened: Opened, org: Organisation, name: str, person: str) -> None:
    profile = Profile(org.folder / f"{name}-fresh")
    driver = opened(profile)
    assert driver.shell.screen is Screen.ENROL
    driver.type("FK1-NONSENSE")
    assert "not a complete enrolment code" in words_below(driver.window)
    driver.press("Ctrl+A")
    driver.type(org.code(person))
    assert "Server: https://127.0.0.1" in words_below(driver.window)
    driver.press("Tab")
    driver.press("Space")
    driver.until(lambda: driver.shell.screen is Screen.WORK and driver.desk.list.ready)
    driver.until(lambda: driver.shell.sync.last_ok)


def test_a_used_code_is_refused_with_the_next_step(
    opened: Opened, org: Organisation, name: str, person: str
) -> None:
    code = org.code(person)
    enrolment.enrol(Profile(org.folder / f"{name}-one"), code, f"{name}-one")
    driver = opened(Profile(org.folder / f"{name}-two"))
    driver.type(code)
    driver.press("Tab")
    driver.press("Space")
    driver.until(lambda: driver.shell.problem is not None and not driver.shell.busy)
    assert driver.shell.problem is not None and driver.shell.problem.title in words_below(driver.window)
    assert driver.shell.screen is Screen.ENROL


def test_a_profile_that_is_open_elsewhere_says_so(opened: Opened, laptop: Profile) -> None:
    with open_session(laptop):
        driver = opened(laptop)
        assert driver.shell.screen is Screen.TROUBLE
        assert "open on this profile already" in words_below(driver.window)
        driver.close()


def test_files_are_looked_at_before_they_are_brought_in(
    opened: Opened, laptop: Profile, org: Organisation
) -> None:
    file = org.folder / "more.csv"
    file.write_text("Company,Industry\nNeuwerk,Steel\nAltwerk,Coal\n", encoding="utf-8")
    driver = opened(laptop)
    driver.work.bring([file])
    driver.until(lambda: "2 records would be added" in words_below(driver.work))
    assert driver.row_of("Neuwerk") < 0
    button = next(each for each in stops(driver.work) if getattr(each, "text", str)() == "Bring in")
    button.setFocus()
    driver.press("Space")
    driver.until(lambda: "2 records added." in words_below(driver.work))
    driver.until(lambda: driver.row_of("Neuwerk") >= 0)


def test_the_title_never_has_a_records_name(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    titles: set[str] = set()
    driver.window.windowTitleChanged.connect(titles.add)
    for title in ("Betatech", sample.FIRST):
        driver.choose(title)
        driver.press("Ctrl+E")
        driver.press("Esc")
    for section in ("Ctrl+3", "Ctrl+8", "F1", "Ctrl+1"):
        driver.press(section)
    assert titles == {
        "Fieldkeep – Deals",
        "Fieldkeep – Conflicts",
        "Fieldkeep – Keys",
        "Fieldkeep – Customers",
    }


def test_what_is_in_the_window_is_in_the_store_after_closing(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    driver.choose("Betatech")
    driver.press("Ctrl+E")
    driver.press("End")
    driver.type(" closed at once")
    driver.close()
    with open_session(laptop) as session:
        found = session.call(
            lambda store: lists.page(store, KINDS["customer"], where={"name": "Betatech closed at once"})
        )
    assert len(found.records) == 1
