"""What the replica hands to the engine: ops within bounds, new numbers, a new history, recovered work, the archive."""

from __future__ import annotations

import msgspec

from app.store import conflicts, outbox, records
from app.store.replica import StoreReplica
from app.store.settled import KEPT_MS
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.ids import new_incarnation, new_record_id
from sync.protocol.messages import Cursor
from sync.protocol.ops import Act, Op
from tests.store.device import CUSTOMER, DEAL, TASK, Device
from tests.store.exchanges import BIG, foreign, page, row, send
from tests.store.server import EPOCH, Server


def test_taking_keeps_within_both_bounds(store: Store) -> None:
    with records.batch(store) as batch:
        for n in range(30):
            batch.add(TASK, {"subject": f"Task {n}", "notes": "x" * 1_000})
    replica = StoreReplica(store)
    assert [op.n for op in replica.take(7, 2**20)] == list(range(1, 8))
    assert [op.n for op in replica.take(1_000, 5_000)] == [1, 2, 3, 4]
    assert [op.n for op in replica.take(1_000, 10)] == [1]  # one that is larger goes alone
    assert len(replica.take(1_000, 2**20)) == 30


def test_an_act_of_several_ops_is_never_split(store: Store) -> None:
    with store.writing() as writing:
        for n in range(1, 9):
            first = 1 if n < 4 else 4 if n < 8 else 8
            writing.put(
                Op(
                    n=n,
                    kind="task",
                    id=bytes(new_record_id()),
                    act=Act.ADD,
                    hlc=n,
                    set={"subject": "T"},
                    first=first,
                )
            )
    replica = StoreReplica(store)
    assert [op.n for op in replica.take(5, 2**20)] == [1, 2, 3]
    assert [op.n for op in replica.take(7, 2**20)] == list(range(1, 8))
    assert [op.n for op in replica.take(2, 2**20)] == [1, 2, 3]
    assert [op.n for op in replica.take(1_000, 10)] == [1, 2, 3]
    assert [op.n for op in replica.take(8, 2**20)] == list(range(1, 9))


def test_new_numbers_keep_the_work_and_seal_it_again(device: Device, store: Store) -> None:
    server, replica = Server(), StoreReplica(store)
    kept = records.add(store, CUSTOMER, {"name": "Sent"})
    send(server, device, store)
    records.edit(store, kept.id, {"name": "Waits"})
    records.add(store, DEAL, {"name": "Waits too"})
    before = outbox.every(store.db)
    fresh = bytes(new_incarnation())
    replica.renumber(fresh)
    after = outbox.every(store.db)
    assert [op.n for op in after] == [1, 2]
    assert [msgspec.structs.replace(op, n=0, first=0) for op in after] == [
        msgspec.structs.replace(op, n=0, first=0) for op in before
    ]
    assert store.incarnation == fresh
    assert replica.position().last_n == 2
    device.assert_sealed(store)
    again = device.reopen()
    device.assert_sealed(again)
    send(server, device, again)
    assert server.rows[kept.id].cells["name"] == "Waits"
    assert again.unsent() == 0


def test_a_new_history_is_read_from_its_start_and_waiting_work_stays(device: Device, store: Store) -> None:
    old, new, replica = bytes(new_record_id()), bytes(new_record_id()), StoreReplica(store)
    page(store, row(old, 900, name="Old word"))
    made = records.add(store, CUSTOMER, {"name": "Mine"})
    records.edit(store, old, {"stage": "lead"})
    replica.restart()
    assert replica.position().cursor == Cursor()
    page(store, row(old, 5, name="New word"), row(new, 6, name="Came in it"))
    assert records.get(store, old).values == {"name": "New word", "stage": "lead"}
    assert records.get(store, made.id).waiting
    assert [op.n for op in replica.take(*BIG)] == [1, 2]


