"""Recovered work comes in parcels of bounded size, in order, each change once, however often it is begun anew."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sync.compose import office_socket
from sync.console import recovery, sealed_records
from sync.console.ports import Office
from sync.protocol import outbox_seal, sealing
from sync.protocol.desk import Parcel
from sync.protocol.errors import KnownError
from sync.protocol.ops import Act, Op
from sync.server import limits
from sync.server.office import StoreOffice
from tests.server.driver import Device
from tests.server.inside import Inside, nobody_asks

SMALL = 1_500_000  # bytes of one message through a socket that a large outbox has to pass


@pytest.fixture
def ana(inside: Inside) -> Device:
    """The device that will be wiped."""
    return inside.device(inside.person("ana@example.com"), "ana")


@pytest.fixture
def heir(inside: Inside, ana: Device) -> Device:
    """The next device of the same person."""
    return inside.device("ana@example.com", "heir")


def given(inside: Inside, heir: Device) -> list[tuple[bytes, Op]]:
    """Incarnation and op of everything that was handed over, in order, packet by packet as the device takes it.

    The ops are numbered as they were on the device that made them.
    """
    found: list[tuple[bytes, Op]] = []
    told: list[bytes] = []
    while papers := heir.exchange(recovered=told).papers:
        for paper in papers:
            part = outbox_seal.read_part(sealing.unseal(heir.seal_key, sealing.RECOVERED, paper.data))
            for op in part.ops:
                assert op.origin is not None
                device, incarnation, n = op.origin
                assert device == part.device
                found.append((incarnation, msgspec.structs.replace(op, n=n, first=n, origin=None)))
        told = [paper.id for paper in papers]
    return found


def recover(inside: Inside, office: Office, source: Device, heir: Device) -> tuple[int, int]:
    return recovery.recover(office, inside.keys, nobody_asks, inside.view(source), inside.view(heir))


class Watched:
    """The office, with the sizes of what goes through it; it may break off."""

    def __init__(self, office: StoreOffice, break_at: int = 10**9) -> None:
        self._office = office
        self._break_at = break_at
        self.sizes: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._office, name)

    def sealed(self, source: str, sha256: str, at: int) -> bytes:
        """Fetch a piece."""
        data = self._office.sealed(source, sha256, at)
        self.sizes.append(len(data))
        return data

    def hand_over(self, source: str, target: str, parcels: list[Parcel]) -> int:
        """File parcels, then perhaps be gone before that is told."""
        self.sizes.append(sum(len(each.data) for each in parcels))
        fresh = self._office.hand_over(source, target, parcels)
        self._break_at -= 1
        if self._break_at < 0:
            raise KnownError("gone")
        return fresh


def visits(device: Device, count: int) -> list[Op]:
    """So many ops that only this device has; sealed as they are made."""
    for number in range(count):
        device.add("activity", subject=f"Visit {number}", about="said " * 40)
    return list(device.waiting)


def test_it_takes_no_more_memory_than_a_message(
    inside: Inside, ana: Device, heir: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "AT_ONCE", 20_000)
    monkeypatch.setattr(recovery, "PARCEL_BYTES", 8_000)
    monkeypatch.setattr(sealed_records, "_BUFFER", 5_000)
    ops = visits(ana, 400)
    ana.hand_up_all(3_000)
    ana.hand_in(ana.receipt(inside.wipe(ana), along=False))
    watched = Watched(inside.office)
    assert recover(inside, watched, ana, heir) == (400, 400)
    assert len(ana.sealed) > 100_000
    assert max(watched.sizes) <= 20_000
    assert [op for _incarnation, op in given(inside, heir)] == ops


@pytest.mark.parametrize("break_at", range(5))
def test_begun_anew_after_a_cut_it_hands_over_the_rest_alone(
    inside: Inside, ana: Device, heir: Device, monkeypatch: pytest.MonkeyPatch, break_at: int
) -> None:
    monkeypatch.setattr(recovery, "AT_ONCE", 9_000)
    monkeypatch.setattr(recovery, "PARCEL_BYTES", 8_000)
    ops = visits(ana, 120)
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    watched = Watched(inside.office, break_at)
    with pytest.raises(KnownError):
        recover(inside, watched, ana, heir)
    first = given(inside, heir)  # the device takes in what has come, before IT tries again
    found, fresh = recover(inside, Watched(inside.office), ana, heir)
    assert found == 120
    assert fresh >= 120 - len(
        first
    )  # what was taken in and not sent may have been lost there: it is given again
    assert recover(inside, inside.office, ana, heir) == (120, 0)
    seen = {op.n: op for _incarnation, op in first + given(inside, heir)}
    assert [seen[n] for n in sorted(seen)] == ops


def test_work_that_was_sealed_again_comes_in_the_order_of_its_numbers(
    inside: Inside, ana: Device, heir: Device
) -> None:
    """A lost file is sealed anew behind what came after it: an edit must not come before the record it edits."""
    ops = visits(ana, 6)
    ana.sealed = b""
    for some in (ops[3:5], ops[0:2], [ops[5]], [ops[2], ops[4]]):
        ana.seal(some)
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    assert recover(inside, inside.office, ana, heir) == (6, 6)
    assert [op for _incarnation, op in given(inside, heir)] == ops


def test_of_several_outboxes_each_change_comes_once(inside: Inside, ana: Device, heir: Device) -> None:
    """Handed in when the store was lost, and again, with more in it, when the device was wiped."""
    early = visits(ana, 3)
    ana.hand_up_all()
    ana.sealed += b"\0\0\1\0torn"
    ana.hand_up_all()
    ana.sealed = ana.sealed[: -len(b"\0\0\1\0torn")]
    ops = early + visits(ana, 3)[3:]
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    assert inside.view(ana).outbox_records == 3 + 3 + 6
    assert recover(inside, inside.office, ana, heir) == (6, 6)
    assert [op for _incarnation, op in given(inside, heir)] == ops


def test_two_copies_of_a_device_under_the_same_numbers_both_get_their_work_back(
    inside: Inside, ana: Device, heir: Device
) -> None:
    """One has sent some of its work, and both are wiped: what a number stands for differs from copy to copy."""
    visits(ana, 1)
    ana.sync()
    twin = Device(ana.send, sign_key=ana.sign_key, seal_key=ana.seal_key, device=ana.device)
    twin.root, twin.enrolment, twin.incarnation, twin.n = ana.root, ana.enrolment, ana.incarnation, ana.n
    twin.sealed = ana.sealed
    visits(ana, 2)
    ana.sync()
    unsent = visits(ana, 3)
    of_copy = visits(twin, 4)
    twin.hand_up_all()
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    assert recover(inside, inside.office, ana, heir) == (7, 7)
    assert recover(inside, inside.office, ana, heir) == (7, 0)
    in_time = sorted(of_copy + unsent, key=lambda op: op.hlc)
    assert [op for _incarnation, op in given(inside, heir)] == in_time


def test_work_that_was_numbered_anew_comes_once(inside: Inside, ana: Device, heir: Device) -> None:
    """The sealed outbox may still hold it under its old numbers beside the new ones, sent or not."""
    ops = visits(ana, 4)
    ana.incarnation, ana.session, ana.n = b"another1", None, 4
    ana.waiting = [msgspec.structs.replace(op, n=at, first=at) for at, op in enumerate(ops, 1)]
    ana.seal(ana.waiting)
    ana.ask(ana.waiting[:2])
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    assert recover(inside, inside.office, ana, heir) == (2, 2)
    assert [op for _incarnation, op in given(inside, heir)] == ops[2:]


def test_work_set_aside_comes_behind_the_older_work_that_it_stands_on(
    inside: Inside, ana: Device, heir: Device
) -> None:
    """The device puts what its store lost in front of its outbox; acts stay whole."""
    made = ana.add("customer", name="Wrong GmbH")
    ana.op("customer", made, Act.DELETE, {})
    ana.add("customer", name="New GmbH")
    ana.add("contact", name="With it")
    ops = [*ana.waiting[:3], msgspec.structs.replace(ana.waiting[3], first=3)]
    ana.sealed = b""
    ana.incarnation = b"the lost"
    ana.seal(ops[1:2])
    ana.incarnation = b"the kept"
    ana.seal([ops[0], *ops[2:]])
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    assert recover(inside, inside.office, ana, heir) == (4, 4)
    (paper,) = heir.exchange().papers
    part = outbox_seal.read_part(sealing.unseal(heir.seal_key, sealing.RECOVERED, paper.data))
    assert [(op.n, op.first, op.hlc) for op in part.ops] == [
        (n, first, op.hlc) for n, first, op in zip((1, 2, 3, 4), (1, 2, 3, 3), ops, strict=True)
    ]
    assert part.outboxes == []


def test_who_gets_its_own_work_back_hears_out_of_which_outbox(inside: Inside, ana: Device) -> None:
    visits(ana, 1)
    ana.hand_up_all()
    assert recover(inside, inside.office, ana, ana) == (1, 1)
    (paper,) = ana.ask().papers
    part = outbox_seal.read_part(sealing.unseal(ana.seal_key, sealing.RECOVERED, paper.data))
    assert part.outboxes == [ana.stated().sha256]


def test_what_one_incarnation_sent_says_nothing_of_the_next(
    inside: Inside, ana: Device, heir: Device
) -> None:
    visits(ana, 2)
    ana.sync()
    ana.incarnation, ana.n, ana.waiting, ana.session = b"another1", 0, [], None
    ops = visits(ana, 3)
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    assert recover(inside, inside.office, ana, heir) == (3, 3)
    assert given(inside, heir) == [(b"another1", op) for op in ops]


def test_work_of_another_device_in_the_outbox_is_not_given_away(
    inside: Inside, ana: Device, heir: Device
) -> None:
    visits(ana, 1)
    own, ana.device = ana.device, b"x" * 16
    visits(ana, 1)
    ana.device = own
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    with pytest.raises(KnownError, match="1 records"):
        recover(inside, inside.office, ana, heir)
    assert [op.n for _incarnation, op in given(inside, heir)] == [1]


@pytest.mark.parametrize("where", ["content", "length", "short length", "last length"])
def test_one_rotten_record_takes_no_other_with_it(
    inside: Inside, ana: Device, heir: Device, where: str
) -> None:
    ops = visits(ana, 10)
    frames = bytearray(ana.sealed)
    at, begins = 0, []
    while at < len(frames):
        begins.append(at)
        at += 4 + int.from_bytes(frames[at : at + 4], "big")
    place = begins[-1] if where == "last length" else begins[3]
    if where == "content":
        frames[place + 60] ^= 1
    elif where == "short length":
        frames[place + 3] ^= 1
    else:
        frames[place] ^= 0x80
    ana.sealed = bytes(frames)
    ana.hand_up_all()
    if where == "content":
        with pytest.raises(KnownError, match="1 records"):
            recover(inside, inside.office, ana, heir)
        ops = ops[:3] + ops[4:]
    else:  # the record itself is sound
        assert recover(inside, inside.office, ana, heir) == (10, 10)
    assert [op for _incarnation, op in given(inside, heir)] == ops


def test_a_junk_outbox_and_an_op_too_large_keep_nothing_else_back(
    inside: Inside, ana: Device, heir: Device
) -> None:
    sound = visits(ana, 2)
    good, ana.sealed = ana.sealed, b"\0\0\0\1x"
    ana.hand_up_all()
    assert ana.root is not None
    huge = msgspec.structs.replace(sound[0], n=3, first=3, set={"about": "x" * (outbox_seal.OP_AT_MOST + 1)})
    sealed = outbox_seal.seal_ops(ana.root.recovery, ana.device, ana.incarnation, [huge])
    ana.sealed = good + b"".join(frame for _ops, frame in sealed)
    ana.hand_up_all()
    with pytest.raises(KnownError, match="2 records"):
        recover(inside, inside.office, ana, heir)
    assert [op for _incarnation, op in given(inside, heir)] == sound


def test_a_part_that_the_server_lacks_is_told(inside: Inside, ana: Device, heir: Device) -> None:
    visits(ana, 4)
    ana.hand_up_all(300)
    with inside.store.write() as tx:
        (kept,) = tx.post.sealed(ana.enrolment)
        tx.post.drop_sealed(ana.enrolment, kept.sha256)
        tx.post.put_sealed(kept)
        tx.post.put_piece(ana.enrolment, kept.sha256, 0, ana.sealed[:300])
    with pytest.raises(KnownError, match="part of the sealed work"):
        recover(inside, inside.office, ana, heir)


@pytest.fixture
def by_socket(inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """The office behind its socket, where a message may be a megabyte and a half."""
    monkeypatch.setattr(office_socket, "WORK_MAX", SMALL)
    monkeypatch.setattr(recovery, "AT_ONCE", 2**20)
    path, ready, over = tmp_path / "admin.sock", threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await office_socket.serve(path, inside.office)
        ready.set()
        async with server:
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(30)
    with office_socket.connect(path) as office:
        yield office
    loop.call_soon_threadsafe(over.set)
    thread.join(30)
    loop.close()


def test_more_than_one_message_holds_comes_through_the_socket(
    inside: Inside, by_socket: Office, ana: Device, heir: Device
) -> None:
    for number in range(100):
        ana.add("activity", subject=f"Visit {number}", about="said " * 12_000)
    ops = list(ana.waiting)
    assert len(ana.sealed) > 3 * SMALL
    ana.hand_up_all()
    ana.hand_in(ana.receipt(inside.wipe(ana), along=False))
    assert recover(inside, by_socket, ana, heir) == (100, 100)
    assert [op for _incarnation, op in given(inside, heir)] == ops
    view = msgspec.structs.replace(inside.view(ana), enrolment="none")
    with pytest.raises(KnownError, match="no such device"):
        recovery.recover(by_socket, inside.keys, nobody_asks, view, inside.view(heir))


@pytest.mark.expected_warnings("packet problem=too_large")
def test_a_parcel_too_large_is_neither_filed_nor_stops_an_exchange(
    inside: Inside, ana: Device, heir: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    ops = visits(ana, 1)
    ana.hand_up_all()
    view = inside.view(ana)
    parcel = Parcel(batch="09", ops=1, data=bytes(20_000))
    assert [inside.office.hand_over(view.enrolment, heir.enrolment, [msgspec.structs.replace(parcel, batch=f"{n:02}")])
            for n in range(9, 15)] == [1] * 6  # fmt: skip
    monkeypatch.setattr(limits, "PARCEL_MAX", 19_000)
    with pytest.raises(KnownError, match="too large"):
        inside.office.hand_over(view.enrolment, heir.enrolment, [msgspec.structs.replace(parcel, batch="99")])
    assert recover(inside, inside.office, ana, heir) == (1, 1)
    assert [op for _incarnation, op in given(inside, heir)] == ops
