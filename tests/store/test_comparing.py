"""What a store holds of the server comes to the same digest as at the server, whatever its cells are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store import comparing, examination, outbox, records
from app.store.replica import StoreReplica
from app.store.schema import Shape, Stored
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol import codec, digest
from sync.protocol.errors import FieldProblem, Outcome
from sync.protocol.kinds import KINDS
from sync.protocol.messages import Change, OpResult
from sync.server import masks
from sync.server.access import Rights
from tests.protocol.strategies import raw_values, tries
from tests.store.device import CUSTOMER
from tests.store.exchanges import page, row

ID = b"i" * 16


def _through_a_row(shape: Shape, cells: dict[str, Any]) -> dict[str, Any]:
    """The cells as they come out of the columns again."""
    values, ext = shape.split(codec.unpack(codec.pack(cells)))
    return shape.cells(shape.stored((1, *shape.row(Stored(ID, 7, values=values, ext=ext)))))


@pytest.mark.parametrize("name", KINDS)
@tries(150)
@given(drawn=st.data())
def test_a_row_is_told_as_its_cells_are(name: str, drawn: st.DataObject) -> None:
    kind = KINDS[name]
    try:
        cells = kind.cells(kind.check(drawn.draw(raw_values(kind))))
    except FieldProblem:
        return
    cells["of_a_newer_version"] = {"b": 1, "a": [None, 2.5]}
    for sent in (cells, masks.seen(Rights(b"p" * 16, "privacy", ""), name, cells)):
        kept = _through_a_row(Shape(kind), sent)
        assert digest.digest_of(ID, 7, kept) == digest.digest_of(ID, 7, sent)


@pytest.fixture
def full(store: Store) -> Store:
    """Rows of the server, a deleted one, and unsent work on one of them and beside them."""
    page(
        store,
        *[row(b"a%15d" % n, n + 1, name=f"Theirs {n}") for n in range(40)],
        row(b"d" * 16, 41, "deleted"),
    )
    records.edit(store, b"a%15d" % 3, {"industry": "Tea"})
    records.add(store, CUSTOMER, {"name": "Ours"})
    return store


def test_what_waits_is_not_counted_but_what_is_below_it(full: Store) -> None:
    wanted = digest.Sums()
    for n in range(40):
        id_ = b"a%15d" % n
        wanted.add(id_, digest.digest_of(id_, n + 1, {"name": f"Theirs {n}"}))
    wanted.add(b"d" * 16, digest.digest_of(b"d" * 16, 41, None))
    found = comparing.sums(full)
    assert (found.digests, found.counts) == (wanted.digests, wanted.counts)
    every = comparing.digests(full, frozenset(range(digest.BUCKETS)))
    assert len(every) == 41
    some = comparing.digests(full, frozenset(range(0, digest.BUCKETS, 2)))
    assert 0 < len(some) < 41
    assert some.items() <= every.items()


def test_what_is_laid_in_wins_whatever_number_it_had_and_unsent_work_stays_on_top(full: Store) -> None:
    waiting, sums = outbox.every(full.db), comparing.sums(full)
    full.db.execute("UPDATE record_customer SET _ver = 900, name = 'Rotten' WHERE _id = ?", (b"a%15d" % 5,))
    full.db.execute("UPDATE base SET ver = 900, deleted = 1")
    full.db.execute("DELETE FROM record_customer WHERE _id = ?", (b"a%15d" % 6,))
    full.db.execute("UPDATE record_customer SET _deleted = 0 WHERE _id = ?", (b"d" * 16,))
    assert comparing.sums(full).differing(sums)
    mended = [row(b"a%15d" % n, n + 1, name=f"Theirs {n}") for n in (3, 5, 6)]
    comparing.lay_in(full, [*mended, row(b"d" * 16, 41, "deleted")], [])
    examination.repair(full)
    assert comparing.sums(full).differing(sums) == []
    assert outbox.every(full.db) == waiting
    edited = records.get(full, b"a%15d" % 3)
    assert (edited.values["industry"], edited.deleted) == ("Tea", False)
    assert examination.examine(full) == []


def test_what_is_not_for_this_person_goes_but_nothing_that_may_be_the_last_of_its_kind(full: Store) -> None:
    gone = [b"a%15d" % n for n in (0, 3, 9)]
    left = [Change(kind="", id=id_, ver=0, gone="left") for id_ in (*gone, b"never here  ....")]
    assert comparing.keeps(full, gone) == {
        gone[0],
        gone[1],
    }  # of an earlier history, and with work that waits
    comparing.lay_in(full, left, [])
    assert {id_: bool(records.find_row(full, id_)) for id_ in gone[:2]} == dict.fromkeys(gone[:2], True)
    assert not full.db.all("SELECT 1 FROM record_customer WHERE _id = ?", (gone[2],))
    assert full.unsent() == 2


def test_a_stray_stays_while_refused_work_on_it_is_to_be_looked_at(store: Store) -> None:
    id_ = b"r" * 16
    page(store, row(id_, 50, name="Of a colleague"))
    edited = records.edit(store, id_, {"notes": "an hour of typing"})
    (op,) = outbox.every(store.db)
    refused = OpResult(n=op.n, outcome=Outcome.REJECTED)
    StoreReplica(store).apply(Answer(store.here().cursor, op.n, 0, results=[refused]))
    kept = store.db.all("SELECT op FROM attention")
    assert edited.values["notes"].encode() in kept[0][0]
    left = [Change(kind="", id=id_, ver=0, gone="left")]
    assert comparing.keeps(store, [id_]) == {id_}
    comparing.lay_in(store, left, [])
    assert store.db.all("SELECT op FROM attention") == kept
    assert records.get(store, id_).title == "Of a colleague"
    store.db.execute("DELETE FROM attention")  # looked at
    comparing.lay_in(store, left, [])
    assert not store.db.all("SELECT 1 FROM record_customer")
