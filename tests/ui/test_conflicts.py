"""The page of conflicts: buttons of a change that was not accepted, by mouse and by name."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.store.store import Store
from app.ui.conflicts import ConflictsPage
from app.viewmodels.desk import Desk
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
