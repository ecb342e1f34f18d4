"""Unsent work of a wiped device comes back to its person: all of it, once, and to nobody else."""

from __future__ import annotations

import msgspec
import pytest

from sync.console import recovery
from sync.protocol import outbox_seal, sealing
from sync.protocol.errors import KnownError, Outcome
from sync.protocol.ops import Op
from tests.server.driver import Device, Reply
from tests.server.inside import Inside, nobody_asks


def recovered(device: Device, reply: Reply) -> list[Op]:
    """What a device finds in its packets."""
    found: list[Op] = []
    for paper in reply.papers:
        if paper.kind == "recovered":
            plain = sealing.unseal(device.seal_key, sealing.RECOVERED, paper.data)
            part = msgspec.msgpack.decode(plain, type=outbox_seal.Part)
            found.extend(
                msgspec.structs.replace(op, origin=(part.device, part.incarnation, op.n)) for op in part.ops
            )
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
    parcels = recovery.parcels(sealing.public_bytes(third.seal_key), ana.device, ana.incarnation, unsent)
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
    parcels = recovery.parcels(public, ana.device, ana.incarnation, iter(unsent_before))
    inside.office.hand_over(ana.enrolment, again.enrolment, list(parcels))
    queue(again, recovered(again, again.exchange()))
    again.sync()
    assert again.cells(id_)["name"] == "Changed since"


def test_an_origin_is_believed_only_where_work_was_given(inside: Inside, ana: Device, bo: Device) -> None:
    """Else a device could claim another's ops before they come, and they would be passed over."""
    ana.sync()
    bo.op("customer", b"\1" * 16, "add", {"name": "Claimed"}, origin=(ana.device, ana.incarnation, 1))  # type: ignore[arg-type]
    bo.sync()
    ana.add("customer", name="Real")
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    give_back(inside, ana, again)
    queue(again, recovered(again, again.exchange()))
    again.sync()
    assert {again.cells(id_)["name"] for id_ in again.rows} == {"Claimed", "Real"}


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
