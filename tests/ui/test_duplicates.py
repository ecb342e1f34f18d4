"""The page of possible duplicates: values chosen cell by cell, both ways to decide, by button and by key, and undo."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QPushButton
from pytestqt.qtbot import QtBot

from app.commands import DUPLICATES
from app.services.session import Session
from app.store import duplicates, joined, records
from app.ui.duplicates import DuplicatesPage
from app.viewmodels.desk import Desk
from sync.protocol.kinds import KINDS
from tests.viewmodels.conftest import Held, filled, held, org, session

__all__ = ["filled", "held", "org", "session"]

CUSTOMER = KINDS["customer"]


@pytest.fixture
def desk(session: Session, held: Held) -> Desk:
    """The open workplace, in whose book each of two customers stands twice."""
    made = Desk(session, held)
    session.bus.subscribe(lambda changes: held.post(lambda: made.heard(changes)))
    for name in ("Kranbau", "Zeltbau"):
        for more in (
            {"industry": "Cranes", "name": f"{name} GmbH"},
            {"industry": "Tents", "name": f"{name} AG"},
        ):
            session.call(
                lambda store, more=more: records.add(
                    store, CUSTOMER, {**more, "tax_number": f"DE {more['name'][0]}1"}
                )
            )
    session.call(duplicates.catch_up)
    made.start()
    made.on_counts.read()
    made.go(DUPLICATES)
    held.turn()
    return made


@pytest.fixture
def page(qtbot: QtBot, desk: Desk, held: Held) -> DuplicatesPage:
    """The page, with what was read."""
    made = DuplicatesPage(desk)
    qtbot.addWidget(made)
    made.show()
    held.turn()
    return made


def _buttons(page: DuplicatesPage) -> dict[str, QAbstractButton]:
    return {each.accessibleName() or each.text(): each for each in page._held.findChildren(QAbstractButton)}


def _told(desk: Desk) -> int:
    return len(desk.session.call(duplicates.found))


def test_a_pair_is_made_one_with_the_value_that_was_chosen(
    desk: Desk, held: Held, page: DuplicatesPage
) -> None:
    assert desk.counts is not None and desk.counts.pairs == 2
    found = _buttons(page)
    assert "Make them one: Zeltbau GmbH, Zeltbau AG" in found
    found["Industry: Cranes, Tents: Left"].click()
    found["Make them one: Kranbau GmbH, Kranbau AG"].click()
    _buttons(page)["Industry: Cranes, Tents: Left"].click()  # of the other pair, which is still shown
    held.turn()
    assert _told(desk) == 1
    (aside,) = [desk.aside]
    assert aside is not None and aside.undoes
    desk.undo()
    held.turn()
    assert _told(desk) == 2


def test_the_value_of_a_cell_goes_where_it_was_chosen(desk: Desk, held: Held, page: DuplicatesPage) -> None:
    double = next(each for each in page._doubles.shown or () if each.left == "Kranbau GmbH")
    page._doubles.choose(double, "industry", "remains")
    page._doubles.join(double)
    held.turn()
    remains = desk.session.call(lambda store: records.get(store, double.seen.remains.id))
    assert (remains.values["industry"], remains.values["name"]) == ("Cranes", "Kranbau AG")
    gone = double.seen.gone.id
    assert desk.session.call(lambda store: joined.remains_of(store, gone)) == double.seen.remains.id


def test_both_are_decided_by_one_key_each_and_the_focus_goes_on(
    desk: Desk, held: Held, page: DuplicatesPage
) -> None:
    first = next(each for each in page.findChildren(QPushButton) if each.text() == "Make them one")
    first.setFocus()
    for key, left in ((Qt.Key.Key_D, 1), (Qt.Key.Key_J, 0)):
        QTest.keyClick(page.focusWidget(), key)
        held.turn()
        assert _told(desk) == left
    desk.undo()
    held.turn()
    desk.undo()
    held.turn()
    assert _told(desk) == 2
    assert len(page._doubles.shown or ()) == 2
    page.let_go()


def test_sides_are_changed(desk: Desk, held: Held, page: DuplicatesPage) -> None:
    _buttons(page)["Change sides: Kranbau GmbH, Kranbau AG"].click()
    held.turn()
    assert "Make them one: Kranbau AG, Kranbau GmbH" in _buttons(page)


def test_the_list_and_the_page_of_a_record_tell_it(desk: Desk, held: Held, page: DuplicatesPage) -> None:
    desk.go("customer")
    held.turn()
    rows = [row for at in range(desk.list.count()) if (row := desk.list.row(at)) is not None]
    assert {row.word for row in rows if row.title.startswith("Kranbau")} == {"waiting"}  # that comes first
    double = (page._doubles.shown or [])[0]
    desk.open("customer", double.seen.remains.id)
    held.turn()
    assert desk.detail is not None
    assert any(moment.kind == "duplicate" for moment in desk.detail.moments)
