"""The hash tree of RFC 6962 over a list that only grows: its root, and proofs that it has only grown.

Who keeps a size and a root can tell later, from a few hashes, whether the list still begins with what it held then; and
whether an entry is in it. Leaves and nodes are hashed apart (0x00, 0x01), so that no node passes for an entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

HASH_BYTES: Final = 32
PROOF_MAX: Final = 2 * 64  # hashes of a proof, for any list that there can be

_EMPTY: Final = hashlib.sha256(b"").digest()


def leaf(entry: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over the hashes of entries."""
    if not leaves:
        return _EMPTY
    level = list(leaves)
    while len(level) > 1:
        paired = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def inclusion(leaves: Sequence[bytes], at: int) -> list[bytes]:
    """The proof that the entry at this place is in the list."""
    if len(leaves) <= 1:
        return []
    half = _half(len(leaves))
    if at < half:
        return [*inclusion(leaves[:half], at), root(leaves[half:])]
    return [*inclusion(leaves[half:], at - half), root(leaves[:half])]


def includes(size: int, whole: bytes, at: int, entry: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a list of that size and root has this entry, by its hash, at this place."""
    if not 0 <= at < size or not _sound(proof):
        return False
    place, last, found = at, size - 1, entry
    for other in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = _node(other, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = _node(found, other)
        place, last = place >> 1, last >> 1
    return last == 0 and found == whole


def consistency(leaves: Sequence[bytes], before: int) -> list[bytes]:
    """The proof that the list still begins with the first `before` of its entries."""
    return _grown(leaves, before, whole=True) if 0 < before < len(leaves) else []


def has_grown(before: int, old: bytes, after: int, new: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a list of size and root `after`, `new` begins with the one of `before`, `old`. Nothing proves less."""
    if not 0 <= before <= after or not _sound(proof):
        return False
    if before == after:
        return not proof and old == new
    if before == 0:
        return not proof and old == _EMPTY
    hashes = list(proof)
    if before & (before - 1) == 0:  # a power of two: its own root is the first of the hashes
        hashes.insert(0, old)
    if not hashes:
        return False
    place, last = before - 1, after - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    was = now = hashes[0]
    for other in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            was, now = _node(other, was), _node(other, now)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            now = _node(now, other)
        place, last = place >> 1, last >> 1
    return last == 0 and was == old and now == new


def _grown(leaves: Sequence[bytes], before: int, *, whole: bool) -> list[bytes]:
    if before == len(leaves):
        return [] if whole else [root(leaves)]
    half = _half(len(leaves))
    if before <= half:
        return [*_grown(leaves[:half], before, whole=whole), root(leaves[half:])]
    return [*_grown(leaves[half:], before - half, whole=False), root(leaves[:half])]


def _half(size: int) -> int:
    """The largest power of two below a size of two or more."""
    return int(1 << (size - 1).bit_length() - 1)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _sound(proof: Sequence[bytes]) -> bool:
    return len(proof) <= PROOF_MAX and all(len(each) == HASH_BYTES for each in proof)
