"""An op is one edit of one record: what an outbox row holds and what travels upward."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from sync.protocol.codec import pack

_STAMP_BYTES: Final = 8
_SAID_BYTES: Final = 8
PRINT_BYTES: Final = _STAMP_BYTES + _SAID_BYTES


class Act(enum.StrEnum):
    """What an op does."""

    ADD = "add"
    SET = "set"
    DELETE = "delete"
    UNDELETE = "undelete"


class Op(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One edit. `n` is contiguous per device and incarnation.

    `base` is the version (server sequence) of the row its author saw, 0 for a record the server has not
    numbered yet. `set` holds the cells written (None empties a cell), `was` what they held before, so that a
    conflict can be shown without history. `first` is the `n` of the first op of the same act of the person:
    ops of one act are taken together. `origin` is the id of the op this one repeats after a recovery. `settles` says
    of conflicts of the record, by id, what its author chose (settling.py); who does not know it passes it over.
    `ver` is the number that it had in a history that the server has lost since; 0 for one sent for the first time.
    """

    n: int
    kind: str
    id: bytes
    act: Act
    hlc: int
    base: int = 0
    set: dict[str, Any] = {}
    was: dict[str, Any] = {}
    first: int = 0
    origin: tuple[bytes, bytes, int] | None = None
    settles: dict[bytes, str] = {}
    ver: int = 0


def print_of(op: Op) -> bytes:
    """What tells an op from every other of its device, 16 bytes: when it was made, and a digest of what it says.

    The number does not: two copies of one device give the same numbers out, and a queue that is numbered anew is the
    same work. The stamp stands first, so that the prints of a device rise as its work goes on.
    """
    about = (op.kind, op.id, op.act)
    try:
        # Two people may keep what stands of two conflicts of one record, and both their clocks follow a third one.
        said = pack((*about, op.set, op.settles) if op.settles else (*about, op.set))
    except RecursionError:  # nested beyond all use: such an op is refused by whoever takes it
        said = pack(about)
    stamp: bytes = (op.hlc % 256**_STAMP_BYTES).to_bytes(_STAMP_BYTES, "big")
    return stamp + hashlib.sha256(said).digest()[:_SAID_BYTES]


def lay(cells: Mapping[str, Any], deleted: bool, ops: Iterable[Op]) -> tuple[dict[str, Any], bool]:
    """A server row with waiting ops laid on top: what the author sees until the server answers.

    Of a row that was deleted before this device knew it, nothing is here: it comes back with the server's answer.
    """
    shown = dict(cells)
    for op in ops:
        if op.act is Act.DELETE:
            deleted = True
        elif op.act is Act.UNDELETE:
            deleted = deleted and not shown
        for cell, value in op.set.items():
            if value is None:
                shown.pop(cell, None)
            else:
                shown[cell] = value
    return shown, deleted
