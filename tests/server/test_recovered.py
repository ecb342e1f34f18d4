"""Unsent work of a wiped device comes back to its person: all of it, once, and to nobody else."""

from __future__ import annotations

import msgspec
import pytest

from sync.console import recovery
from sync.protocol import outbox_seal, sealing
from sync.protocol.errors import KnownError, Outcome
from sync.protocol.ops import Act, Op
from tests.server.driver import Device, Reply
from tests.server.inside import Inside, nobody_asks


def recovered(device: Device, reply: Reply) -> list[Op]:
    """What a device finds in its packets."""
    found: list[Op] = []
    for paper in reply.papers:
        if paper.kind == "recovered":
            plain = sealing.unseal(device.seal_key, sealing.RECOVERED, paper.data)
            part = msgspec.msgpack.decode(plain, type=outbox_seal.Part)
            found.extend(part.ops)
    return found


def give_back(inside: Inside, source: Device, target: Device) -> tuple[int, int]:
    return recovery.recover(inside.office, inside.keys, nobody_asks, inside.view(source), inside.view(target))


def queue(device: Device, ops: list[Op]) -> None:
    """Into the outbox, under numbers of this device."""
    for op in ops:
        device.n += 1
        device.waiting.append(msgspec.structs.replace(op, n=device.n, first=device.n))


def test_unsent_work_comes_back_once(inside: Inside, ana: Device, bo: Device) -> None:
    sent = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(sent, industry="Tea")
    lost = ana.add("customer", name="Unsent")
    unsent = list(ana.waiting)
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    assert give_back(inside, ana, again) == (2, 2)
    assert give_back(inside, ana, again) == (2, 0)
    reply = again.exchange()
    queue(again, recovered(again, reply))
    packets = [paper.id for paper in reply.papers]
    assert again.ask().paper("recovered").id == packets[0]  # until the device has said that it holds it
    assert not again.exchange(recovered=packets).papers
    bo.sync()
    assert bo.cells(sent)["industry"] == "Tea"
    assert bo.cells(lost)["name"] == "Unsent"
    # A second device that gets it too, without the server's leave: nothing is done twice.
    bo.edit(lost, industry="Coffee")
    bo.sync()
    third = inside.device("ana@example.com", "third")
    assert give_back(inside, ana, third) == (0, 0)
    parcels = recovery.parcels(sealing.public_bytes(third.seal_key), ana.device, unsent)
    inside.office.hand_over(ana.enrolment, third.enrolment, list(parcels))
    queue(third, recovered(third, third.exchange()))
    reply = third.exchange()
    assert [result.outcome for result in reply.results] == [Outcome.OK] * 2
    assert third.cells(lost)["industry"] == "Coffee"
    bo.sync()
    assert (bo.cells(lost)["industry"], bo.conflicts) == ("Coffee", {})


def test_work_that_arrived_while_it_was_recovered_is_not_done_again(inside: Inside, ana: Device) -> None:
    ana.sync()
    id_ = ana.add("customer", name="Sent in the last second")
    unsent_before = list(ana.waiting)
    inside.wipe(ana)
    ana.exchange()
    ana.hand_in(ana.receipt(inside.order_envelope(ana)))
    again = inside.device("ana@example.com", "ana")
    assert give_back(inside, ana, again) == (0, 0)
    again.sync()
    again.edit(id_, name="Changed since")
    again.sync()
    public = sealing.public_bytes(again.seal_key)
    parcels = recovery.parcels(public, ana.device, unsent_before)
    inside.office.hand_over(ana.enrolment, again.enrolment, list(parcels))
    queue(again, recovered(again, again.exchange()))
    again.sync()
    assert again.cells(id_)["name"] == "Changed since"


def test_a_claim_to_be_anothers_op_hides_nothing(inside: Inside, ana: Device, bo: Device) -> None:
    ana.sync()
    bo.op("customer", b"\1" * 16, Act.ADD, {"name": "Claimed"}, origin=(ana.device, ana.incarnation, 1))
    bo.sync()
    ana.add("customer", name="Real")
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    give_back(inside, ana, again)
    queue(again, recovered(again, again.exchange()))
    again.sync()
    assert {again.cells(id_)["name"] for id_ in again.rows} == {"Claimed", "Real"}


