"""Acts on very many records in the real window: asked once, told while they go on, gone on with, taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QPushButton, QWidget

from app.commands import TODAY
from app.paths import Profile
from app.services import acting, many
from app.services.acting import Act
from app.services.opening import open_session
from app.store.bulk import Selection, Setting
from app.store.rowset import RowSet
from app.store.store import Store
from app.ui import selection_bar
from app.ui.sure_panel import SurePanel
from app.viewmodels.desk import Desk
from sync.protocol.kinds import KINDS
from tests.ui import sample
from tests.ui.driver import Driver, words_below

Opened = Callable[[Profile], Driver]
CUSTOMER = KINDS["customer"]
COUNT = len(sample.CUSTOMERS)
FEW = 10


@pytest.fixture
def driver(opened: Opened, laptop: Profile, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """A window for which the sample's customers are very many."""
    monkeypatch.setattr(selection_bar, "MANY", FEW)
    monkeypatch.setattr(acting, "MANY", FEW)
    return opened(laptop)


def button(root: QWidget, verb: str) -> QPushButton:
    return next(
        each for each in root.findChildren(QPushButton) if each.text() == verb and each.isVisibleTo(root)
    )


def set_all(driver: Driver, value: str) -> None:
    driver.work.list.rows.setFocus()
    driver.press("Ctrl+A")
    bar = driver.work.list.selection
    bar.ask()
    bar._act(Setting("territory", value))
    driver.settle()


def held_after(pieces: int, patch: pytest.MonkeyPatch) -> threading.Event:
    """Have an act of pieces of one record wait after so many of them, until this is set."""
    patch.setattr(acting, "PIECE", 1)
    real, done, go = Act.piece, [0], threading.Event()

    def piece(act: Act) -> many.Piece | None:
        done[0] += 1
        if done[0] > pieces:
            go.wait(30)
        return real(act)

    patch.setattr(Act, "piece", piece)
    return go


def sure(driver: Driver) -> SurePanel:
    panel = driver.work.list.selection.panel
    assert isinstance(panel, SurePanel)
    return panel


def words_of_panel(driver: Driver) -> str:
    panel = driver.work.list.selection.panel
    return words_below(panel) if panel is not None else ""


def in_territory(driver: Driver, value: str) -> int:
    found: list[int] = []

    def count(store: Store) -> int:
        return int(store.db.one("SELECT count(*) FROM record_customer WHERE territory = ?", (value,))[0])

    driver.desk.errands.run(lambda: driver.desk.session.call(count), found.append)
    driver.until(lambda: found)
    return found[0]


def settled(driver: Driver) -> str:
    driver.until(lambda: not driver.desk.acting.running and driver.desk.aside is not None)
    assert driver.desk.aside is not None
    return driver.desk.aside.text


def test_very_many_are_asked_about_once_with_their_number_and_the_value(driver: Driver) -> None:
    set_all(driver, "North")
    assert f"Set Territory of {COUNT} customers to “North”?" in words_below(sure(driver))
    for key in ("Return", "Esc"):  # the focus is on Cancel: a hasty Enter does nothing
        driver.press(key)
        assert not words_of_panel(driver)
        assert (driver.desk.acting.running, len(driver.desk.sections.picked)) == (False, COUNT)
        set_all(driver, "North")
    driver.press("Shift+Tab")
    driver.press("Return")
    assert settled(driver).startswith(f"Territory set for {COUNT} records.")
    assert in_territory(driver, "North") == COUNT


