"""The search index of an older file fills while the store is in use: what it holds is found, the rest by name."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from app.errors import NoSpace
from app.store import examination, indexing, lists, merging, outbox, records, search
from app.store.filters import Filter
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.errors import Outcome
from sync.protocol.messages import Cursor, OpResult
from tests.store.device import CUSTOMER, DEAL, Device
from tests.store.exchanges import page, row
from tests.store.server import EPOCH
from tests.store.test_steps import make_search_older

MANY = 90


@pytest.fixture
def older(device: Device, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A file of version 5 with rows of two kinds, just opened, whose index takes ten rows in at a step."""
    store = device.create()
    with records.batch(store) as batch:
        for n in range(MANY):
            batch.add(CUSTOMER, {"name": f"Kept {n:03d}", "industry": "tea trade", "notes": "spring 折扣"})
            batch.add(DEAL, {"name": f"上海 deal {n:03d}"})
        gone = batch.add(CUSTOMER, {"name": "Gone", "industry": "tea trade"})
    records.delete(store, gone.id)
    make_search_older(store)
    device.close()
    monkeypatch.setattr(indexing, "ROWS", 10)
    return device.open()


def _found(store: Store, text: str) -> int:
    return len(search.find(store, text, limit=1_000))


def _finish(store: Store) -> None:
    while merging.step(store):
        pass


def test_it_opens_with_an_empty_index_and_no_copy(device: Device, older: Store) -> None:
    assert not device.profile.store_before.exists()
    assert indexing.left(older) == (2 * MANY + 1, 2 * MANY + 1)
    assert _found(older, "kept") == MANY  # the names that begin so
    assert _found(older, "tea") == 0
    assert examination.examine(older) == []


def test_more_is_found_from_step_to_step_the_newest_first(older: Store) -> None:
    counts, before = [], indexing.left(older)[0]
    while indexing.step(older):
        assert indexing.left(older)[0] <= before
        before = indexing.left(older)[0]
        counts.append(_found(older, "tea"))
        assert examination.examine(older) == []
        if 0 < counts[-1] < MANY:
            titles = {hit.record.title for hit in search.find(older, "tea", limit=1_000)}
            assert titles == {f"Kept {MANY - 1 - n:03d}" for n in range(len(titles))}
    assert counts == sorted(counts)
    assert len(set(counts)) > 5
    assert counts[-1] == MANY
    assert (_found(older, "折扣"), _found(older, "shanghai"), _found(older, "gone")) == (MANY, MANY, 0)
    assert indexing.left(older) == (0, 0)


def test_the_old_indexes_leave_nothing(older: Store) -> None:
    _finish(older)
    names = [name for (name,) in older.db.all("SELECT name FROM sqlite_master")]
    assert not [name for name in names if name.startswith(("find_", "notes_", "sounds_"))]


def test_it_goes_on_where_it_was_closed(device: Device, older: Store) -> None:
    for _step in range(9):
        indexing.step(older)
    left = indexing.left(older)
    assert 0 < left[0] < left[1]
    again = device.reopen()
    assert indexing.left(again) == left
    _finish(again)
    assert (_found(again, "tea"), examination.examine(again)) == (MANY, [])


def test_what_is_written_meanwhile_is_found_once_and_as_it_is(older: Store) -> None:
    for _step in range(12):
        indexing.step(older)
    (first,) = search.find(older, "kept 000", limit=1)
    records.edit(older, first.record.id, {"industry": "coffee"})
    (second,) = search.find(older, "kept 001", limit=1)
    records.delete(older, second.record.id)
    made = records.add(older, CUSTOMER, {"name": "New", "industry": "tea trade"})
    assert made.id in {hit.record.id for hit in search.find(older, "tea trade", limit=1_000)}
    assert _found(older, "coffee") == 1
    _finish(older)
    assert (_found(older, "tea"), _found(older, "coffee"), examination.examine(older)) == (MANY - 1, 1, [])


def test_a_filter_by_words_sees_every_record_meanwhile(older: Store) -> None:
    for _step in range(25):
        assert lists.count(older, CUSTOMER, Filter(words="tea")) == MANY
        assert lists.count(older, CUSTOMER, Filter(words="折扣")) == MANY
        indexing.step(older)


def test_repair_brings_all_of_it_in_at_once(older: Store) -> None:
    examination.repair(older)
    assert (_found(older, "tea"), indexing.left(older), examination.examine(older)) == (MANY, (0, 0), [])


def test_without_room_nothing_is_begun_and_it_goes_on_later(
    older: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=10_000))
        with pytest.raises(NoSpace, match="room"):
            _finish(older)
    assert _found(older, "tea") == 0
    _finish(older)
    assert _found(older, "tea") == MANY


OLD = ("find", "notes", "sounds")


def _old_indexes(store: Store, kind: str) -> set[str]:
    names = {f"{each}_{kind}" for each in OLD}
    return {name for (name,) in store.db.all("SELECT name FROM sqlite_master") if name in names}


def _pages_with(device: Device, word: bytes) -> int:
    """How many blocks of any search index hold a word, read from the closed file."""
    store = device.open()
    tables = [n for (n,) in store.db.all("SELECT name FROM sqlite_master") if n.endswith("_data")]
    every = " UNION ALL ".join(f'SELECT block FROM "{name}"' for name in tables)  # noqa: S608 - names of tables
    blocks = [block for (block,) in store.db.all(every)]
    device.close()
    return sum(word in bytes(block) for block in blocks if block)


@pytest.mark.parametrize("how", ["page", "result"])
def test_the_words_of_a_record_that_left_stay_in_no_old_index(device: Device, how: str) -> None:
    store = device.create()
    going, staying = b"g" * 16, b"s" * 16
    page(store, row(going, 1, name="Going"), row(staying, 2, name="Staying"))
    page(store, row(b"d" * 16, 3, kind="deal", name="Staying"))
    make_search_older(store)
    with store.db.building() as db:
        for index in OLD:
            at = db.one("SELECT _rowid FROM record_customer WHERE _id = ?", (going,))
            filled = f"INSERT OR REPLACE INTO {index}_customer (rowid, t) VALUES (?, 'zweibrueck')"  # noqa: S608
            db.execute(filled, at)
    device.close()
    assert _pages_with(device, b"zweibrueck") == len(OLD)
    store = device.open()
    page(store, row(staying, 4, name="Staying on"))
    assert len(_old_indexes(store, "customer")) == len(OLD)  # nothing has left
    if how == "page":
        page(store, row(going, 5, gone="left"))
    else:
        records.edit(store, going, {"industry": "Tea"})
        (op,) = outbox.every(store.db)
        result = OpResult(n=op.n, outcome=Outcome.OK, row=row(going, 5, gone="left"))
        StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=5), op.n, 0, results=[result]))
    assert _old_indexes(store, "customer") == set()
    assert len(_old_indexes(store, "deal")) == len(OLD)
    device.close()
    assert _pages_with(device, b"zweibrueck") == 0
    store = device.open()
    _finish(store)
    assert examination.examine(store) == []
    assert [hit.record.id for hit in search.find(store, "staying") if hit.record.id == staying] == [staying]
