"""The store as the engine's replica: acks, pages, refusals, evictions, new numbers, recovered work."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from app.store import conflicts, lists, outbox, records, search
from app.store.replica import StoreReplica
from app.store.settled import KEPT_MS
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.codec import Raw, pack
from sync.protocol.errors import UpgradeNeeded
from sync.protocol.ids import new_incarnation, new_record_id
from sync.protocol.merge import Conflict
from sync.protocol.messages import Change, Cursor
from sync.protocol.ops import Act, Op
from tests.store.device import CUSTOMER, DEAL, TASK, Device
from tests.store.server import EPOCH, Server

BIG = (1_000, 2**22)


def send(server: Server, device: Device, store: Store, *, refuse: bytes | None = None) -> Answer:
    """One exchange in full: everything waiting goes up, the answer is laid in."""
    replica = StoreReplica(store)
    if refuse is not None:
        server.refuses.add(refuse)
    results = server.push(device.id, store.incarnation, replica.take(*BIG))
    page = server.page(device.id, store.incarnation, store.here().cursor.seq)
    answer = dataclasses.replace(page, results=results)
    replica.apply(answer)
    return answer


def foreign(kind: str, act: Act, id_: bytes, base: int = 0, **cells: object) -> Op:
    """An edit that somebody else makes."""
    return Op(n=1, kind=kind, id=id_, act=act, hlc=1, base=base, set=cells)


def row(id_: bytes, ver: int, gone: str = "", kind: str = "customer", **cells: object) -> Change:
    """A row as a page brings it."""
    return Change(kind=kind, id=id_, ver=ver, gone=gone, cells={c: Raw(pack(v)) for c, v in cells.items()})


def page(store: Store, *changes: Change, seq: int = 0, acked_n: int = 0, durable_seq: int = 0) -> None:
    """Lay in one page of these rows."""
    seq = seq or max((each.ver for each in changes), default=0)
    StoreReplica(store).apply(
        Answer(Cursor(epoch=EPOCH, seq=seq), acked_n, durable_seq, changes=list(changes))
    )


def test_acknowledged_work_leaves_the_outbox_and_nothing_looks_different_but_the_mark(
    device: Device, store: Store
) -> None:
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd", "tags": ["key"]})
    server = Server()
    send(server, device, store)
    after = records.get(store, made.id)
    assert store.unsent() == 0
    assert after == dataclasses.replace(made, waiting=False, ver=1)
    assert store.db.one("SELECT count(*) FROM base") == (0,)
    assert StoreReplica(store).position().cursor == Cursor(epoch=EPOCH, seq=1)
    assert StoreReplica(store).position().last_n == 1


def test_an_edit_made_while_its_predecessor_was_under_way_stays_on_top(device: Device, store: Store) -> None:
    server, replica = Server(), StoreReplica(store)
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd", "stage": "lead"})
    taken = replica.take(*BIG)
    records.edit(store, made.id, {"stage": "prospect"})
    results = server.push(device.id, device.incarnation, taken)
    server.write(foreign("customer", Act.SET, made.id, base=1, industry="Retail"))
    answer = dataclasses.replace(server.page(device.id, device.incarnation, 0), results=results)
    applied = replica.apply(answer)
    shown = records.get(store, made.id)
    assert applied.records == [("customer", made.id)]
    assert shown.values["stage"] == "prospect"
    assert shown.values["industry"] == "Retail"
    assert shown.waiting
    assert outbox.bases(store.db, [made.id])[made.id][2]["stage"] == "lead"
    send(server, device, store)
    assert not records.get(store, made.id).waiting
    assert server.rows[made.id].cells["stage"] == "prospect"


def test_an_answer_that_came_twice_changes_nothing(device: Device, store: Store) -> None:
    server = Server()
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd"})
    answer = send(server, device, store)
    before = records.get(store, made.id)
    applied = StoreReplica(store).apply(answer)
    assert applied.records == []
    assert records.get(store, made.id) == before
    assert store.counts()["customer"] == 1


def test_an_acknowledgement_whose_result_was_lost_is_enough(device: Device, store: Store) -> None:
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd"})
    records.edit(store, made.id, {"stage": "lead"})
    page(store, seq=7, acked_n=1)
    assert records.get(store, made.id).waiting
    assert records.find_row(store, made.id)[1].waiting == 1
    assert outbox.bases(store.db, [made.id])[made.id][2]["name"] == "Anna Ltd"
    page(store, row(made.id, 5, name="Their word"), seq=7, acked_n=2)
    assert records.get(store, made.id).values == {"name": "Their word"}
    assert not records.get(store, made.id).waiting


def test_an_older_word_on_a_record_changes_nothing(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 9, name="New name"))
    page(store, row(id_, 8, name="Old name"), seq=9)
    page(store, row(id_, 8, gone="deleted"), seq=9)
    page(store, row(id_, 8, gone="left"), seq=9)
    assert records.get(store, id_).title == "New name"


def test_a_refused_op_stays_before_the_persons_eyes_and_blocks_nothing(device: Device, store: Store) -> None:
    server = Server()
    kept = records.add(store, CUSTOMER, {"name": "Kept"})
    send(server, device, store)
    records.edit(store, kept.id, {"name": "Not allowed"})
    other = records.add(store, CUSTOMER, {"name": "Allowed"})
    answer = send(server, device, store, refuse=kept.id)
    assert store.unsent() == 0
    assert records.get(store, kept.id).title == "Kept"
    assert server.rows[other.id].cells["name"] == "Allowed"
    (refused,) = conflicts.attention(store)
    assert (refused.n, refused.code, refused.hint, refused.title) == (
        2, "forbidden", "Ask your manager.", "Kept",
    )  # fmt: skip
    assert refused.op is not None
    assert refused.op.set == {"name": "Not allowed"}
    assert conflicts.attention_count(store) == 1
    StoreReplica(store).apply(answer)
    assert conflicts.attention_count(store) == 1


def test_a_refused_new_record_goes_from_the_lists_and_its_content_is_kept(
    device: Device, store: Store
) -> None:
    made = records.add(store, CUSTOMER, {"name": "Not yours"})
    records.edit(store, made.id, {"stage": "lead"})
    send(Server(), device, store, refuse=made.id)
    assert store.counts()["customer"] == 0
    assert not search.find(store, "yours")
    assert [each.title for each in conflicts.attention(store)] == ["Not yours", ""]


def test_both_values_of_a_conflict_are_kept_until_it_is_settled(device: Device, store: Store) -> None:
    server = Server()
    made = records.add(store, CUSTOMER, {"name": "Anna Ltd", "stage": "lead"})
    send(server, device, store)
    server.write(foreign("customer", Act.SET, made.id, base=1, stage="former"))
    records.edit(store, made.id, {"stage": "customer"})
    send(server, device, store)
    shown = records.get(store, made.id)
    assert shown.values["stage"] == "former"
    assert shown.conflicts == 1
    (met,) = conflicts.open_conflicts(store)
    assert (met.conflict.shown, met.conflict.kept, met.title) == ("former", "customer", "Anna Ltd")
    assert conflicts.open_conflicts(store, record=made.id) == [met]
    settled: Conflict = msgspec.structs.replace(met.conflict, state="kept")
    StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=9), 0, 0, conflicts=[settled]))
    assert conflicts.open_conflicts(store) == []
    assert records.get(store, made.id).conflicts == 0


def test_a_record_that_left_leaves_no_trace(device: Device, store: Store) -> None:
    id_ = bytes(new_record_id())
    stays = bytes(new_record_id())
    page(store, row(id_, 1, name="Vanishing Xylophone", notes="quincunx"), row(stays, 2, name="Stays"))
    met = Conflict(
        id=b"c" * 16, kind="customer", record=id_, cell="name", shown="Vanishing Xylophone", kept="x"
    )
    StoreReplica(store).apply(Answer(Cursor(epoch=EPOCH, seq=3), 0, 0, conflicts=[met]))
    records.edit(store, id_, {"industry": "Zither"})
    page(store, row(id_, 4, gone="left"))
    assert store.counts()["customer"] == 1
    assert not search.find(store, "vanishing")
    assert not search.find(store, "quincunx")
    assert lists.title_of(store, id_) is None
    assert conflicts.open_conflicts(store) == []
    assert store.unsent() == 1  # goes up once more, so that a manager sees it
    send(Server(), device, store, refuse=id_)
    (refused,) = conflicts.attention(store)
    assert refused.op is None
    words = _words(store)
    assert b"stays" in words
    for trace in (b"vanishing", b"xylophone", b"quincunx", b"zither"):
        assert trace not in words


def test_what_was_taken_from_a_record_that_left_goes_once_it_is_durable(device: Device, store: Store) -> None:
    server = Server()
    made = records.add(store, CUSTOMER, {"name": "Vanishing"})
    send(server, device, store)
    page(store, row(made.id, 2, gone="left"))
    assert store.db.one("SELECT count(*) FROM op_archive") == (1,)
    page(store, seq=3, durable_seq=3)
    assert store.db.one("SELECT count(*) FROM op_archive") == (0,)


def test_a_record_that_comes_back_is_whole_again(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 1, name="Anna Ltd"))
    page(store, row(id_, 1, gone="left"), seq=2)
    page(store, row(id_, 1, name="Anna Ltd", stage="lead"), seq=3)
    assert records.get(store, id_).values == {"name": "Anna Ltd", "stage": "lead"}
    assert store.counts()["customer"] == 1
    assert len(search.find(store, "anna")) == 1


def test_a_delete_from_elsewhere_and_its_undoing(store: Store) -> None:
    id_ = bytes(new_record_id())
    page(store, row(id_, 1, name="Anna Ltd"))
    page(store, row(id_, 2, gone="deleted"))
    gone = records.get(store, id_)
    assert gone.deleted
    assert gone.values == {"name": "Anna Ltd"}
    assert store.counts()["customer"] == 0
    assert not search.find(store, "anna")
    page(store, row(id_, 3, name="Anna Ltd"))
    assert store.counts()["customer"] == 1
    assert len(search.find(store, "anna")) == 1


def test_cells_of_a_newer_version_are_carried_and_come_back_in_ops_untouched(
    device: Device, store: Store
) -> None:
    id_ = bytes(new_record_id())
    odd: dict[str, Any] = {
        "loyalty": {"level": 3}, "colours/blue": True, "revenue": "much", "employees": "some",
        "phones/00000000000000aa": "123", "tags": "key", "founded": 2**63,
    }  # fmt: skip
    page(store, row(id_, 1, name="Anna Ltd", stage="dreaming", **odd))
    shown = records.get(store, id_)
    assert shown.values == {"name": "Anna Ltd", "stage": "dreaming"}
    shape, stored = records.find_row(store, id_)
    cells = {"name": "Anna Ltd", "stage": "dreaming", **odd}
    assert shape.cells(stored) == cells
    records.edit(store, id_, {"industry": "Retail"})
    assert outbox.bases(store.db, [id_])[id_] == (1, False, cells)
    assert outbox.every(store.db)[0].set == {"industry": "Retail"}
    assert shape.cells(records.find_row(device.reopen(), id_)[1]) == {**cells, "industry": "Retail"}


def test_a_kind_of_a_newer_version_refuses_the_page_whole(store: Store) -> None:
    id_ = bytes(new_record_id())
    with pytest.raises(UpgradeNeeded):
        page(store, row(id_, 1, name="Anna Ltd"), row(bytes(new_record_id()), 2, kind="spaceship", name="X"))
    assert store.counts()["customer"] == 0
    assert store.here().cursor.seq == 0


def test_a_page_that_fails_half_way_leaves_nothing(store: Store) -> None:
    good, bad = bytes(new_record_id()), bytes(new_record_id())
    broken = Change(kind="deal", id=bad, ver=2, cells={"name": Raw(b"\xc1")})
    with pytest.raises(Exception, match=r"."):
        page(store, row(good, 1, name="Anna Ltd"), broken)
    assert store.counts()["customer"] == 0
    assert store.here().cursor.seq == 0
    assert not search.find(store, "anna")
    page(store, row(good, 1, name="Anna Ltd"))
    assert store.counts()["customer"] == 1


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
    replica.restart(b"another")
    assert replica.position().cursor == Cursor(epoch=b"another")
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


def _words(store: Store) -> bytes:
    """Every byte the tables hold, the search index's pages too."""
    held = bytearray()
    for (table,) in store.db.all("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"):
        for values in store.db.all(f'SELECT * FROM "{table}"'):  # noqa: S608 - names of the store's own tables
            for value in values:
                held += value if isinstance(value, bytes) else str(value).encode()
    return bytes(held).lower()
