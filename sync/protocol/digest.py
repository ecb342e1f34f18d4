"""Digests of records, by which a device and the server see where they differ without sending what they hold.

A record falls into one of 256 buckets by a hash of its id. What a bucket holds is told by the sum of its records'
digests: it can be added up piece by piece, in any order, and needs no memory but the sums.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from sync.protocol.errors import BadFrames
from sync.protocol.ids import ID_BYTES
from sync.protocol.texts import gettext as _

BUCKETS: Final = 256

_ORDERED: Final = msgspec.msgpack.Encoder(order="deterministic")
_ENCODER: Final = msgspec.msgpack.Encoder()
_HEAD: Final = struct.Struct(">QB")
_SUMS: Final = struct.Struct(f">{BUCKETS}Q")
_ENTRY: Final = struct.Struct(f">{ID_BYTES}sQQ")
_MASK: Final = 2**64 - 1


class Entry(NamedTuple):
    """One record of a bucket."""

    id: bytes
    ver: int
    digest: int


def bucket_of(id_: bytes) -> int:
    """The bucket of a record."""
    return zlib.crc32(id_) % BUCKETS


def digest_of(id_: bytes, ver: int, cells: Mapping[str, Any] | None) -> int:
    """The digest of a record as a person sees it; `cells` is None for one that is deleted.

    Cells without a value count as not there, and the order of cells and of their parts does not matter.
    """
    data = b""
    if cells is not None:
        data = _ordered({cell: value for cell, value in cells.items() if value is not None})
    said = id_ + _HEAD.pack(ver, cells is None) + data
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big")


def _ordered(cells: dict[str, Any]) -> bytes:
    try:
        return _ORDERED.encode(cells)
    except TypeError:
        # Values that no store takes any more, such as a map whose keys are of several types: in whatever order.
        return _ENCODER.encode(_sorted(cells))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((_ENCODER.encode(_sorted(key)), _sorted(each)) for key, each in value.items())
    return [_sorted(each) for each in value] if isinstance(value, (list, tuple)) else value


class Sums:
    """What the buckets hold, added up."""

    def __init__(self) -> None:
        self.digests = [0] * BUCKETS
        self.counts = [0] * BUCKETS

    def add(self, id_: bytes, digest: int) -> None:
        """One record more."""
        at = zlib.crc32(id_) % BUCKETS
        self.digests[at] = (self.digests[at] + digest) & _MASK
        self.counts[at] += 1

    def add_packed(self, data: bytes) -> None:
        """What `packed` gave for other records. Raises BadFrames."""
        if len(data) != _SUMS.size:
            raise _unfit()
        for at, digest in enumerate(_SUMS.unpack(data)):
            self.digests[at] = (self.digests[at] + digest) & _MASK

    def packed(self) -> bytes:
        """The sums as they travel."""
        return _SUMS.pack(*self.digests)

    def differing(self, other: Sums) -> list[int]:
        """The buckets whose sums are not equal."""
        pairs = zip(self.digests, other.digests, strict=True)
        return [at for at, (mine, theirs) in enumerate(pairs) if mine != theirs]


def pack_entries(entries: Iterable[Entry]) -> bytes:
    """Entries as they travel."""
    return b"".join(_ENTRY.pack(*entry) for entry in entries)


def entries_of(data: bytes) -> Iterator[Entry]:
    """What `pack_entries` packed. Raises BadFrames."""
    if len(data) % _ENTRY.size:
        raise _unfit()
    return map(Entry._make, _ENTRY.iter_unpack(data))


def _unfit() -> BadFrames:
    return BadFrames(
        _("A message arrived damaged and was not used."), _("It is asked for again at the next exchange.")
    )
