"""Sealed packets open with the right key, for the right purpose, whole; and sealed outboxes survive a torn end."""

from __future__ import annotations

import io

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.protocol import codec, outbox_seal, sealing
from sync.protocol.errors import BadFrames, KnownError
from sync.protocol.ops import Act, Op
from tests.protocol.sealed import open_records

KEY = X25519PrivateKey.generate()
PUBLIC = sealing.public_bytes(KEY)
DEVICE, INCARNATION = b"d" * 16, b"incarn.1"


def _op(n: int, text: str = "x") -> Op:
    return Op(n=n, kind="customer", id=b"r" * 16, act=Act.SET, hlc=n, set={"name": text})


def test_what_is_sealed_opens() -> None:
    assert len(PUBLIC) == 32
    sealed = sealing.seal(PUBLIC, sealing.OUTBOX, b"unsent work")
    assert len(sealed) == 48 + len(b"unsent work")
    assert b"unsent work" not in sealed
    assert sealing.unseal(KEY, sealing.OUTBOX, sealed) == b"unsent work"


def test_the_same_thing_is_never_sealed_alike() -> None:
    assert sealing.seal(PUBLIC, sealing.SHARE, b"x") != sealing.seal(PUBLIC, sealing.SHARE, b"x")


def test_another_key_or_purpose_opens_nothing() -> None:
    sealed = sealing.seal(PUBLIC, sealing.OUTBOX, b"x")
    with pytest.raises(KnownError):
        sealing.unseal(X25519PrivateKey.generate(), sealing.OUTBOX, sealed)
    for purpose in (sealing.SHARE, sealing.RECOVERED, b""):
        with pytest.raises(KnownError):
            sealing.unseal(KEY, purpose, sealed)


def test_a_cut_or_bent_packet_opens_nothing() -> None:
    sealed = sealing.seal(PUBLIC, sealing.OUTBOX, b"x")
    for length in range(len(sealed)):
        with pytest.raises(KnownError):
            sealing.unseal(KEY, sealing.OUTBOX, sealed[:length])
    for at in range(len(sealed) * 8):
        bent = bytearray(sealed)
        bent[at // 8] ^= 1 << at % 8
        # The top bit of the sender's X25519 point is ignored by the curve, and is part of what is authenticated.
        with pytest.raises(KnownError):
            sealing.unseal(KEY, sealing.OUTBOX, bytes(bent))


@pytest.mark.parametrize("public", [bytes(32), (1).to_bytes(32, "little"), b"", bytes(31)])
def test_nothing_is_sealed_to_a_key_that_anybody_could_open(public: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        sealing.seal(public, sealing.OUTBOX, b"x")


# --- the sealed outbox ------------------------------------------------------------------------


def _file(*parts: list[Op]) -> bytes:
    frames = [
        frame for ops in parts for _held, frame in outbox_seal.seal_ops(PUBLIC, DEVICE, INCARNATION, ops)
    ]
    return b"".join(frames)


def test_sealed_ops_come_back_in_order_and_each_word_counts() -> None:
    data = _file([_op(2), _op(1)], [_op(3), _op(2, "newer")])
    found = open_records(outbox_seal.split(io.BytesIO(data)), KEY)
    assert {source: [(op.n, op.set["name"]) for op in ops] for source, ops in found.items()} == {
        (DEVICE, INCARNATION): [(1, "x"), (2, "x"), (2, "newer"), (3, "x")]
    }


def test_a_torn_end_costs_the_torn_record_alone() -> None:
    first, second = _file([_op(1)]), _file([_op(2)])
    for length in range(len(first), len(first) + len(second)):
        torn = io.BytesIO((first + second)[:length])
        assert len(list(outbox_seal.split(torn))) == 1


@pytest.mark.parametrize("head", [b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x02\x00\x00\x01"])
def test_a_length_that_cannot_be_ends_the_file(head: bytes) -> None:
    assert list(outbox_seal.split(io.BytesIO(head + bytes(100)))) == []


def test_much_work_is_parted_into_records_of_a_bounded_size() -> None:
    ops = [_op(n, "y" * 60_000) for n in range(1, 201)]
    sealed = outbox_seal.seal_ops(PUBLIC, DEVICE, INCARNATION, ops)
    assert len(sealed) > 2
    assert max(len(frame) for _held, frame in sealed) < outbox_seal.PART_MAX + 1_000
    data = io.BytesIO(b"".join(frame for _held, frame in sealed))
    assert open_records(outbox_seal.split(data), KEY) == {(DEVICE, INCARNATION): ops}


def test_a_record_that_holds_no_ops_is_told() -> None:
    with pytest.raises(BadFrames):
        outbox_seal.read_part(codec.pack({"device": b"x"}))
    with pytest.raises(KnownError):
        open_records([b"not sealed at all"], KEY)
