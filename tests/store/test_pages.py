"""Pages laid in piece by piece: there for others once they are committed, all of them or none, as one page would be."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.keys.secret import SecretBytes
from app.store import examination, lists, search
from app.store.pages import End, Pages
from app.store.reader import Reader
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.errors import UpgradeNeeded
from sync.protocol.messages import Change, Cursor
from tests.store.device import CUSTOMER, Device
from tests.store.exchanges import row

SEEN = Cursor(epoch=b"e", seq=7)


def _piece(first: int, count: int = 5, industry: str = "Tea") -> list[Change]:
    return [row(b"row %12d" % n, 100 + n, name="Row", industry=industry) for n in range(first, first + count)]


def _found(store: Reader, text: str) -> list[bytes]:
    return sorted(hit.record.id for hit in search.find(store, text, kinds=[CUSTOMER]))


def test_pieces_are_seen_once_they_are_committed(device: Device, store: Store) -> None:
    pages = Pages(store)
    beside = Reader.open_beside(device.profile, SecretBytes(device.key))
    for first in (0, 5, 3):  # some rows come twice
        assert pages.lay(_piece(first), 0) is not None
    assert lists.count(beside, CUSTOMER) == 0
    assert pages.commit(End(SEEN, 0, more=False))
    assert lists.count(beside, CUSTOMER) == 10
    assert beside.here().cursor == SEEN
    beside.close()
    assert examination.examine(store) == []


def test_pieces_lay_what_pages_lay(device: Device, store: Store, tmp_path: Path) -> None:
    """In whatever order their rows stand in the store: some come, some change, one goes."""
    turned = [*reversed(_piece(3, industry="Coffee")), row(b"row %12d" % 0, 500, gone="deleted")]
    (tmp_path / "other").mkdir()
    other = Device(tmp_path / "other")
    whole = other.create()
    pages = Pages(store)
    for some in (_piece(0), turned):
        told = pages.lay(some, 0)
        assert told == StoreReplica(whole).apply(Answer(Cursor(), 0, 0, changes=some))
    pages.commit(None)
    every = "SELECT * FROM record_customer ORDER BY _rowid"
    assert store.db.all(every) == whole.db.all(every)
    for text, count in (("tea", 2), ("coffee", 5), ("row", 7)):
        assert len(_found(store, text)) == count
        assert _found(store, text) == _found(whole, text)
    assert examination.examine(store) == []
    other.close()


def test_nothing_stays_of_a_transaction_in_which_one_piece_fails(store: Store) -> None:
    pages = Pages(store)
    pages.lay(_piece(0), 0)
    pages.commit(End(SEEN, 0, more=True))
    pages.lay(_piece(5), 0)
    with pytest.raises(UpgradeNeeded):
        pages.lay([Change(kind="planet", id=b"x" * 16, ver=1)], 0)
    assert not store.db.writing
    assert (lists.count(store, CUSTOMER), store.here().cursor) == (5, SEEN)
    pages.lay(_piece(10), 0)
    pages.commit(None)
    assert (lists.count(store, CUSTOMER), store.here().cursor) == (10, SEEN)
    assert examination.examine(store) == []


def test_rows_behind_unsettled_work_are_left(store: Store) -> None:
    pages = Pages(store)
    assert pages.lay(_piece(0), 1) is None
    assert not store.db.writing


def test_what_became_durable_is_for_the_stores_own_thread(store: Store) -> None:
    """It lets go of work that the server has taken: that waits for the disk."""
    pages = Pages(store)
    pages.lay(_piece(0), 0)
    assert not pages.commit(End(SEEN, 1, more=False))
    assert (lists.count(store, CUSTOMER), store.here().cursor.seq) == (5, 0)
    pages.lay(_piece(5), 0)
    assert pages.commit(End(SEEN, 1, more=True))  # the last page tells it again
    assert (store.here().durable_seq, store.here().cursor) == (0, SEEN)
