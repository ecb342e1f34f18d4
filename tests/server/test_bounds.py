"""What one device sends is no burden on its whole team: open conflicts, rows beside results, odd values."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import pytest

from sync.protocol import codec
from sync.protocol.errors import Outcome, Rejection
from sync.protocol.ids import new_record_id
from sync.protocol.merge import Conflict
from sync.protocol.ops import Act, Op
from sync.server import checking, feed, intake
from tests.server.driver import Device
from tests.server.inside import Inside

ON_BOTH_STORES = True


def refusal(device: Device, op: Op) -> tuple[Outcome, Rejection | None]:
    """What becomes of the newest op alone."""
    (result,) = [each for each in device.exchange().results if each.n == op.n]
    return result.outcome, result.code


def test_what_lies_open_about_a_record_comes_page_by_page(inside: Inside, ana: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    made = set()
    with inside.store.write() as tx:
        for _each in range(60):
            kept = Conflict(
                id=os.urandom(16), kind="customer", record=id_, cell="notes", kept="k" * 60_000,
                ver=tx.records.next_seq(),
            )  # fmt: skip
            made.add(kept.id)
            tx.records.put_conflict(kept)
    ana.edit(id_, industry="Gas")  # its row stands behind all of them
    ana.sync()
    third = inside.device(inside.person("third@example.com"))
    more = True
    while more:
        reply = third.exchange()
        assert feed.weight(reply.conflicts) < 2 * feed.PAGE_BYTES
        more = reply.head.more
    assert (set(third.conflicts), id_ in third.rows) == (made, True)


@pytest.mark.parametrize(("bound", "most"), [("DISPUTED_MAX", 2), ("DISPUTED_BYTES", 700)])
def test_a_record_about_which_too_much_lies_open_takes_nothing_that_meets(
    inside: Inside, ana: Device, bo: Device, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(intake, bound, most)
    id_ = ana.add("customer", name="Northwind", stage="lead")
    ana.sync()
    bo.sync()
    ana.edit(id_, stage="customer")
    ana.sync()
    seen = bo.rows[id_]
    ops = []
    for _each in range(3):
        bo.rows[id_] = seen
        ops.append(bo.edit(id_, stage="former"))
    results = bo.exchange().results
    assert [each.outcome for each in results] == [Outcome.CONFLICT, Outcome.CONFLICT, Outcome.REJECTED]
    assert "Settle some" in results[2].hint
    with inside.store.read() as tx:
        (kept,) = tx.records.refused(bo.device)
        assert msgspec.msgpack.decode(kept.op, type=Op) == ops[2]
    # Whatever meets nothing is taken, and a choice makes room.
    ana.sync()
    one = next(iter(bo.conflicts))
    ana.op("customer", id_, Act.SET, {"industry": "Gas"}, base=ana.rows[id_].ver, settles={one: "kept"})
    ana.sync()
    bo.rows[id_] = seen
    assert refusal(bo, bo.edit(id_, stage="former")) == (Outcome.CONFLICT, None)


def test_many_large_rows_beside_results_come_in_several_answers(
    ana: Device, bo: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "SHOWN_BYTES", 100_000)
    ids = [ana.add("customer", name=f"Customer {number}") for number in range(9)]
    ana.sync()
    bo.sync()
    for id_ in ids:
        ana.edit(id_, notes="n" * 30_000)
    ana.sync()
    for id_ in ids:
        bo.edit(id_, industry="Gas")
    lost = bo.ask(bo.waiting)
    assert (len(lost.results), lost.head.acked_n) == (4, bo.waiting[3].n)
    assert (lost.head.more, lost.changes, lost.head.cursor) == (True, [], bo.cursor)
    again = bo.exchange()  # numbers that were taken are answered no further, either
    assert (again.results, again.head.acked_n) == (lost.results, lost.head.acked_n)
    assert len(bo.waiting) == 5
    bo.sync()
    for id_ in ids:
        assert (bo.cells(id_)["industry"], len(bo.cells(id_)["notes"])) == ("Gas", 30_000)


def test_an_act_that_is_taken_in_two_exchanges_falls_with_what_was_refused_in_the_first(ana: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    first = ana.op("customer", id_, Act.SET, {"stage": "none such"})
    assert refusal(ana, first) == (Outcome.REJECTED, Rejection.INVALID)
    ana.op("customer", id_, Act.DELETE, {}, base=ana.rows[id_].ver)
    rest = msgspec.structs.replace(ana.waiting[-1], first=first.n)
    ana.waiting = [rest]
    assert refusal(ana, rest) == (Outcome.REJECTED, Rejection.INVALID)
    other = ana.delete(id_)
    assert refusal(ana, other) == (Outcome.OK, None)


@pytest.mark.parametrize(
    "names",
    [
        {"origin": (os.urandom(100_000), b"i" * 8, 1)},
        {"origin": (b"d" * 16, os.urandom(100_000), 1)},
        {"settles": {os.urandom(100): "kept"}},
        {"settles": {os.urandom(16): "kept" for _each in range(checking.CELLS_MAX + 1)}},
    ],
    ids=["device", "incarnation", "conflict", "conflicts"],
)
def test_what_an_op_names_is_names_and_not_many(inside: Inside, ana: Device, names: dict[str, Any]) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    ana.op("customer", id_, Act.SET, {"industry": "Gas"}, base=ana.rows[id_].ver, **names)
    (result,) = ana.exchange().results
    assert (result.outcome, result.code) == (Outcome.REJECTED, Rejection.INVALID)
    assert len(result.conflicts) <= checking.CELLS_MAX
    with inside.store.read() as tx:
        held = tx.records.held(id_)
        assert held is not None
        assert "industry" not in held.row.cells


@pytest.mark.parametrize("part", ["set", "was", "kind", "id"])
def test_of_a_refused_op_no_more_is_kept_than_an_op_may_be(inside: Inside, ana: Device, part: str) -> None:
    large = {"zz": "x" * 3_000_000}
    fields: dict[str, Any] = {"kind": "customer", "id": new_record_id(), "set": {"name": "Northwind"}}
    fields[part] = {"set": large, "was": large, "kind": "k" * 3_000_000, "id": b"i" * 3_000_000}[part]
    ana.n += 1
    ana.waiting.append(Op(n=ana.n, act=Act.ADD, hlc=1, **fields))
    assert refusal(ana, ana.waiting[-1])[0] is Outcome.REJECTED
    with inside.store.read() as tx:
        (kept,) = tx.records.refused(ana.device)
    assert len(kept.op) <= codec.ROW_MAX
    if part == "was":
        assert msgspec.msgpack.decode(kept.op, type=Op).set == {"name": "Northwind"}


@pytest.mark.parametrize(
    "value",
    [
        {1: 1, "a": 2},
        [{"a": {None: 1}}],
        float("nan"),
        msgspec.msgpack.Ext(5, b"x"),
        [[[[[[[[[[[[[[[[[["deep"]]]]]]]]]]]]]]]]]],
    ],
    ids=["keys", "no key", "no number", "extension", "deep"],
)
@pytest.mark.parametrize("place", ["set", "was"])
def test_values_of_unknown_fields_are_plain(ana: Device, value: Any, place: str) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    plain = {"zz": {"a": [1, 2.5, None, True, b"b", {"c": "d"}]}}
    assert refusal(ana, ana.op("customer", id_, Act.SET, plain, was=plain)) == (Outcome.OK, None)
    cells: dict[str, Any] = {"set_": plain, "was": plain}
    cells["set_" if place == "set" else "was"] = {"zz": value}
    assert refusal(ana, ana.op("customer", id_, Act.SET, **cells))[0] is Outcome.REJECTED


def test_what_an_author_saw_is_what_a_record_may_hold(ana: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    for was in ({"stage": {"x": 1}}, {"notes": 7}, {"name": "N" * 5_000}, {"": 1}):
        op = ana.op("customer", id_, Act.SET, {"industry": "Gas"}, was=was)
        assert refusal(ana, op) == (Outcome.REJECTED, Rejection.INVALID)
    # A field that is needed may have been empty before.
    op = ana.op("customer", id_, Act.SET, {"name": "Other"}, base=ana.rows[id_].ver, was={"name": None})
    assert refusal(ana, op) == (Outcome.OK, None)
