"""Sealed records are read back in the order of their ops, each op once, whatever the order in which they stand."""

from __future__ import annotations

import io
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some

from sync.protocol import codec, outbox_seal, sealing
from sync.protocol.errors import BadFrames
from sync.protocol.ops import Act, Op
from sync.protocol.outbox_seal import Index, Measure, Part

DEVICE, FIRST, SECOND = b"d" * 16, b"i" * 8, b"j" * 8
SOURCE = (DEVICE, FIRST, 0)


def part(*ops: tuple[int, str], incarnation: bytes = FIRST) -> Part:
    """A record of these numbers and words."""
    return Part(
        device=DEVICE,
        incarnation=incarnation,
        ops=[
            Op(n=n, kind="task", id=b"r" * 16, act=Act.SET, hlc=n, set={"subject": word}) for n, word in ops
        ],
    )


def told(parts: list[Part], source: outbox_seal.Source = SOURCE) -> list[tuple[int, str]]:
    """Numbers and words as the index gives them."""
    index = Index()
    for place, each in enumerate(parts):
        index.note(0, place, each)
    return [(op.n, op.set["subject"]) for op in index.in_order(source, parts.__getitem__)]


@given(
    some.lists(some.lists(some.integers(1, 30), min_size=1, max_size=6), min_size=1, max_size=12),
    some.randoms(use_true_random=False),
)
def test_every_op_comes_once_by_number_the_earlier_first(
    numbers: list[list[int]], chance: random.Random
) -> None:
    parts = [part(*((n, chance.choice("abc")) for n in some_)) for some_ in numbers]
    each_once = dict.fromkeys((op.n, op.set["subject"]) for each in parts for op in each.ops)
    assert told(parts) == sorted(each_once, key=lambda op: op[0])


def test_records_in_order_are_held_one_at_a_time() -> None:
    """What is read ahead of what was told would have to fit into memory."""
    parts = [part(*((n, "x") for n in range(at * 10 + 1, at * 10 + 11))) for at in range(50)]
    index, loaded = Index(), []
    for place, each in enumerate(parts):
        index.note(0, place, each)

    def load(place: int) -> Part:
        loaded.append(place)
        return parts[place]

    for op in index.in_order(SOURCE, load):
        assert len(loaded) <= (op.n - 1) // 10 + 2
    assert loaded == list(range(50))


def test_work_sealed_again_behind_newer_work_comes_before_it() -> None:
    parts = [part((4, "four"), (5, "five")), part((1, "one"), (3, "three")), part((2, "two"), (4, "four"))]
    assert told(parts) == [(1, "one"), (2, "two"), (3, "three"), (4, "four"), (5, "five")]


def test_incarnations_and_files_are_apart() -> None:
    parts = [
        part((1, "a")),
        part((1, "b"), incarnation=SECOND),
        part((2, "c")),
        part(incarnation=b"empty..."),
    ]
    index = Index()
    parts.append(part((1, "of a copy")))
    for place, each in enumerate(parts):
        index.note(place // 4, place, each)
    assert index.sources() == [SOURCE, (DEVICE, SECOND, 0), (DEVICE, FIRST, 1)]
    given = {
        source[1:]: [(op.n, op.set["subject"]) for op in index.in_order(source, parts.__getitem__)]
        for source in index.sources()
    }
    assert given == {
        (FIRST, 0): [(1, "a"), (2, "c")],
        (SECOND, 0): [(1, "b")],
        (FIRST, 1): [(1, "of a copy")],
    }


@pytest.mark.parametrize("n", [0, -1, 2**53, 2**64 - 1])
def test_a_number_that_no_device_gives_is_refused(n: int) -> None:
    with pytest.raises(BadFrames):
        outbox_seal.read_part(codec.pack(part((n, "x"))))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 10_000])
@pytest.mark.parametrize(
    "tail", [b"", b"\0", b"\0\0\0\0rest", b"\xff\xff\xff\xff" + bytes(40), b"\0\0\1\0torn"]
)
def test_what_a_file_comes_to_is_the_same_in_pieces_of_any_size(tail: bytes, size: int) -> None:
    public = sealing.public_bytes(X25519PrivateKey.generate())
    frames = [
        frame
        for each in (part((1, "a")), part((2, "b" * 300)), part((3, "c")))
        for _ops, frame in outbox_seal.seal_ops(public, DEVICE, FIRST, each.ops)
    ]
    data = b"".join(frames) + tail
    measure = Measure()
    for at in range(0, len(data), size):
        measure.feed(data[at : at + size])
    assert measure.stated() == outbox_seal.measured(io.BytesIO(data))
    assert measure.stated().records == sum(1 for _record in outbox_seal.split(io.BytesIO(data))) == 3
    assert measure.stated().length == len(data)
