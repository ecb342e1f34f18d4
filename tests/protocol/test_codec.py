"""Bodies: whole or not at all, bounded whatever they claim, and nothing behind their end."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import codec, messages
from sync.protocol.errors import BadFrames
from sync.protocol.messages import Change, Cursor
from tests.protocol.strategies import tries

FRAMES: list[tuple[str, Any]] = [
    (messages.HEAD, {"cursor": 5, "text": "王芳"}),
    (messages.OP, {"n": 1, "id": bytes(range(16))}),
    (messages.OP, None),
]
BODY = codec.encode(FRAMES)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


def _plain(frames: Iterable[bytes], *, count: int | None = None, digest: bytes | None = None) -> bytes:
    """The bytes of a body before compression, its end made right unless told otherwise."""
    kept = list(frames)
    body = b"".join(struct.pack(">I", len(frame)) + frame for frame in kept)
    end = {
        "count": len(kept) if count is None else count,
        "sha256": hashlib.sha256(body).digest() if digest is None else digest,
    }
    tail = msgspec.msgpack.encode(("end", end))
    return body + struct.pack(">I", len(tail)) + tail


def _packed(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(plain)


def _frame(tag: Any, value: Any) -> bytes:
    return msgspec.msgpack.encode((tag, value))


def _decoded(body: bytes) -> list[tuple[str, Any]]:
    return [(tag, msgspec.msgpack.decode(raw)) for tag, raw in codec.decode(body)]


@tries(100)
@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=8).filter(lambda tag: tag != "end"), VALUES), max_size=5)
)
def test_frames_come_back(frames: list[tuple[str, Any]]) -> None:
    assert _decoded(codec.encode(frames)) == frames


def test_a_body_made_by_hand_is_read() -> None:
    assert _decoded(_packed(_plain([_frame("op", 1), _frame("op", 2)]))) == [("op", 1), ("op", 2)]


def test_a_body_cut_anywhere_is_refused() -> None:
    for length in range(len(BODY)):
        with pytest.raises(BadFrames):
            codec.decode(BODY[:length])


def test_a_body_cut_anywhere_before_it_was_packed_is_refused() -> None:
    plain = _plain([_frame(tag, value) for tag, value in FRAMES])
    for length in range(len(plain)):
        with pytest.raises(BadFrames):
            codec.decode(_packed(plain[:length]))


def test_a_flipped_bit_never_changes_what_is_read() -> None:
    whole = codec.decode(BODY)
    for at in range(len(BODY) * 8):
        other = bytearray(BODY)
        other[at // 8] ^= 1 << at % 8
        try:
            # zstd leaves a bit of its header unused: then the very same frames come out.
            assert [(tag, bytes(raw)) for tag, raw in codec.decode(bytes(other))] == [
                (tag, bytes(raw)) for tag, raw in whole
            ]
        except BadFrames:
            continue


def test_a_bit_flipped_before_it_was_packed_is_refused() -> None:
    plain = _plain([_frame(tag, value) for tag, value in FRAMES])
    for at in range(len(plain) * 8):
        other = bytearray(plain)
        other[at // 8] ^= 1 << at % 8
        with pytest.raises(BadFrames):
            codec.decode(_packed(bytes(other)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Please sign in to the hotel network</html>",
        BODY + b"x",
        BODY + BODY,
        BODY + _packed(b""),
        BODY + struct.pack("<II", 0x184D2A50, 4) + b"hide",  # zstd passes over such a frame
        zstandard.ZstdCompressor(write_content_size=False).compress(_plain([_frame("op", 1)])),
        _packed(b""),
        _packed(_plain([_frame("op", 1)]) + b"x"),
        _packed(_plain([_frame("op", 1)]) * 2),
        _packed(_plain([_frame("op", 1)], count=2)),
        _packed(_plain([_frame("op", 1)], count=-1)),
        _packed(_plain([_frame("op", 1)], digest=bytes(32))),
        _packed(_plain([_frame("op", 1)], digest=b"")),
        _packed(_plain([_frame(5, 1)])),
        _packed(_plain([msgspec.msgpack.encode(["op"])])),
        _packed(_plain([msgspec.msgpack.encode(["op", 1, 2])])),
        _packed(_plain([b""])),
        _packed(_plain([b"\xc1"])),
        _packed(_plain([b"\x92\xa2\xff\xfe\x01"])),
        _packed(_plain([_frame("op", 1) + b"\x01"])),
        _packed(_plain([_frame("end", {"count": 0, "sha256": hashlib.sha256(b"").digest()})])),
        _packed(_plain([_frame("end", None)])),
    ],
)
def test_what_is_no_whole_body_is_refused(body: bytes) -> None:
    with pytest.raises(BadFrames) as caught:
        codec.decode(body)
    assert caught.value.title


@pytest.mark.parametrize("length", [codec.FRAME_MAX + 1, 2**31, 2**32 - 1, 100])
def test_a_length_that_claims_more_than_there_is_is_refused(length: int) -> None:
    with pytest.raises(BadFrames):
        codec.decode(_packed(struct.pack(">I", length) + b"x" * 10))


@pytest.mark.parametrize("marker", [b"\xdd", b"\xdf", b"\xc6", b"\xdb", b"\xc9"])
def test_a_value_that_claims_four_billion_items_is_refused(marker: bytes) -> None:
    with pytest.raises(BadFrames):
        codec.decode(_packed(_plain([b"\x92\xa2op" + marker + b"\xff\xff\xff\xff"])))


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1x"])
def test_a_value_of_endless_depth_is_refused(opening: bytes) -> None:
    deep = opening * 200_000 + b"\xc0"
    with pytest.raises(BadFrames):
        codec.decode(_packed(_plain([b"\x92\xa2op" + deep])))
    with pytest.raises(BadFrames):
        codec.unpack(deep)
    with pytest.raises(BadFrames):
        codec.read(msgspec.Raw(deep), Change)


# Runs in a process of its own, so that what was used before does not hide what is used here.
BOMB = """
import resource, sys, zstandard
from sync.protocol import codec
from sync.protocol.errors import BadFrames
codec.decode(codec.encode([("head", 1)]))
bomb = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    codec.decode(bomb)
except BadFrames:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def _bomb(states: str) -> bytes:
    """A gigabyte of nothing in some kilobytes; it states its size, none, or a small one."""
    size = {"its size": 2**30, "no size": -1, "a small size": 2**30}[states]
    compressor = zstandard.ZstdCompressor(level=3).compressobj(size=size)
    piece = bytes(2**20)
    bomb = b"".join(compressor.compress(piece) for _ in range(1024)) + compressor.flush()
    if states == "a small size":
        at = bomb.index(struct.pack("<I", 2**30))
        bomb = bomb[:at] + struct.pack("<I", 1_000) + bomb[at + 4 :]
        assert zstandard.frame_content_size(bomb) == 1_000
    return bomb


