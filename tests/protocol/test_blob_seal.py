"""The bytes of an attached file: what goes in comes out, and nothing that was changed, cut, doubled or moved opens."""

from __future__ import annotations

import hashlib
import io
import os
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import blob_seal
from sync.protocol.blob_seal import PIECE, BlobDamaged, TooLarge, blob_size
from tests.protocol.strategies import tries

KEY = bytes(range(32))
WHOLE = PIECE + 16
HEAD = 11


def sealed(plain: bytes, key: bytes = KEY) -> bytes:
    target = io.BytesIO()
    digest, size = blob_seal.seal(io.BytesIO(plain), target, key)
    assert (digest, size) == (hashlib.sha256(target.getvalue()).digest(), len(plain))
    return target.getvalue()


def opened(blob: bytes, key: bytes = KEY) -> bytes:
    return b"".join(blob_seal.opened(io.BytesIO(blob), key))


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 5, 5 * PIECE - 1])
def test_what_goes_in_comes_out(size: int) -> None:
    plain = os.urandom(size)
    blob = sealed(plain)
    assert len(blob) == blob_size(size)
    assert opened(blob) == plain
    assert sealed(plain) != blob  # under the same key, too


@tries(60)
@given(st.binary(max_size=200), st.data())
def test_no_changed_byte_opens(plain: bytes, data: Any) -> None:
    blob = bytearray(sealed(plain))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BlobDamaged):
        opened(bytes(blob))


def test_no_cut_doubled_moved_or_foreign_piece_opens() -> None:
    plain = os.urandom(3 * PIECE + 9)
    blob = sealed(plain)
    edges = [0, HEAD, *(HEAD + n * WHOLE for n in (1, 2, 3)), len(blob)]
    parts = [blob[one:other] for one, other in pairwise(edges)]
    head, one, two, three, last = parts
    other = sealed(plain)
    for wrong in (
        b"", head, blob[:-1], head + one + two + three, head + one + three + two + last,
        head + two + one + three + last,
        head + one + one + two + three + last, head + one + two + last, head + last, blob + b"x", blob + last,
        head + other[HEAD:], b"FKB2" + blob[4:],
    ):  # fmt: skip
        with pytest.raises(BlobDamaged):
            opened(wrong)
    with pytest.raises(BlobDamaged):
        opened(blob, bytes(32))


def test_what_is_damaged_behind_its_beginning_gives_no_byte_of_the_damaged_piece() -> None:
    plain = os.urandom(2 * PIECE)
    blob = bytearray(sealed(plain))
    blob[-1] ^= 1
    came: list[bytes] = []
    with pytest.raises(BlobDamaged):
        came.extend(blob_seal.opened(io.BytesIO(bytes(blob)), KEY))
    assert b"".join(came) in (b"", plain[:PIECE])


def test_a_source_that_gives_little_at_once_is_sealed_the_same() -> None:
    class Slow(io.BytesIO):
        def read(self, most: int | None = -1, /) -> bytes:
            return super().read(min(1_000, most if most is not None and most > 0 else 1_000))

    plain = os.urandom(PIECE + 77)
    target = io.BytesIO()
    _digest, size = blob_seal.seal(Slow(plain), target, KEY)
    assert (size, opened(target.getvalue())) == (len(plain), plain)


def test_a_file_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_seal, "SIZE_MAX", 3 * PIECE)
    source = io.BytesIO(bytes(9 * PIECE))
    with pytest.raises(TooLarge) as caught:
        blob_seal.seal(source, io.BytesIO(), KEY)
    assert caught.value.hint
    assert source.tell() <= 5 * PIECE