def test_few_are_not_asked_about(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    set_all(driver, "North")
    assert not words_of_panel(driver)
    assert settled(driver).startswith(f"Territory set for {COUNT} records.")


def test_deleting_very_many_asks_too_and_undo_brings_them_back(driver: Driver) -> None:
    driver.work.list.rows.setFocus()
    driver.press("Ctrl+A")
    driver.work.list.selection.delete()
    assert f"Delete {COUNT} customers?" in words_below(sure(driver))
    button(sure(driver), "Delete").click()
    assert settled(driver).startswith(f"{COUNT} records deleted.")
    driver.until(lambda: driver.desk.list.count() == 0)
    driver.desk.undo()
    driver.until(lambda: driver.desk.list.count() == COUNT)
    assert settled(driver).startswith(f"Undone for {COUNT} records.")


def test_it_is_told_at_the_foot_of_other_pages_and_stop_says_what_stays(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = held_after(3, monkeypatch)
    set_all(driver, "North")
    button(sure(driver), "Set for all selected").click()
    driver.work.go(TODAY)
    foot = driver.work._foot.line
    driver.until(lambda: "Setting Territory: " in words_below(foot))
    driver.desk.acting.cancel()
    go.set()
    said = settled(driver)
    assert said.startswith("Stopped.") and said.endswith("That stays; “Undo” takes it back.")
    driver.until(lambda: "Setting" not in words_below(foot))
    done = in_territory(driver, "North")
    assert f"for {done} record" in said and 0 < done < COUNT
    driver.work.go(CUSTOMER.name)
    driver.desk.undo()
    driver.until(lambda: driver.desk.aside is not None and driver.desk.aside.text.startswith("Undone for"))
    assert in_territory(driver, "North") == 0


@pytest.fixture
def cut(laptop: Profile, monkeypatch: pytest.MonkeyPatch) -> int:
    """An act that was broken off, and how far it came."""
    monkeypatch.setattr(acting, "MANY", FEW)
    monkeypatch.setattr(acting, "PIECE", 8)
    with open_session(laptop) as session:
        every = Selection(CUSTOMER, True, RowSet(), last=10_000, count=COUNT)
        act = Act(session, acting.doing(every, Setting("territory", "North")))
        act.begin()
        act.piece()
        act.end(whole=False, forget=False)
        assert 0 < act.outcome.changed < COUNT
        return act.outcome.changed


def told(driver: Driver, cut: int) -> None:
    line = driver.work.aside
    said = f"Setting Territory was broken off: {cut} of {COUNT} records are done"
    driver.until(lambda: said in words_below(line))
    assert line._on.isVisible() and line._undo.isVisible() and not line._again.isVisible()
    assert not line._timer.isActive()
    driver.work.go(TODAY)
    driver.work.go(CUSTOMER.name)
    assert line.isVisible()  # until somebody has said what is to become of it


def forgotten(desk: Desk) -> bool:
    return desk.session.read(many.broken_off) is None


def test_one_that_was_broken_off_goes_on_and_is_taken_back_whole(
    cut: int, opened: Opened, laptop: Profile
) -> None:
    driver = opened(laptop)
    told(driver, cut)
    driver.work.aside._on.click()
    driver.until(lambda: driver.desk.aside is not None and not driver.desk.aside.stays)
    assert settled(driver).startswith(f"Territory set for {COUNT} records.")
    assert in_territory(driver, "North") == COUNT
    driver.until(lambda: forgotten(driver.desk))
    assert len(driver.desk.drafts._undoable) == 1  # the part and the whole are one act
    driver.desk.undo()
    driver.until(lambda: driver.desk.aside is not None and driver.desk.aside.text.startswith("Undone for"))
    assert in_territory(driver, "North") == 0


def test_one_that_was_broken_off_is_taken_back(cut: int, opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    told(driver, cut)
    driver.work.aside._undo.click()
    driver.until(lambda: driver.desk.aside is not None and driver.desk.aside.text.startswith("Undone for"))
    assert in_territory(driver, "North") == 0
    driver.until(lambda: forgotten(driver.desk))


def test_one_that_was_broken_off_may_be_left_so(cut: int, opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    told(driver, cut)
    driver.work.aside.gone.emit()
    driver.until(lambda: not driver.work.aside.isVisible())
    driver.until(lambda: forgotten(driver.desk))
    assert in_territory(driver, "North") == cut


def test_a_lock_half_way_is_told_after_the_unlock(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    go = held_after(3, monkeypatch)
    set_all(driver, "North")
    button(sure(driver), "Set for all selected").click()
    driver.until(lambda: driver.desk.acting.at > 0)
    driver.work.lock()
    driver.until(lambda: driver.shell.desk is None and not driver.shell.busy)
    go.set()
    driver.shell.locking.unlock()
    driver.until(lambda: driver.shell.desk is not None and driver.desk.list.ready)
    driver.until(lambda: driver.desk.aside is not None)
    assert driver.desk.aside is not None
    assert driver.desk.aside.goes_on and "was broken off" in driver.desk.aside.text
    driver.work.aside._on.click()
    driver.until(lambda: driver.desk.aside is not None and not driver.desk.aside.stays)
    assert settled(driver).startswith(f"Territory set for {COUNT} records.")
    assert in_territory(driver, "North") == COUNT
