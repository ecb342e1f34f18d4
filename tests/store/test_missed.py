"""Work that was refused since a restored server had no such record yet is sent again as it was done, when it has."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from app.store import conflicts, examination, joining, outbox, records
from app.store.joining import Joined
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.errors import Outcome, Rejection
from sync.protocol.ids import new_record_id
from sync.protocol.kinds import KINDS, pairs
from sync.protocol.messages import Cursor, OpResult
from sync.protocol.ops import Act, Op
from tests.store.device import CUSTOMER, Device
from tests.store.exchanges import row

NEW = b"new"
CONTACT = KINDS["contact"]


class Pair(NamedTuple):
    """Two customers, of which another device made the one that remains, and a contact of the other."""

    remains: bytes
    gone: bytes
    contact: bytes
    made: Joined


@pytest.fixture
def pair(store: Store) -> Pair:
    """Joined here after the backup, and the server does not know of it: its answer was that of the lost history."""
    remains = bytes(new_record_id())
    gone = records.add(store, CUSTOMER, {"name": "Acme"}).id
    contact = records.add(store, CONTACT, {"name": "Lena", "customer": gone}).id
    answer(store, 1, 2)
    hears(store, row(remains, 3, name="Acme"))
    return Pair(remains, gone, contact, joining.join(store, remains, gone))


def answer(store: Store, *vers: int, epoch: bytes = b"old") -> None:
    """What waits is answered: taken under such a number, or refused as about no record where that is 0."""
    waiting = outbox.every(store.db)[: len(vers)]
    results = [
        OpResult(n=op.n, outcome=Outcome.OK, ver=ver)
        if ver
        else OpResult(n=op.n, outcome=Outcome.REJECTED, code=Rejection.GONE)
        for op, ver in zip(waiting, vers, strict=True)
    ]
    cursor = Cursor(epoch=epoch, seq=max(vers))
    StoreReplica(store).apply(Answer(cursor, waiting[-1].n, 0, results=results))


def hears(store: Store, *changes: object, epoch: bytes = b"old") -> None:
    seq = max(each.ver for each in changes)  # type: ignore[attr-defined]
    here = store.here()
    StoreReplica(store).apply(Answer(Cursor(epoch=epoch, seq=seq), here.acked_n, 0, changes=list(changes)))  # type: ignore[arg-type]


def comes(store: Store, id_: bytes, ver: int) -> None:
    """The record that remains is on the restored server."""
    hears(store, row(id_, ver, name="Acme"), epoch=NEW)


def said(ops: list[Op]) -> list[tuple[Act, bytes]]:
    return [(op.act, op.id) for op in ops]


def join_of(pair: Pair) -> list[tuple[Act, bytes]]:
    return [(Act.SET, pair.remains), (Act.SET, pair.contact), (Act.DELETE, pair.gone)]


def test_a_join_is_sent_again_whole_or_not_at_all(device: Device, store: Store, pair: Pair) -> None:
    StoreReplica(store).restart()
    assert said(outbox.every(store.db))[2:] == join_of(pair)
    answer(store, 2**40 + 1, 2**40 + 2, 0, 0, 0, epoch=NEW)
    assert (store.unsent(), conflicts.attention_count(store)) == (0, 3)
    assert not records.get(store, pair.gone).deleted  # its record is there, the one that remains is not
    comes(store, pair.remains, 2**40 + 3)
    again = outbox.every(store.db)
    assert said(again) == join_of(pair)
    assert len({op.first for op in again}) == 1
    assert again[0].first == again[0].n
    assert conflicts.attention_count(store) == 0
    assert records.get(store, pair.gone).deleted
    assert records.get(store, pair.contact).values["customer"] == pair.remains
    device.assert_sealed(store)
    assert examination.examine(store) == []


def test_a_join_of_which_a_part_left_its_author_is_not_sent_again(store: Store, pair: Pair) -> None:
    """The record that remains came, and is not theirs to see: the delete alone would lose the other one."""
    StoreReplica(store).restart()
    answer(store, 2**40 + 1, 2**40 + 2, 0, 0, 0, epoch=NEW)
    hears(store, row(pair.remains, 2**40 + 3, "left"), epoch=NEW)
    hears(store, row(pair.gone, 2**40 + 4, name="Acme", industry="Tea"), epoch=NEW)
    assert outbox.every(store.db) == []
    assert not records.get(store, pair.gone).deleted
    assert conflicts.attention_count(store) == 3


def test_a_join_of_which_a_part_is_not_kept_any_more_deletes_nothing(store: Store, pair: Pair) -> None:
    """The record that remained left, a backup held it, and the server was restored from an older one."""
    answer(store, 10, 11, 12)
    left = row(pair.remains, 13, "left")
    StoreReplica(store).apply(Answer(Cursor(epoch=b"old", seq=13), store.here().acked_n, 13, changes=[left]))
    StoreReplica(store).restart(2)
    assert said(outbox.every(store.db)) == [(Act.SET, pair.contact)]
    hears(store, row(pair.gone, 2**40, name="Acme"), epoch=NEW)
    assert not records.get(store, pair.gone).deleted


def test_what_was_taken_back_before_it_could_be_sent_stays_taken_back(store: Store, pair: Pair) -> None:
    joining.take_apart(store, pair.made)
    StoreReplica(store).restart()
    # The join, then what takes it back: that asks the record that is missing last.
    answer(store, 2**40 + 1, 2**40 + 2, 0, 0, 0, 2**40 + 1, 2**40 + 3, 0, epoch=NEW)
    comes(store, pair.remains, 2**40 + 4)
    cell = pairs.joined(pair.gone)
    assert [(op.act, op.id, op.set[cell]) for op in outbox.every(store.db)] == [
        (Act.SET, pair.remains, True),
        (Act.SET, pair.remains, None),
    ]
    assert not records.get(store, pair.gone).deleted
    assert records.get(store, pair.contact).values["customer"] == pair.gone
    assert conflicts.attention_count(store) == 0


def test_a_join_taken_back_of_which_only_the_first_part_was_taken_is_not_ended(store: Store) -> None:
    remains, contact = bytes(new_record_id()), bytes(new_record_id())
    gone = records.add(store, CUSTOMER, {"name": "Acme"}).id
    answer(store, 1)
    hears(store, row(remains, 2, name="Acme"), row(contact, 3, "", "contact", name="Lena", customer=gone))
    made = joining.join(store, remains, gone)
    StoreReplica(store).restart()
    hears(store, row(remains, 2**40 + 1, name="Acme"), epoch=NEW)
    answer(store, 2**40 + 2, 2**40 + 3, 0, 0, epoch=NEW)  # what is to be moved is not there yet
    joining.take_apart(store, made)
    hears(store, row(contact, 2**40 + 4, "", "contact", name="Lena", customer=gone), epoch=NEW)
    assert [op.set[pairs.joined(gone)] for op in outbox.every(store.db)] == [None]
    answer(store, 2**40 + 5, epoch=NEW)
    assert outbox.every(store.db) == []
    assert not records.get(store, gone).deleted
    assert records.get(store, contact).values["customer"] == gone
    assert conflicts.attention_count(store) == 0


def test_what_waits_on_a_record_goes_before_what_is_sent_again(store: Store, pair: Pair) -> None:
    StoreReplica(store).restart()
    answer(store, 2**40 + 1, 2**40 + 2, 0, 0, 0, epoch=NEW)
    records.edit(store, pair.contact, {"customer": None})
    comes(store, pair.remains, 2**40 + 3)
    assert [op.set for op in outbox.every(store.db)] == [{"customer": None}]
    answer(store, 2**40 + 4, epoch=NEW)
    assert said(outbox.every(store.db)) == [(Act.SET, pair.remains), (Act.DELETE, pair.gone)]
    assert records.get(store, pair.contact).values.get("customer") is None


def test_what_another_device_had_written_over_it_is_not_what_its_author_wrote(store: Store) -> None:
    id_ = bytes(new_record_id())
    hears(store, row(id_, 3, name="Made by another"))
    records.edit(store, id_, {"industry": "Tea"})
    StoreReplica(store).restart()
    answer(store, 0, epoch=NEW)
    old = Op(n=1, kind="customer", id=id_, act=Act.SET, hlc=2**60, set={"industry": "Rum"})
    StoreReplica(store).take_in(b"p" * 16, [old], (b"another device..", b"anothers"))
    answer(store, 2**40 + 1, epoch=NEW)
    comes(store, id_, 2**40 + 2)
    assert [op.set for op in outbox.every(store.db)] == [{"industry": "Tea"}]