@pytest.mark.parametrize("states", ["its size", "no size", "a small size"])
def test_a_bomb_is_given_up_at_the_bound(states: str) -> None:
    """Refused, and never more memory than the largest honest body takes."""
    bomb = _bomb(states)
    assert len(bomb) < 2**20
    done = subprocess.run([sys.executable, "-c", BOMB], input=bomb, capture_output=True, check=True)
    unit = 1024 if sys.platform != "darwin" else 1  # kilobytes, and bytes on macOS
    assert int(done.stdout) * unit < codec.PLAIN_MAX + 16 * 2**20


def test_a_body_larger_than_any_of_ours_is_refused_unread() -> None:
    with pytest.raises(BadFrames):
        codec.decode(bytes(codec.BODY_MAX + 1))


def test_a_frame_too_large_to_be_read_back_is_not_sent() -> None:
    with pytest.raises(BadFrames):
        codec.encode([("op", bytes(codec.FRAME_MAX))])


def test_unknown_fields_are_passed_over_in_headers_and_carried_in_records() -> None:
    head = codec.Raw(codec.pack({"epoch": b"e", "seq": 5, "from_tomorrow": [1, 2]}))
    assert codec.read(head, Cursor) == Cursor(epoch=b"e", seq=5)
    raw = codec.Raw(codec.pack({"kind": "customer", "id": b"x", "ver": 1, "cells": {"new": {"a": [1]}}}))
    change = codec.read(raw, Change)
    assert codec.unpack(codec.pack(change))["cells"] == {"new": {"a": [1]}}


@pytest.mark.parametrize(
    "value", [None, 5, [], {"seq": "5"}, {"seq": 2**64}, {"epoch": "text"}, {"seq": 1.5}, {"seq": None}]
)
def test_a_header_of_the_wrong_shape_is_refused(value: Any) -> None:
    with pytest.raises(BadFrames):
        codec.read(
            codec.Raw(msgspec.msgpack.encode(value)) if value != {"seq": 2**64} else codec.Raw(b"\xc1"),
            Cursor,
        )


def test_values_survive_a_store() -> None:
    value = {"a": [1, None, True, b"x", "王"], "b": {"c": 2**63}}
    assert codec.unpack(codec.pack(value)) == value
