"""What the server forgets changes nothing that any device reads, from whatever number it reads on."""

from __future__ import annotations

import random

import pytest

from sync.protocol.errors import Outcome, Rejection
from sync.protocol.messages import Cursor
from sync.protocol.ops import Act
from sync.server import exchange, feed, forgetting
from sync.server.db.base import Transaction
from sync.server.forgetting import DAY_MS, KEPT_DAYS, Forgotten
from tests.server.driver import Device
from tests.server.inside import Inside

ON_BOTH_STORES = True
OLD_MS = (KEPT_DAYS + 1) * DAY_MS


def forget(inside: Inside, later: int = OLD_MS) -> Forgotten:
    """What a run forgets so much later."""
    return list(forgetting.forget(inside.store, inside.now() + later))[-1]


def read_from(tx: Transaction, device: Device, seq: int, scopes: int) -> tuple[object, ...]:
    """What a device knows in the end that reads on from a number, and how much goes without a reason."""
    known, person = exchange.who(tx, device.enrolment)
    reader = exchange.reader_of(tx, known, person, device.incarnation)
    cursor, more = Cursor(epoch=tx.epoch, seq=seq, scopes=scopes), True
    rows: dict[bytes, tuple[object, ...]] = {}
    conflicts: dict[bytes, object] = {}
    without = 0
    while more:
        page = feed.page(tx, reader, cursor)
        for each in page.changes:
            cells = {cell: bytes(raw) for cell, raw in each.cells.items()}
            rows[each.id] = (each.gone, cells, each.person, 0 if each.gone == "left" else each.ver)
        conflicts.update((each.id, each) for each in page.conflicts)
        without += sum(bool(each.gone) for each in page.changes) - page.accounted
        cursor, more = page.cursor, page.more
    return rows, conflicts, cursor, without


def test_every_cursor_reads_the_same_before_and_after(
    inside: Inside, ana: Device, bo: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PAGE_ROWS", 4)
    monkeypatch.setattr(forgetting, "CHANGES_AT_ONCE", 7)
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    dice, ids = random.Random(5), [ana.add("customer", name=f"Customer {at}") for at in range(8)]
    devices = (ana, bo, cora)
    for at in range(60):
        device = dice.choice(devices)
        device.sync()
        here = [id_ for id_ in ids if id_ in device.rows]
        if not here:
            continue
        id_ = dice.choice(here)
        luck = dice.random()
        if luck < 0.1:
            device.delete(id_)
        elif luck < 0.5:
            device.edit(id_, owner=dice.choice(("ana", "bo", "cora")) + "@example.com")
        elif luck < 0.7:
            device.edit(id_, territory=dice.choice(("North", "South")))
        else:
            device.edit(id_, industry=f"Industry {at}")
        device.sync()
        if at == 30:
            inside.office.grant_territory("bo@example.com", "North")
    with inside.store.read() as tx:
        head = tx.records.head()
        asked = [(device, seq, scopes) for device in devices for seq in range(head + 1) for scopes in (1, 2)]
        before = [read_from(tx, *each) for each in asked]
        kept = len(tx.histories.changes(0, 10_000))
    done = forget(inside)
    assert done.changes > 5
    with inside.store.read() as tx:
        assert [read_from(tx, *each) for each in asked] == before
        assert len(tx.histories.changes(0, 10_000)) == kept - done.changes
        assert tx.histories.folded()[0] == head
    again = forget(inside)
    assert (again.changes, again.records) == (0, 0)


def test_nothing_that_is_young_goes(inside: Inside, ana: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    for at in range(5):
        ana.edit(id_, industry=f"Industry {at}")
        ana.sync()
    ana.delete(id_)
    ana.sync()
    assert forget(inside, OLD_MS - 2 * DAY_MS) == Forgotten()
    assert forget(inside) == Forgotten(changes=5, records=1, results=7)


def test_a_deleted_record_is_emptied_and_stays_deleted(inside: Inside, ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind", territory="North")
    deal = ana.add("deal", name="Tea", customer=id_)
    ana.sync()
    bo.sync()
    row = bo.rows[id_]
    ana.delete(id_)
    ana.sync()
    forget(inside)
    with inside.store.read() as tx:
        held = tx.records.held(id_)
        assert held is not None
        assert (held.row.deleted, dict(held.row.cells), list(held.row.marks)) == (
            True,
            {"territory": "North"},
            [""],
        )
        assert tx.records.territory(deal) == "north"
    bo.edit(id_, industry="Tea")
    (result,) = bo.exchange().results
    assert result.outcome is Outcome.CONFLICT
    assert [each.kept for each in bo.conflicts.values()] == ["Tea"]
    bo.rows[id_] = row
    bo.op("customer", id_, Act.UNDELETE, {}, base=row.ver)
    (result,) = bo.exchange().results
    assert (result.outcome, result.code) == (Outcome.REJECTED, Rejection.INVALID)
    fresh = inside.device(inside.person("new@example.com"))
    fresh.sync()
    assert set(fresh.rows) == {deal}


def test_an_op_whose_result_is_forgotten_is_still_done_once(inside: Inside, ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind", industry="Tea")
    ana.sync()
    bo.sync()
    ana.edit(id_, industry="Rum")
    ana.sync()
    bo.edit(id_, language="de")
    bo.ask(bo.waiting)  # taken; the answer is lost, and the device is away for long
    forget(inside)
    reply = bo.exchange()
    assert (reply.head.acked_n, [each.outcome for each in reply.results]) == (bo.n, [Outcome.OK])
    assert bo.waiting == []
    assert (bo.cells(id_)["industry"], bo.cells(id_)["language"]) == ("Rum", "de")
    ana.sync()
    assert ana.cells(id_) == bo.cells(id_)


def test_a_delete_that_was_held_and_of_which_the_answer_is_forgotten_is_not_taken_for_done(
    inside: Inside, ana: Device, bo: Device
) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    base = bo.rows[id_].ver
    ana.edit(id_, industry="Tea")
    ana.sync()
    bo.sync()
    bo.op("customer", id_, Act.DELETE, {}, base=base)  # it waited while the page with the edit came
    bo.ask(bo.waiting)
    forget(inside)
    (result,) = bo.exchange().results
    assert result.row is not None
    assert (result.row.id, result.row.gone, bo.cells(id_)["industry"]) == (id_, "", "Tea")
    assert [each.kept for each in bo.conflicts.values()] == ["deleted"]


def test_a_device_that_has_not_read_so_far_is_not_counted_exactly(
    inside: Inside, ana: Device, bo: Device
) -> None:
    ana.sync()
    bo.sync()
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    forget(inside)
    assert not inside.office.holds(bo.enrolment, "", ids=True).exact
    bo.sync()
    inside.skew += 60_000
    bo.exchange()
    view = inside.office.holds(bo.enrolment, "", ids=True)
    assert (view.exact, view.kinds[0].records, id_ in bo.rows) == (True, 1, True)
