"""The page of conflicts: buttons of a change that was not accepted, by mouse and by name."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.store import records, settled
from app.store.store import Store
from app.ui.conflicts import ConflictsPage
from app.viewmodels.desk import Desk
from sync.protocol.kinds import KINDS
from sync.protocol.merge import Conflict
from tests.viewmodels.conftest import Held, filled, held, org, session
from tests.viewmodels.test_conflicts import desk

__all__ = ["desk", "filled", "held", "org", "session"]


def _buttons(page: ConflictsPage) -> dict[str, QPushButton]:
    return {each.accessibleName() or each.text(): each for each in page.findChildren(QPushButton)}


def test_a_refused_change_is_made_again_and_another_let_go_by_button(
    qtbot: QtBot, desk: Desk, held: Held
) -> None:
    page = ConflictsPage(desk)
    qtbot.addWidget(page)
    page.show()
    found = _buttons(page)
    assert "Show Blue Harbour" in found
    assert "Show Not yet" not in found  # it is not on any list
    found["Make the change of Blue Harbour again"].click()
    held.turn()
    qtbot.waitUntil(lambda: "Make the change of Blue Harbour again" not in _buttons(page))
    assert desk.session.call(Store.unsent) == 1
    _buttons(page)["Let the change of Not yet go"].click()
    held.turn()
    qtbot.waitUntil(lambda: "Let the change of Not yet go" not in _buttons(page))
    assert desk.session.call(Store.unsent) == 1
    page.let_go()


def _settling_page(qtbot: QtBot, desk: Desk, held: Held, count: int) -> tuple[ConflictsPage, list[Conflict]]:
    """The page with so many conflicts and nothing else."""
    made = [
        desk.session.call(lambda store, at=at: records.add(store, KINDS["customer"], {"name": f"Minds {at}"}))
        for at in range(count)
    ]
    found = [
        Conflict(
            id=at.to_bytes(16, "big"), kind="customer", record=each.id, cell="industry", kept="Tea",
            shown_by="ben@demo.example", kept_by="anna@demo.example", ver=at,
        )
        for at, each in enumerate(made)
    ]  # fmt: skip

    def meet(store: Store) -> None:
        with store.writing():
            settled.conflicts(store.db, found, [])
            store.db.execute("DELETE FROM attention")

    desk.session.call(meet)
    desk.load_conflicts()
    held.turn()
    page = ConflictsPage(desk)
    qtbot.addWidget(page)
    page.show()
    return page, found


def _industry(desk: Desk, id_: bytes) -> object:
    return desk.session.call(lambda store: records.get(store, id_)).values.get("industry")


def test_conflicts_are_settled_by_button(qtbot: QtBot, desk: Desk, held: Held) -> None:
    page, (first, second) = _settling_page(qtbot, desk, held, 2)
    _buttons(page)["Take the other: Minds 0, Industry"].click()
    held.turn()
    qtbot.waitUntil(lambda: "Take the other: Minds 0, Industry" not in _buttons(page))
    assert _industry(desk, first.record) == "Tea"
    _buttons(page)["Keep what stands: Minds 1, Industry"].click()
    held.turn()
    qtbot.waitUntil(lambda: not _buttons(page))
    assert _industry(desk, second.record) is None
    page.let_go()


def test_conflicts_are_settled_by_one_key_each_and_the_focus_goes_on(
    qtbot: QtBot, desk: Desk, held: Held
) -> None:
    page, (first, second, third) = _settling_page(qtbot, desk, held, 3)
    _buttons(page)["Keep what stands: Minds 0, Industry"].setFocus()
    for key, rest in ((Qt.Key.Key_T, "Minds 1"), (Qt.Key.Key_K, "Minds 2"), (Qt.Key.Key_T, "")):
        QTest.keyClick(page.focusWidget(), key)
        held.turn()
        assert not rest or rest in page.focusWidget().accessibleName()
    assert [_industry(desk, each.record) for each in (first, second, third)] == ["Tea", None, "Tea"]
    page.let_go()


def test_keys_decide_as_soon_as_the_page_is_open(qtbot: QtBot, desk: Desk, held: Held) -> None:
    page, (first,) = _settling_page(qtbot, desk, held, 1)
    page.enter()
    focus = page.focusWidget()
    assert focus is not None
    QTest.keyClick(focus, Qt.Key.Key_T)
    held.turn()
    assert _industry(desk, first.record) == "Tea"
    page.let_go()
