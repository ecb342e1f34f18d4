"""What the recovery key finds in sealed records, in one piece, for tests to compare with."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.protocol import outbox_seal
from sync.protocol.ops import Op


def open_records(sealed: Iterable[bytes], private: X25519PrivateKey) -> dict[tuple[bytes, bytes], list[Op]]:
    """The ops of sealed records of one file by device and incarnation, in order of their numbers."""
    parts = [outbox_seal.open_record(record, private) for record in sealed]
    index = outbox_seal.Index()
    for place, part in enumerate(parts):
        index.note(0, place, part)
    return {source[:2]: list(index.in_order(source, parts.__getitem__)) for source in index.sources()}