def test_work_that_went_two_ways_is_done_once(inside: Inside, ana: Device) -> None:
    """IT gave it to a second device, which died too, to a third from there, and to the third from the first."""
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    ana.op("customer", id_, Act.DELETE, {})
    ana.op("customer", id_, Act.UNDELETE, {})
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    second = inside.device("ana@example.com", "second")
    give_back(inside, ana, second)
    for op in recovered(second, second.exchange()):
        second.n += 1
        second.seal([msgspec.structs.replace(op, n=second.n, first=second.n)])
    second.hand_in(second.receipt(inside.wipe(second)))
    third = inside.device("ana@example.com", "third")
    give_back(inside, second, third)
    queue(third, recovered(third, third.exchange()))
    third.sync()
    third.op("customer", id_, Act.DELETE, {}, base=third.rows[id_].ver)
    third.sync()
    assert give_back(inside, ana, third) == (0, 0)
    for parcel in recovery.parcels(sealing.public_bytes(third.seal_key), ana.device, ana.waiting):
        inside.office.hand_over(ana.enrolment, third.enrolment, [parcel])
    queue(third, recovered(third, third.exchange()))
    third.sync()
    with inside.store.read() as tx:
        held = tx.records.held(id_)
        assert held is not None
        assert held.row.deleted


def test_a_device_set_back_to_before_it_took_work_in_gets_it_again(inside: Inside, ana: Device) -> None:
    lost = [ana.add("customer", name=f"Unsent {n}") for n in range(3)]
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    give_back(inside, ana, again)
    reply = again.exchange()
    queue(again, recovered(again, reply)[:1])  # all were taken in, one was sent, then yesterday's backup came
    again.exchange(recovered=[paper.id for paper in reply.papers])
    assert give_back(inside, ana, again) == (2, 2)
    queue(again, recovered(again, again.exchange()))
    again.sync()
    assert set(again.rows) == set(lost)


def test_what_a_slip_of_it_had_refused_is_judged_again_on_the_next_device(
    inside: Inside, ana: Device
) -> None:
    id_ = ana.add("customer", name="Northwind")
    ana.sync()
    inside.person("ana@example.com", "privacy")
    ana.edit(id_, industry="Tea")
    ana.exchange()
    inside.person("ana@example.com")
    ana.sealed = b""  # it was acknowledged, so its frames are gone
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    assert give_back(inside, ana, again) == (0, 0)
    views = inside.view(ana), inside.view(again)
    assert recovery.recover(inside.office, inside.keys, nobody_asks, *views, refused=True) == (1, 1)
    queue(again, recovered(again, again.exchange()))
    assert [each.taken for each in inside.office.refused("", sealed=False)] == [False]
    again.sync()
    assert again.cells(id_)["industry"] == "Tea"
    assert [each.taken for each in inside.office.refused("", sealed=False)] == [True]
    assert recovery.recover(inside.office, inside.keys, nobody_asks, *views, refused=True) == (0, 0)


def test_much_work_comes_in_several_packets(inside: Inside, ana: Device) -> None:
    for number in range(recovery.PARCEL_OPS * 5 + 3):
        ana.add("activity", subject=f"Visit {number}")
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    assert give_back(inside, ana, again)[0] == recovery.PARCEL_OPS * 5 + 3
    found: list[Op] = []
    told: list[bytes] = []
    while True:
        reply = again.exchange(recovered=told)
        if not reply.papers:
            break
        found.extend(recovered(again, reply))
        told = [paper.id for paper in reply.papers]
    assert [op.n for op in found] == list(range(1, recovery.PARCEL_OPS * 5 + 4))
    assert [op.origin for op in found] == [(ana.device, ana.incarnation, op.n) for op in ana.waiting]


def test_work_goes_to_nobody_who_may_not_hold_it(inside: Inside, ana: Device, bo: Device) -> None:
    ana.add("customer", name="Unsent")
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    admin = inside.device("it@example.com", "desk")
    with pytest.raises(KnownError):
        give_back(inside, ana, admin)
    inside.wipe(bo)
    with pytest.raises(KnownError):
        give_back(inside, ana, bo)
    with pytest.raises(KnownError):
        give_back(inside, bo, admin)


def test_a_packet_waits_while_its_person_may_not_hold_it(inside: Inside, ana: Device) -> None:
    ana.add("customer", name="Unsent")
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    give_back(inside, ana, again)
    for role in ("it", "privacy"):
        inside.person("ana@example.com", role)
        assert not again.exchange().papers
    inside.person("ana@example.com")
    assert recovered(again, again.exchange())[0].set["name"] == "Unsent"


def test_a_packet_of_another_device_is_not_taken_away(inside: Inside, ana: Device, bo: Device) -> None:
    ana.add("customer", name="Unsent")
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    give_back(inside, ana, again)
    packet = again.ask().paper("recovered")
    bo.exchange(recovered=[packet.id])
    assert again.ask().paper("recovered") == packet