def test_recovered_work_is_taken_once_and_keeps_its_origin(device: Device, store: Store) -> None:
    server, replica = Server(), StoreReplica(store)
    here = bytes(new_record_id())
    page(store, row(here, 3, name="Known", stage="lead"))
    fresh, absent = bytes(new_record_id()), bytes(new_record_id())
    origin = (b"lost-laptop-0123", b"lost-inc")
    ops = [
        Op(n=4, kind="customer", id=fresh, act=Act.ADD, hlc=70 << 16, set={"name": "Found again"}, first=4),
        Op(n=5, kind="customer", id=here, act=Act.SET, hlc=71 << 16, base=3, set={"stage": "former"},
           was={"stage": "lead"}, first=4),
        Op(n=6, kind="customer", id=absent, act=Act.SET, hlc=72 << 16, base=2, set={"stage": "lead"}, first=6),
    ]  # fmt: skip
    records.add(store, CUSTOMER, {"name": "Own"})
    assert replica.take_in(b"packet-1", ops, origin) == 3
    assert replica.take_in(b"packet-1", ops, origin) == 0
    assert replica.take_in(b"packet-2", ops[1:], origin) == 0
    assert replica.recovered() == [b"packet-1", b"packet-2"]
    replica.reported([b"packet-1"])
    assert replica.recovered() == [b"packet-2"]
    waiting = outbox.every(store.db)
    assert [(op.n, op.first) for op in waiting] == [(1, 1), (2, 2), (3, 2), (4, 4)]
    assert [op.origin for op in waiting[1:]] == [(*origin, 4), (*origin, 5), (*origin, 6)]
    assert [op.hlc for op in waiting[1:]] == [op.hlc for op in ops]
    assert records.get(store, fresh).title == "Found again"
    assert records.get(store, here).values["stage"] == "former"
    assert store.counts()["customer"] == 3
    device.assert_sealed(store)
    server.write(foreign("customer", Act.ADD, here, name="Known", stage="lead"))
    server.refuses.add(absent)
    again = device.reopen()
    send(server, device, again)
    assert again.unsent() == 0
    assert server.rows[fresh].cells == {"name": "Found again"}
    (refused,) = conflicts.attention(again)
    assert refused.op == waiting[3]  # its author has it nowhere else


def test_recovered_work_of_two_copies_under_one_number_is_all_taken(device: Device, store: Store) -> None:
    replica, origin = StoreReplica(store), (b"lost-laptop-0123", b"lost-inc")
    ops = [
        Op(
            n=1,
            kind="customer",
            id=bytes(new_record_id()),
            act=Act.ADD,
            hlc=at << 16,
            set={"name": name},
            first=1,
        )
        for at, name in enumerate(("By the first", "By its copy"), 70)
    ]
    assert [replica.take_in(packet, [op], origin) for packet, op in zip((b"a", b"b"), ops, strict=True)] == [
        1,
        1,
    ]
    assert replica.take_in(b"c", ops, origin) == 0
    assert {records.get(store, op.id).title for op in ops} == {"By the first", "By its copy"}
    device.assert_sealed(store)


def test_taken_ops_stay_until_they_are_durable_and_old(device: Device, store: Store) -> None:
    server = Server()
    records.add(store, CUSTOMER, {"name": "Anna Ltd"})
    send(server, device, store)
    page(store, seq=2, acked_n=1)
    assert store.db.one("SELECT count(*) FROM op_archive") == (1,)
    assert device.sealed()
    page(store, seq=3, acked_n=1, durable_seq=1)
    assert store.db.one("SELECT count(*) FROM op_archive") == (1,)
    assert not device.sealed()
    device.ahead_ms = KEPT_MS + 1
    page(store, seq=4, acked_n=1, durable_seq=1)
    assert store.db.one("SELECT count(*) FROM op_archive") == (0,)


def test_an_answer_that_comes_to_some_of_the_ops_leaves_the_others_waiting(
    device: Device, store: Store
) -> None:
    server, replica = Server(), StoreReplica(store)
    ids = [records.add(store, CUSTOMER, {"name": f"Customer {number}"}).id for number in range(3)]
    taken = replica.take(*BIG)
    results = server.push(device.id, store.incarnation, taken)
    cursor = store.here().cursor
    rows = [
        msgspec.structs.replace(each, row=row(id_, 9, name="Other"))
        for each, id_ in zip(results, ids, strict=True)
    ]
    replica.apply(Answer(cursor, taken[0].n, 0, more=True, results=rows[:1]))
    assert (store.unsent(), replica.take(*BIG), store.here().cursor) == (2, taken[1:], cursor)
    assert [records.get(store, id_).values["name"] for id_ in ids] == ["Other", "Customer 1", "Customer 2"]
    replica.apply(Answer(Cursor(epoch=EPOCH, seq=9), taken[2].n, 0, results=rows[1:]))
    assert store.unsent() == 0
    assert {records.get(store, id_).values["name"] for id_ in ids} == {"Other"}
