"""Copies of a device, restored ones and twins: none of their work is passed over, and none is done twice."""

from __future__ import annotations

import msgspec
import pytest

from sync.protocol import clock
from sync.protocol.errors import Outcome, Problem, Rejection
from sync.protocol.ids import new_incarnation
from sync.protocol.ops import Act, print_of
from sync.server.db.kept import RESULTS_KEPT
from tests.server.driver import Device, Refusal
from tests.server.inside import Inside, problem_of


@pytest.mark.expected_warnings("number_used_twice")
def test_two_copies_of_one_device_lose_nothing(inside: Inside, ana: Device, bo: Device) -> None:
    ana.add("customer", name="Before the copy")
    ana.sync()
    twin = Device(ana.send, sign_key=ana.sign_key, seal_key=ana.seal_key, device=ana.device)
    twin.root, twin.enrolment = ana.root, ana.enrolment
    twin.incarnation, twin.n, twin.cursor, twin.rows = ana.incarnation, ana.n, ana.cursor, dict(ana.rows)
    ana.add("customer", name="By the first")
    ana.sync()
    inside.skew = 1
    twin.now = inside.now
    twin.add("customer", name="By its copy")
    with pytest.raises(Refusal) as refusal:
        twin.exchange()
    assert problem_of(refusal) is Problem.ROLLBACK
    for each in (ana, twin):
        each.session = None
        assert each.sign_in().rollback
        each.incarnation, each.n = new_incarnation(), 0
        renumbered = [msgspec.structs.replace(op, n=at) for at, op in enumerate(each.waiting, 1)]
        each.waiting, each.n = renumbered, len(renumbered)
        assert not each.sign_in().rollback
        each.sync()
    bo.sync()
    assert {bo.cells(id_)["name"] for id_ in bo.rows} == {"Before the copy", "By the first", "By its copy"}
    with inside.store.read() as tx:  # where IT looks, once
        assert [line.verb for line in tx.post.audit_lines()].count("two copies") == 1


def test_a_restored_copy_is_told_to_take_new_numbers(ana: Device) -> None:
    ana.add("customer", name="One")
    ana.sync()
    ana.n = 0
    assert ana.sign_in().rollback


def test_answers_are_kept_for_the_last_ones_only(inside: Inside, ana: Device) -> None:
    ana.sync()
    with inside.store.write() as tx:
        device = tx.people.device(ana.enrolment)
        assert device is not None
        numbering = tx.records.numbering(device.device, ana.incarnation)
        assert numbering is not None
        tx.records.put_numbering(
            device.device, ana.incarnation, msgspec.structs.replace(numbering, acked_n=RESULTS_KEPT)
        )
    ana.n = RESULTS_KEPT
    ana.add("customer", name="Late")
    old = [msgspec.structs.replace(ana.waiting[0], n=n) for n in range(RESULTS_KEPT - 1, RESULTS_KEPT + 1)]
    with inside.store.write() as tx:
        tx.records.put_answered(print_of(ana.waiting[0]), True)
    reply = ana.ask([*old, *ana.waiting])
    # Of the first two no answer is kept any more: that they were taken, and how the record stands, says enough.
    assert [result.n for result in reply.results] == [RESULTS_KEPT - 1, RESULTS_KEPT, RESULTS_KEPT + 1]
    assert {result.outcome for result in reply.results} == {Outcome.OK}
    assert reply.head.acked_n == RESULTS_KEPT + 1


def test_what_was_refused_long_ago_is_not_taken_for_done(inside: Inside, ana: Device) -> None:
    ana.op("customer", b"r" * 16, Act.SET, {"industry": "Tea"})
    ana.ask(ana.waiting)
    with inside.store.write() as tx:
        numbering = tx.records.numbering(ana.device, ana.incarnation)
        assert numbering is not None
        far = msgspec.structs.replace(numbering, acked_n=RESULTS_KEPT * 2)
        tx.records.put_numbering(ana.device, ana.incarnation, far)
    (op,) = ana.waiting
    ana.n = RESULTS_KEPT * 2
    reply = ana.ask([msgspec.structs.replace(op, n=RESULTS_KEPT - 5)])
    assert [result.outcome for result in reply.results] == [Outcome.REJECTED]


@pytest.mark.expected_warnings("number_used_twice")
def test_a_number_answered_long_ago_is_no_answer_to_another_op(inside: Inside, ana: Device) -> None:
    """A copy of the device, away for more ops than results are kept, has work that nobody has seen."""
    ana.add("customer", name="Sent")
    ana.sync()
    with inside.store.write() as tx:
        numbering = tx.records.numbering(ana.device, ana.incarnation)
        assert numbering is not None
        fresh = msgspec.structs.replace(numbering, acked_n=RESULTS_KEPT * 2)
        tx.records.put_numbering(ana.device, ana.incarnation, fresh)
    ana.n = RESULTS_KEPT
    ana.add("customer", name="Of the copy")
    ana.n = RESULTS_KEPT * 2
    with pytest.raises(Refusal) as refusal:
        ana.ask(ana.waiting)
    assert problem_of(refusal) is Problem.ROLLBACK


def test_an_op_of_a_clock_ahead_is_answered_alike_when_it_comes_again(inside: Inside, ana: Device) -> None:
    ana.add("customer", name="Tomorrow")
    ana.waiting = [msgspec.structs.replace(ana.waiting[0], hlc=clock.stamp(0, inside.now() + 3_600_000))]
    first = ana.ask(ana.waiting)
    assert ana.ask(ana.waiting).results == first.results


def test_what_a_restored_copy_sends_again_is_done_once(inside: Inside, ana: Device, bo: Device) -> None:
    """A backup of yesterday still has in its queue what was sent since, and numbers it anew."""
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    ana.edit(id_, industry="Tea")
    queue = list(ana.waiting)
    ana.sync()
    bo.sync()
    bo.edit(id_, industry="Coffee")
    bo.sync()
    ana.incarnation, ana.session, ana.n = new_incarnation(), None, 1
    ana.waiting = [msgspec.structs.replace(queue[0], n=1, first=1)]
    ana.sync()
    bo.sync()
    assert (ana.cells(id_)["industry"], bo.cells(id_)["industry"]) == ("Coffee", "Coffee")
    assert ana.conflicts == bo.conflicts == {}


def test_what_was_refused_is_judged_again_under_another_number(
    inside: Inside, ana: Device, bo: Device
) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    inside.person("bo@example.com", team="Elsewhere")
    bo.op("customer", id_, Act.SET, {"industry": "Tea"})
    queue = list(bo.waiting)
    reply = bo.exchange()
    assert [result.code for result in reply.results] == [Rejection.FORBIDDEN]
    inside.person("bo@example.com")
    bo.n += 1
    bo.waiting = [msgspec.structs.replace(queue[0], n=bo.n, first=bo.n)]
    bo.sync()
    ana.sync()
    assert ana.cells(id_)["industry"] == "Tea"
