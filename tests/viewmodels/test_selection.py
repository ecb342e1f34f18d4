"""A selection holds on to records: all but some, stretches long and short, and what leaves the list leaves it too."""

from __future__ import annotations

import pytest

from app.changes import Changes
from app.services.session import Session
from app.store import records
from app.store.store import Store
from app.viewmodels import selection
from app.viewmodels.base import Errands
from app.viewmodels.records import RecordList
from app.viewmodels.selection import Picked
from sync.protocol.kinds import KINDS
from tests.ui import sample
from tests.viewmodels.conftest import Held

CUSTOMER = KINDS["customer"]
COUNT = len(sample.CUSTOMERS)


@pytest.fixture
def rows(session: Session, held: Held) -> RecordList:
    made = RecordList(session, Errands(held), CUSTOMER)
    made.load()
    held.turn()
    return made


@pytest.fixture
def picked(rows: RecordList, held: Held) -> Picked:
    made = Picked(rows, Errands(held))
    rows.watch(made.settle)
    return made


def chosen(picked: Picked) -> list[int]:
    return [at for at in range(COUNT) if picked.has(at)]


def test_stretches_grow_shrink_and_turn_round(picked: Picked) -> None:
    picked.toggle(9)
    picked.reach(3, 4)
    picked.reach(4, 6)
    assert chosen(picked) == [3, 4, 5, 6, 9]
    picked.reach(6, 2)
    assert chosen(picked) == [2, 3, 9]
    picked.reach(2, 3)
    assert chosen(picked) == [3, 9]
    picked.reach(12, 13)  # begun anew
    assert chosen(picked) == [3, 9, 12, 13]
    assert len(picked) == 4


def test_a_long_stretch_is_marked_in_the_background(
    picked: Picked, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "AT_ONCE", 3)
    picked.all()
    picked.reach(2, 8)
    assert chosen(picked) == list(range(COUNT))
    held.turn()
    assert chosen(picked) == list(range(COUNT))
    picked.clear()
    picked.reach(2, 8)
    assert chosen(picked) == []
    held.turn()
    assert chosen(picked) == [2, 3, 4, 5, 6, 7, 8]
    picked.reach(8, 15)
    picked.clear()  # what a person does meanwhile wins
    held.turn()
    assert chosen(picked) == []


def test_all_but_some_takes_in_what_comes_later(
    picked: Picked, rows: RecordList, session: Session, held: Held
) -> None:
    picked.all()
    picked.toggle(0)
    made = session.call(records.add, CUSTOMER, {"name": "AAA"})
    rows.heard(Changes((("customer", made.id),), "here"))
    held.turn()
    assert (picked.has(0), picked.has(1), len(picked)) == (True, False, COUNT)
    asked = picked.selection()
    assert (asked.every, len(asked.rows), asked.count) == (True, 1, COUNT)


def test_what_leaves_the_list_leaves_the_selection(
    picked: Picked, rows: RecordList, session: Session, held: Held
) -> None:
    picked.reach(0, 2)
    gone, kept = rows.shown(1), rows.shown(2)
    assert gone is not None
    assert kept is not None

    def act(store: Store) -> None:
        records.delete(store, gone.id)
        records.edit(store, kept.id, {"name": "zzz last of all"})

    session.call(act)
    rows.heard(Changes((("customer", gone.id), ("customer", kept.id)), "here"))
    held.turn()
    assert len(picked) == 2
    last = next(at for at in range(COUNT) if (row := rows.row(at)) and row.title == "zzz last of all")
    assert last > 2
    assert chosen(picked) == [0, last]
