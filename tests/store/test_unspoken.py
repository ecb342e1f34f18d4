"""Records of which a server says nothing: those of a lost history, and those deleted here after they had left."""

from __future__ import annotations

import pytest

from app.errors import NotFound
from app.store import comparing, examination, records, rows
from app.store.replica import StoreReplica
from app.store.rows import CHUNK
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.errors import Outcome
from sync.protocol.ids import new_record_id
from sync.protocol.messages import Change, Cursor, OpResult
from tests.store.exchanges import page, row
from tests.store.server import EPOCH


def test_what_the_new_history_says_nothing_of_is_asked_about_until_it_has_spoken(store: Store) -> None:
    theirs, named, own, refused, unknown, backed = (bytes(new_record_id()) for _each in range(6))
    many = (theirs, named, own, refused, unknown)
    page(
        store, row(backed, 90, name="B"), *(row(id_, 110 + at, name=f"R{at}") for at, id_ in enumerate(many))
    )
    records.edit(store, own, {"industry": "Tea"})
    StoreReplica(store).restart(100)
    assert comparing.unspoken(store) == ([], b"")  # the new history is not read yet
    cursor = Cursor(epoch=EPOCH, seq=2**52, scopes=1)
    StoreReplica(store).apply(Answer(cursor, 0, 0, changes=[row(named, 2**52, name="Named")]))
    # Of the backup as well: whether it was in sight in the new history is not known. What waits is answered.
    assert sorted(comparing.unspoken(store)[0]) == sorted((theirs, refused, unknown, backed))
    records.edit(store, refused, {"industry": "Coffee"})  # while the server is asked
    told = [Change(kind="customer", id=id_, ver=2**52 + 1, gone="left") for id_ in (theirs, refused)]
    told += [Change(kind="", id=unknown, ver=0, gone="left"), row(backed, 90, name="B")]
    assert comparing.hear(store, told).left == 1
    with pytest.raises(NotFound):
        records.get(store, theirs)
    assert records.get(store, refused).values["industry"] == "Coffee"
    assert (store.unsent(), store.here().cursor) == (2, cursor)
    assert comparing.unspoken(store) == ([unknown], b"")
    StoreReplica(store).apply(Answer(cursor, 0, 0, changes=[row(unknown, 2**52 + 9, name="Sent again")]))
    assert comparing.unspoken(store) == ([], b"")
    assert {id_ for (id_,) in store.db.all("SELECT id FROM unspoken")} == {own, refused}
    assert examination.examine(store) == []


def test_many_of_which_nothing_was_said_are_asked_about_some_at_a_time(store: Store) -> None:
    ids = sorted(bytes(new_record_id()) for _each in range(CHUNK + 3))
    page(store, *[row(id_, 110 + at, name=f"R{at}") for at, id_ in enumerate(ids)])
    StoreReplica(store).restart(100)
    StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=2**52, scopes=1), 0, 0))
    first, after = comparing.unspoken(store)
    second, end = comparing.unspoken(store, after)
    assert (sorted(first), sorted(second), end) == (ids[:CHUNK], ids[CHUNK:], b"")


def test_a_delete_of_what_had_left_is_known_here_once_the_server_has_taken_it(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 2, name="Anna Ltd"))
    records.delete(store, id_)
    page(store, row(id_, 3, gone="left"))
    assert rows.fetch(store.db, store.shapes["customer"], [id_]) == {}
    # It comes back into sight, and its author's own delete of it is not told to them: the result says enough.
    said = OpResult(n=1, outcome=Outcome.OK, ver=5)
    StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=5), 1, 0, results=[said]))
    there = rows.fetch(store.db, store.shapes["customer"], [id_])[id_]
    assert (there.deleted, there.ver, store.shapes["customer"].cells(there)) == (True, 5, {})
    page(store, row(id_, 6, name="Anna Ltd"))
    assert records.get(store, id_).title == "Anna Ltd"
