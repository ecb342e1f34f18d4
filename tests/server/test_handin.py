"""A sealed outbox of any size is handed in piece by piece: signed, bounded, taken once, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.console import recovery
from sync.protocol import codec, messages
from sync.protocol.errors import KnownError, Problem
from sync.server import limits
from tests.server.driver import Device, Refusal
from tests.server.inside import Inside, nobody_asks

SIZE = 300  # bytes of a piece; a sealed record is some 190


@pytest.fixture
def ana(inside: Inside) -> Device:
    """A device with ten pieces of unsent work."""
    device = inside.device(inside.person("ana@example.com"), "ana")
    for number in range(10):
        device.add("activity", subject=f"Visit {number}")
    assert len(device.sealed) > 4 * SIZE
    return device


def pieces(device: Device) -> list[bytes]:
    """Its sealed outbox in requests."""
    return [device.piece(device.sealed[at : at + SIZE], at) for at in range(0, len(device.sealed), SIZE)]


def kept(inside: Inside, device: Device) -> list[bytes]:
    """The whole sealed outboxes that the server holds of a device."""
    found = []
    with inside.store.read() as tx:
        for each in tx.post.sealed(device.enrolment):
            data = b""
            while piece := tx.post.sealed_bytes(device.enrolment, each.sha256, len(data)):
                data += piece
            assert len(data) == each.held
            if each.whole:
                found.append(data)
    return found


def refused(device: Device, body: bytes) -> Problem:
    """Why the server refuses this piece."""
    with pytest.raises(Refusal) as refusal:
        device.hand_up(body)
    return refusal.value.trouble.problem


def test_it_is_whole_with_its_last_piece_and_then_the_receipt_counts(inside: Inside, ana: Device) -> None:
    envelope, bodies = inside.wipe(ana), pieces(ana)
    for number, body in enumerate(bodies, 1):
        with pytest.raises(Refusal) as refusal:
            ana.hand_in(ana.receipt(envelope, along=False))
        assert refusal.value.trouble.problem is Problem.GAP
        assert refusal.value.trouble.expected == (number - 1) * SIZE
        assert (inside.view(ana).receipt, inside.view(ana).outbox_records) == ("none", 0)
        reply = ana.hand_up(body)
        assert (reply.held, reply.whole) == (min(number * SIZE, len(ana.sealed)), number == len(bodies))
    assert inside.view(ana).outbox_records == 10
    ana.hand_in(ana.receipt(envelope, along=False))
    view = inside.view(ana)
    assert (view.state, view.receipt, view.outbox_records) == ("wiped", "verified", 10)
    assert kept(inside, ana) == [ana.sealed]


def test_a_piece_sent_again_or_out_of_turn_changes_nothing(inside: Inside, ana: Device) -> None:
    bodies = pieces(ana)
    assert ana.hand_up(bodies[2]).held == 0
    sent = [bodies[0], bodies[0], bodies[3], bodies[1], bodies[0], ana.piece(b"")]
    replies = [ana.hand_up(body) for body in sent]
    assert [reply.held // SIZE for reply in replies] == [1, 1, 1, 2, 2, 2]
    assert not any(reply.whole for reply in replies)
    assert ana.hand_up_all(SIZE).whole
    assert ana.hand_up(bodies[0]) == ana.hand_up(bodies[-1]) == ana.hand_up(ana.piece(b""))
    assert kept(inside, ana) == [ana.sealed]
    with inside.store.read() as tx:
        assert [line.verb for line in tx.post.audit_lines()].count("handed in") == 1


def test_a_restarted_server_goes_on_where_it_was(inside: Inside, ana: Device) -> None:
    for body in pieces(ana):
        held = ana.hand_up(body).held
        inside.store.close()
        inside.open()
        assert ana.hand_up(ana.piece(b"")).held == held
    assert kept(inside, ana) == [ana.sealed]


def test_work_is_handed_in_without_a_wipe_and_recovered(inside: Inside, ana: Device) -> None:
    """A device whose store is lost, and whose order to be wiped may never come."""
    ana.hand_up_all(SIZE)
    view = inside.view(ana)
    assert (view.state, view.receipt, view.outbox_records) == ("active", "none", 10)
    again = inside.device("ana@example.com", "again")
    assert recovery.recover(inside.office, inside.keys, nobody_asks, view, inside.view(again)) == (10, 10)
    # Wiped later, it hands in no byte twice.
    ana.hand_in(ana.receipt(inside.wipe(ana), along=False))
    assert inside.view(ana).outbox_records == 10


def test_half_an_outbox_is_none(inside: Inside, ana: Device) -> None:
    for body in pieces(ana)[:-1]:
        ana.hand_up(body)
    again = inside.device("ana@example.com", "again")
    with pytest.raises(KnownError, match="not handed in"):
        recovery.recover(inside.office, inside.keys, nobody_asks, inside.view(ana), inside.view(again))


# --- who may, and what ----------------------------------------------------------------------------


@pytest.mark.expected_warnings("why=signature")
def test_only_the_device_itself_hands_its_work_in(inside: Inside, ana: Device) -> None:
    stranger = Ed25519PrivateKey.generate()
    assert refused(ana, ana.piece(ana.sealed[:SIZE], key=stranger)) is Problem.UNKNOWN_DEVICE
    frames = codec.decode(ana.piece(ana.sealed[:SIZE]))
    envelope = msgspec.json.decode(codec.read(frames[0][1], messages.PieceHead).piece)
    forged = msgspec.json.decode(
        codec.read(codec.decode(ana.piece(b"", key=stranger))[0][1], messages.PieceHead).piece
    )
    envelope["signatures"][0]["sig"] = forged["signatures"][0]["sig"]
    head = messages.PieceHead(piece=msgspec.json.encode(envelope))
    assert refused(ana, codec.encode([("head", head), ("part", ana.sealed[:SIZE])])) is Problem.BAD_REQUEST
    bo = inside.device(inside.person("bo@example.com"), "bo")
    lies: list[dict[str, Any]] = [
        {"enrolment": ana.enrolment}, {"device": ana.device.hex()}, {"org": "00" * 16}
    ]  # fmt: skip
    for said in lies:
        assert refused(bo, bo.piece(b"x", whole=ana.stated(), **said)) is Problem.BAD_REQUEST
    assert kept(inside, ana) == []
    assert ana.hand_up(ana.piece(b"")).held == 0


@pytest.mark.parametrize(
    "said",
    [
        {"offset": -1},
        {"offset": 10**6},
        {"length": 3},
        {"sha256": "00" * 32},
        {"whole": {"length": 3}},
        {"whole": {"length": 0}},
        {"whole": {"length": 2**60}},
        {"whole": {"records": -1}},
        {"whole": {"sha256": "00"}},
    ],
    ids=str,
)
def test_a_piece_that_cannot_be_is_refused(inside: Inside, ana: Device, said: dict[str, Any]) -> None:
    if "whole" in said:
        said = {"whole": msgspec.structs.replace(ana.stated(), **said["whole"])}
    assert refused(ana, ana.piece(ana.sealed[:SIZE], **said)) is Problem.BAD_REQUEST
    assert ana.hand_up(ana.piece(b"")).held == 0


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [("part", b"x")],
        [("head", {"piece": b"{}"}), ("part", b"x"), ("part", b"y")],
        [("head", {"piece": b"{}"}), ("op", b"x")],
        [("head", {"piece": b"not json"})],
        [("head", {"piece": 5})],
    ],
    ids=str,
)
def test_what_is_no_piece_is_refused(ana: Device, frames: list[tuple[str, Any]]) -> None:
    assert refused(ana, codec.encode(frames)) is Problem.BAD_REQUEST


def test_a_body_larger_than_a_piece_is_not_even_read(ana: Device) -> None:
    assert refused(ana, ana.piece(os.urandom(messages.SEALED_PART + 200_000))) is Problem.TOO_BIG


def test_what_turns_out_other_than_it_was_stated_is_dropped(inside: Inside, ana: Device) -> None:
    """Digest and count are what the receipt will be held against, so they are judged when all is here."""
    wrongs: list[dict[str, Any]] = [{"records": 9}, {"sha256": "00" * 32}]
    for wrong in wrongs:
        lied = msgspec.structs.replace(ana.stated(), **wrong)
        *most, last = (
            ana.piece(ana.sealed[at : at + SIZE], at, whole=lied) for at in range(0, len(ana.sealed), SIZE)
        )
        assert not any(ana.hand_up(body).whole for body in most)
        assert refused(ana, last) is Problem.BAD_REQUEST
        assert ana.hand_up(ana.piece(b"", whole=lied)).held == 0
    assert kept(inside, ana) == []
    assert ana.hand_up_all(SIZE).whole


def test_what_is_whole_is_not_stated_in_another_way(inside: Inside, ana: Device) -> None:
    ana.hand_up_all(SIZE)
    lied = msgspec.structs.replace(ana.stated(), records=3)
    assert refused(ana, ana.piece(ana.sealed[:SIZE], whole=lied)) is Problem.BAD_REQUEST
    assert kept(inside, ana) == [ana.sealed]


# --- how much ---------------------------------------------------------------------------------------


def test_a_device_hands_in_so_much_and_no_more(
    inside: Inside, ana: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEALED_MAX", len(ana.sealed) + 2_000)
    ana.hand_up_all(SIZE)
    first = ana.sealed
    ana.sealed = os.urandom(2_001)
    assert refused(ana, ana.piece(ana.sealed[:SIZE])) is Problem.TOO_BIG
    # Unfinished ones make room, the oldest first; whole ones never do.
    for size in (1_000, 900, 1_500):
        ana.sealed = os.urandom(size)
        assert ana.hand_up(ana.piece(ana.sealed[:SIZE])).held == SIZE
    with inside.store.read() as tx:
        assert [each.length for each in tx.post.sealed(ana.enrolment)] == [len(first), 1_500]
    assert ana.hand_up_all(SIZE).whole
    assert kept(inside, ana) == [first, ana.sealed]


def test_a_device_has_so_many_outboxes_and_no_more(
    inside: Inside, ana: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEALED_AT_MOST", 3)
    whole = []
    for _number in range(3):
        ana.sealed = os.urandom(10)
        ana.hand_up(ana.piece(ana.sealed[:5]))
        whole.append(ana.sealed)
        assert ana.hand_up_all().whole
    ana.sealed = os.urandom(10)
    assert refused(ana, ana.piece(ana.sealed)) is Problem.TOO_BIG
    assert kept(inside, ana) == whole


@pytest.mark.parametrize("along", [True, False])
def test_junk_takes_no_place_from_the_outbox_that_a_receipt_names(
    inside: Inside, ana: Device, along: bool
) -> None:
    good = ana.sealed
    for number in range(limits.SEALED_AT_MOST):
        ana.sealed = bytes([number])
        assert ana.hand_up_all().whole
    ana.sealed = good
    assert refused(ana, ana.piece(good[:SIZE])) is Problem.TOO_BIG
    envelope = inside.wipe(ana)
    if not along:
        assert ana.hand_up_all(SIZE).whole
    ana.hand_in(ana.receipt(envelope, along=along))
    assert inside.view(ana).state == "wiped"
    assert kept(inside, ana)[-1] == good


@pytest.mark.expected_warnings("disk free=")
def test_a_disk_that_is_nearly_full_takes_no_more_of_it(
    inside: Inside, ana: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana.hand_up(pieces(ana)[0])
    with monkeypatch.context() as patch:
        patch.setattr(limits, "ROOM_KEPT", 2**60)
        with pytest.raises(Refusal) as refusal:
            ana.hand_up(pieces(ana)[1])
        assert refusal.value.trouble.problem is Problem.BUSY
        assert "disk is full" in refusal.value.trouble.title
        ana.exchange()  # everything else goes on
    assert ana.hand_up_all(SIZE).whole


@pytest.mark.expected_warnings("store path=/v1/sealed")
def test_a_disk_that_fills_up_in_the_middle_loses_nothing(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ROOM_KEPT", -(2**60))  # whatever is measured: it fills up all the same
    inside = Inside(small_disk)
    try:
        ana = inside.device(inside.person("ana@example.com"), "ana")
        ana.add("customer", name="Unsent")
        ana.sealed += os.urandom(3 * 2**20)  # behind a torn record: so much more to carry
        filler = small_disk / "filler"
        filler.write_bytes(bytes(small_disk_free(small_disk) - 2 * 2**20))
        with pytest.raises(Refusal) as refusal:
            ana.hand_up_all()
        assert refusal.value.trouble.problem is Problem.BUSY
        held = ana_held(inside, ana)
        filler.unlink()
        assert ana.hand_up(ana.piece(b"")).held == held
        assert ana.hand_up_all().whole
        assert kept(inside, ana) == [ana.sealed]
    finally:
        inside.store.close()


def small_disk_free(folder: Path) -> int:
    """Bytes that are free on it."""
    stats = os.statvfs(folder)
    return stats.f_bavail * stats.f_frsize


def ana_held(inside: Inside, device: Device) -> int:
    """How much is held of its one outbox."""
    with inside.store.read() as tx:
        (found,) = tx.post.sealed(device.enrolment)
    return found.held
