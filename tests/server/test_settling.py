"""A settled conflict on the server: told to all who see the record and to nobody else, judged by the rights of now."""

from __future__ import annotations

from typing import Any

from sync.protocol.errors import Outcome
from sync.protocol.merge import KEPT, OPEN, SWAPPED, Conflict
from sync.protocol.ops import Act, Op
from tests.server.driver import Device
from tests.server.inside import Inside


def _met(ana: Device, bo: Device) -> tuple[bytes, Conflict]:
    """Ana's "lead" stands, Bo's "prospect" is kept; both know."""
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(id_, stage="lead")
    bo.edit(id_, stage="prospect")
    for device in (ana, bo, ana):
        device.sync()
    (conflict,) = ana.conflicts.values()
    return id_, conflict


def _choose(device: Device, conflict: Conflict, choice: str, stage: str, *, act: Act = Act.SET) -> Op:
    """A choice, as the app makes it."""
    more: dict[str, Any] = {"settles": {conflict.id: choice}, "was": {"stage": "lead"}}
    row = device.rows[conflict.record]
    return device.op("customer", conflict.record, act, {"stage": stage}, base=row.ver, **more)


def test_both_authors_and_the_manager_hear_who_settled_it_and_nobody_else(
    inside: Inside, ana: Device, bo: Device
) -> None:
    dan = inside.device(inside.person("dan@example.com", role="manager", team="Sales"))
    cora = inside.device(inside.person("cora@example.com", team="Elsewhere"))
    eve = inside.device(inside.person("eve@example.com", role="privacy", team=""))
    id_, conflict = _met(ana, bo)
    dan.sync()
    assert dan.conflicts == {conflict.id: conflict}
    _choose(dan, conflict, SWAPPED, "prospect")
    for device in (dan, ana, bo, cora, eve):
        device.sync()
    for device in (ana, bo, dan):
        (ended,) = device.conflicts.values()
        assert (ended.state, ended.settled_by, ended.kept) == (SWAPPED, "dan@example.com", "prospect")
        assert device.cells(id_)["stage"] == "prospect"
    assert cora.conflicts == eve.conflicts == {}


def test_keeping_changes_no_row_and_reaches_others_all_the_same(ana: Device, bo: Device) -> None:
    _id, conflict = _met(ana, bo)
    before = ana.rows[conflict.record].ver
    _choose(bo, conflict, KEPT, "lead")
    bo.sync()
    reply = ana.exchange()
    assert not reply.changes
    assert [(each.id, each.state) for each in reply.conflicts] == [(conflict.id, KEPT)]
    assert bo.rows[conflict.record].ver == before


def test_two_choices_meet_and_both_authors_are_asked_once_more(ana: Device, bo: Device) -> None:
    id_, conflict = _met(ana, bo)
    _choose(ana, conflict, KEPT, "lead")
    _choose(bo, conflict, SWAPPED, "prospect")
    ana.sync()
    (result,) = bo.exchange().results
    ana.sync()
    assert result.outcome is Outcome.CONFLICT
    for device in (ana, bo):
        assert device.cells(id_)["stage"] == "lead"
        assert device.conflicts[conflict.id].state == KEPT
        (again,) = [each for each in device.conflicts.values() if each.state == OPEN]
        assert (again.shown_by, again.kept, again.kept_by) == (
            "ana@example.com",
            "prospect",
            "bo@example.com",
        )


def test_an_answer_that_was_lost_tells_the_same_once_more(ana: Device, bo: Device) -> None:
    _id, conflict = _met(ana, bo)
    op = _choose(bo, conflict, KEPT, "lead")
    bo.ask([op])  # the answer is lost
    (ended,) = bo.exchange().conflicts
    assert (ended.id, ended.state) == (conflict.id, KEPT)


def test_who_may_not_change_the_record_any_more_settles_nothing(
    inside: Inside, ana: Device, bo: Device
) -> None:
    _id, conflict = _met(ana, bo)
    _choose(bo, conflict, SWAPPED, "prospect")
    inside.person("bo@example.com", team="Elsewhere")
    (result,) = bo.exchange().results
    assert result.outcome is Outcome.REJECTED
    assert not bo.rows
    ana.sync()
    assert ana.conflicts[conflict.id].state == OPEN


def test_a_choice_names_conflicts_of_its_own_record_alone(ana: Device, bo: Device) -> None:
    _id, conflict = _met(ana, bo)
    other = ana.add("customer", name="Another")
    ana.sync()
    ana.op(
        "customer", other, Act.SET, {}, base=ana.rows[other].ver, settles={conflict.id: KEPT, b"x" * 16: KEPT}
    )
    (result,) = ana.exchange().results
    assert result.outcome is Outcome.OK
    bo.sync()
    assert bo.conflicts[conflict.id].state == OPEN


def test_more_choices_than_anybody_makes_are_refused(ana: Device) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    many = {at.to_bytes(16, "big"): KEPT for at in range(2_000)}
    ana.op("customer", id_, Act.SET, {}, base=1, settles=many)
    assert [each.outcome for each in ana.exchange().results] == [Outcome.REJECTED]
