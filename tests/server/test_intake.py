"""Ops come in once each, in order, merged by the table's rules; what is refused hinders nothing else."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest

from sync.protocol import clock, codec, messages
from sync.protocol.errors import Outcome, Problem, Rejection
from sync.protocol.ids import new_record_id
from sync.protocol.ops import Act, Op
from tests.server.driver import Device, Refusal
from tests.server.inside import Inside, problem_of

ON_BOTH_STORES = True


def test_a_repeat_after_a_lost_answer_is_answered_alike_and_done_once(ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind", notes="first")
    ana.sync()
    bo.sync()
    bo.edit(id_, notes="second")
    bo.sync()
    ana.edit(id_, notes="third")
    lost = ana.ask(ana.waiting)
    again = ana.ask(ana.waiting)
    assert lost.results == again.results
    assert (again.results[0].outcome, again.head.acked_n) == (Outcome.MERGED, 2)
    ana.sync()
    bo.sync()
    assert ana.cells(id_)["notes"] == bo.cells(id_)["notes"] == "second\n\nthird"


def test_a_gap_is_refused_and_nothing_of_it_is_taken(ana: Device) -> None:
    ana.add("product", name="One")
    ana.add("product", name="Two")
    with pytest.raises(Refusal) as refusal:
        ana.ask(ana.waiting[1:])
    assert (problem_of(refusal), refusal.value.trouble.expected, refusal.value.status) == (
        Problem.GAP,
        1,
        409,
    )
    with pytest.raises(Refusal) as refusal:
        ana.ask([ana.waiting[0], msgspec.structs.replace(ana.waiting[1], n=3)])
    assert problem_of(refusal) is Problem.GAP
    ana.session = None
    assert ana.sign_in().acked_n == 0
    ana.sync()
    assert len(ana.rows) == 2


def test_a_refused_op_does_not_hold_back_the_others(ana: Device, bo: Device) -> None:
    bad_field = new_record_id()
    ana.add("customer", name="Before")
    ana.op("customer", bad_field, Act.ADD, {"name": "x", "employees": "many"})
    ana.op("customer", new_record_id(), Act.ADD, {"industry": "nameless"})
    ana.op("spaceship", new_record_id(), Act.ADD, {"name": "x"})
    ana.op("customer", new_record_id(), Act.SET, {"name": "never added"})
    ana.op("customer", new_record_id(), Act.ADD, {"name": "x", "Bad Name!": 1})
    after = ana.add("customer", name="After")
    results = ana.exchange().results
    codes = [(result.outcome, result.code) for result in results]
    assert codes == [
        (Outcome.OK, None),
        (Outcome.REJECTED, Rejection.INVALID),
        (Outcome.REJECTED, Rejection.INVALID),
        (Outcome.REJECTED, Rejection.SCHEMA),
        (Outcome.REJECTED, Rejection.GONE),
        (Outcome.REJECTED, Rejection.INVALID),
        (Outcome.OK, None),
    ]
    assert "employees" in results[1].hint
    bo.sync()
    assert after in bo.rows
    assert len(bo.rows) == 2


class Sketch(msgspec.Struct):
    """An op of which only the number is sound."""

    n: int
    kind: int = 7


def test_an_op_that_cannot_be_read_is_refused_by_its_number(ana: Device) -> None:
    ana.add("product", name="After")
    after = msgspec.structs.replace(ana.waiting.pop(), n=2)
    results = ana.ask([Sketch(1), after]).results
    assert [(r.n, r.outcome, r.code) for r in results] == [
        (1, Outcome.REJECTED, Rejection.INVALID),
        (2, Outcome.OK, None),
    ]


def nested(depth: int) -> Any:
    value: Any = 1
    for _each in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "cells",
    [
        {"later_field": nested(40)},
        {"notes_of_later": "x" * (codec.ROW_MAX + 1)},
        {f"later_{at}": 1 for at in range(2_000)},
    ],
    ids=["deep", "large", "many"],
)
def test_an_op_out_of_all_bounds_is_refused_alone(ana: Device, cells: dict[str, Any]) -> None:
    ana.op("customer", new_record_id(), Act.ADD, {"name": "x", **cells})
    ana.add("customer", name="Fine")
    assert [r.outcome for r in ana.exchange().results] == [Outcome.REJECTED, Outcome.OK]


def test_a_record_may_not_grow_beyond_what_travels(ana: Device) -> None:
    id_ = ana.add("customer", name="Big")
    ana.sync()
    for number in range(3):
        ana.op("customer", id_, Act.SET, {f"later_{number}": "x" * 120_000}, base=ana.rows[id_].ver)
    assert [r.outcome for r in ana.exchange().results] == [Outcome.OK, Outcome.OK, Outcome.REJECTED]


def test_fields_of_newer_versions_are_carried(ana: Device, bo: Device) -> None:
    id_ = new_record_id()
    ana.op("customer", id_, Act.ADD, {"name": "x", "mood": {"now": "好"}, "moods/a1": [1, None]})
    ana.sync()
    bo.sync()
    assert bo.cells(id_) == {"name": "x", "mood": {"now": "好"}, "moods/a1": [1, None]}


def test_other_fields_of_one_record_do_not_meet(ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(id_, industry="Tea")
    bo.edit(id_, source="Fair")
    ana.sync()
    bo.sync()
    ana.sync()
    assert ana.cells(id_) == bo.cells(id_)
    assert (ana.cells(id_)["industry"], ana.cells(id_)["source"]) == ("Tea", "Fair")
    assert not ana.conflicts
    assert not bo.conflicts


@pytest.mark.parametrize(
    ("field", "first", "second", "shown", "kept"),
    [
        ("industry", "Tea", "Coffee", "Coffee", "Tea"),  # the later clock is shown
        ("stage", "lead", "prospect", "lead", "prospect"),  # the server's value stays
        ("do_not_contact", True, False, True, False),  # what protects more wins
    ],
)
def test_both_values_are_kept_where_two_met(
    ana: Device, bo: Device, field: str, first: object, second: object, shown: object, kept: object
) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(id_, **{field: first})
    bo.edit(id_, **{field: second})
    ana.sync()
    (result,) = bo.exchange().results
    assert result.outcome is Outcome.CONFLICT
    assert [*bo.conflicts] == result.conflicts
    ana.sync()
    assert ana.conflicts == bo.conflicts
    (conflict,) = ana.conflicts.values()
    assert (conflict.cell, conflict.shown, conflict.kept) == (field, shown, kept)
    assert ana.cells(id_)[field] == bo.cells(id_)[field] == shown


@pytest.mark.parametrize(
    ("field", "first", "second"), [("industry", "Tea", "Coffee"), ("stage", "lead", "prospect")]
)
def test_an_edit_that_was_taken_back_before_its_answer_came_meets_nobody(
    ana: Device, bo: Device, field: str, first: object, second: object
) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(id_, **{field: first})
    ana.sync()
    bo.edit(id_, **{field: second})
    bo.ask(bo.waiting)  # the answer is lost, and Ana's laptop hears of it first
    ana.sync()
    assert [each.state for each in ana.conflicts.values()] == ["open"]
    bo.op("customer", id_, Act.SET, {field: None}, base=bo.rows[id_].ver, was={field: second})
    bo.sync()
    ana.sync()
    for device in (ana, bo):
        assert [each.state for each in device.conflicts.values()] == ["settled"]
        assert device.cells(id_)[field] == first


def test_equal_values_are_no_conflict(ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(id_, stage="lead")
    bo.edit(id_, stage="lead")
    ana.sync()
    bo.sync()
    assert not bo.conflicts


def test_a_delete_that_had_not_seen_an_edit_is_held(ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(id_, industry="Tea")
    bo.delete(id_)
    ana.sync()
    (result,) = bo.exchange().results
    assert result.outcome is Outcome.CONFLICT
    assert bo.cells(id_)["industry"] == "Tea"


def test_an_edit_of_a_deleted_record_is_kept_and_the_record_stays_deleted(ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.delete(id_)
    bo.edit(id_, industry="Tea")
    ana.sync()
    bo.sync()
    ana.sync()
    assert id_ not in ana.rows
    assert id_ not in bo.rows
    assert [each.kept for each in ana.conflicts.values()] == ["Tea"]


def test_made_and_deleted_before_the_first_exchange(ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Mistake")
    ana.op("customer", id_, Act.DELETE, {})
    ana.op("customer", id_, Act.DELETE, {})
    assert [r.outcome for r in ana.exchange().results] == [Outcome.OK] * 3
    bo.sync()
    assert id_ not in bo.rows
    ana.op("customer", id_, Act.UNDELETE, {}, base=ana.cursor.seq)
    ana.exchange()
    bo.sync()
    assert bo.cells(id_)["name"] == "Mistake"


def test_a_clock_far_ahead_does_not_win_for_ever(inside: Inside, ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(id_, industry="From the future")
    ahead = (inside.now() + 10 * 365 * 86_400_000) << clock.COUNTER_BITS
    ana.waiting[-1] = msgspec.structs.replace(ana.waiting[-1], hlc=ahead)
    bo.edit(id_, industry="From now on")
    ana.sync()
    inside.skew = 1_000
    bo.waiting[-1] = msgspec.structs.replace(bo.waiting[-1], hlc=(inside.now() + 5_000) << clock.COUNTER_BITS)
    bo.sync()
    assert bo.cells(id_)["industry"] == "From now on"


def test_what_is_sent_again_by_a_clock_far_ahead_undoes_nothing_written_after_it(
    inside: Inside, ana: Device
) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    ahead = (inside.now() + 86_400_000) << clock.COUNTER_BITS
    for industry, stamp in (("Later", ahead + 1), ("Refused before", ahead)):
        ana.edit(id_, industry=industry)
        ana.waiting[-1] = msgspec.structs.replace(ana.waiting[-1], hlc=stamp, base=0, was={})
        ana.exchange()
        inside.skew += 1_000
    ana.sync()
    found = {each.kept for each in ana.conflicts.values()} | {ana.cells(id_)["industry"]}
    assert found == {"Later", "Refused before"}


def test_a_base_that_the_server_never_gave_counts_as_nothing_seen(ana: Device, bo: Device) -> None:
    """Who claims to have seen the future could write over held fields without a conflict."""
    id_ = ana.add("customer", name="Northwind", stage="lead")
    ana.sync()
    bo.sync()
    bo.op("customer", id_, Act.SET, {"stage": "former"}, base=2**60)
    (result,) = bo.exchange().results
    assert result.outcome is Outcome.CONFLICT
    assert bo.cells(id_)["stage"] == "lead"


def test_one_op_over_two_lines_at_once_is_taken_once(inside: Inside, ana: Device, bo: Device) -> None:
    ana.sync()
    for number in range(50):
        ana.add("activity", subject=f"Visit {number}")
    bodies = [ana.body(ana.waiting) for _each in range(6)]
    signed = [(body, ana.headers(body)) for body in bodies]
    answers: list[tuple[int, bytes]] = []

    def send(body: bytes, headers: dict[str, str]) -> None:
        answers.append(inside.send("POST", messages.EXCHANGE_PATH, body, headers))

    threads = [threading.Thread(target=send, args=each) for each in signed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _body in answers] == [200] * 6
    with inside.store.read() as tx:
        assert tx.records.head() == 50
    bo.sync()
    assert len(bo.rows) == 50


def test_rights_are_those_of_the_moment(inside: Inside, ana: Device, bo: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    bo.edit(id_, industry="Tea")
    inside.person("bo@example.com", team="Elsewhere")
    (result,) = bo.exchange().results
    assert (result.outcome, result.code) == (Outcome.REJECTED, Rejection.FORBIDDEN)
    assert id_ not in bo.rows
    ana.sync()
    assert "industry" not in ana.cells(id_)
    # Bo's device may hold the record no longer, so the server keeps what he wrote.
    with inside.store.read() as tx:
        (kept,) = tx.records.refused(bo.device)
        assert tx.records.refused() == [kept]
        assert tx.records.refused(ana.device) == []
    assert (kept.n, kept.code, codec.unpack(kept.op)["set"]) == (result.n, "forbidden", {"industry": "Tea"})


def test_what_comes_behind_a_refused_change_of_one_act_is_refused_too(
    inside: Inside, ana: Device, bo: Device
) -> None:
    """As when two records are made one: the second is not deleted if the first took nothing over."""
    theirs = bo.add("customer", name="Nordlicht GmbH")
    bo.sync()
    mine = ana.add("customer", name="Nordlicht")
    ana.sync()
    inside.person("bo@example.com", team="Elsewhere")
    first = ana.op("customer", theirs, Act.SET, {f"joined/{bytes(mine).hex()}": True}).n
    ana.op("customer", mine, Act.DELETE, {})
    ana.waiting[:] = [msgspec.structs.replace(op, first=first) for op in ana.waiting]
    ana.op("customer", mine, Act.SET, {"industry": "Cranes"})  # an act of its own
    asked = list(ana.waiting)
    results = ana.exchange().results
    assert [(each.outcome, each.code) for each in results] == [
        (Outcome.REJECTED, Rejection.FORBIDDEN), (Outcome.REJECTED, Rejection.FORBIDDEN), (Outcome.OK, None),
    ]  # fmt: skip
    assert ana.ask(asked).results == results
    with inside.store.read() as tx:
        held = tx.records.held(mine)
    assert held is not None and not held.row.deleted


def test_a_refused_op_that_nests_beyond_all_use_does_not_stop_the_queue(inside: Inside, ana: Device) -> None:
    deep: list[object] = []
    for _level in range(700):
        deep = [deep]
    ana.op("customer", b"1" * 16, Act.ADD, {"name": "Deep", "later": deep})
    ana.add("customer", name="Next")
    reply = ana.exchange()
    assert [result.outcome for result in reply.results] == [Outcome.REJECTED, Outcome.OK]
    with inside.store.read() as tx:
        (kept,) = tx.records.refused(ana.device)
    assert codec.unpack(kept.op)["id"] == b"1" * 16


def test_nobody_learns_of_a_record_by_guessing_its_id(inside: Inside, ana: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    cora.op("customer", id_, Act.ADD, {"name": "Mine now"})
    cora.op("customer", id_, Act.DELETE, {})
    reply = cora.exchange()
    assert [(r.outcome, r.code, r.row) for r in reply.results] == [
        (Outcome.REJECTED, Rejection.FORBIDDEN, None)
    ] * 2
    assert not reply.changes


@pytest.mark.parametrize("role", ["it", "privacy"])
def test_who_holds_no_customer_data_makes_none(inside: Inside, role: str) -> None:
    device = inside.device(inside.person("x@example.com", role=role))
    device.add("customer", name="Northwind")
    (result,) = device.exchange().results
    assert result.code is Rejection.FORBIDDEN


def test_too_many_ops_are_refused_whole(ana: Device) -> None:
    op = Op(n=1, kind="product", id=new_record_id(), act=Act.ADD, hlc=1, set={"name": "x"})
    with pytest.raises(Refusal) as refusal:
        ana.ask([msgspec.structs.replace(op, n=n) for n in range(1, messages.OPS_MAX + 2)])
    assert problem_of(refusal) is Problem.TOO_BIG
