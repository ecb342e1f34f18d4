"""An op is one edit of one record: what an outbox row holds and what travels upward."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


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
    ops of one act are taken together. `origin` is the id of the op this one repeats after a recovery.
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


def lay(cells: Mapping[str, Any], deleted: bool, ops: Iterable[Op]) -> tuple[dict[str, Any], bool]:
    """A server row with waiting ops laid on top: what the author sees until the server answers."""
    shown = dict(cells)
    for op in ops:
        if op.act is Act.DELETE:
            deleted = True
        elif op.act is Act.UNDELETE:
            deleted = False
        for cell, value in op.set.items():
            if value is None:
                shown.pop(cell, None)
            else:
                shown[cell] = value
    return shown, deleted
