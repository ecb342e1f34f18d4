"""How a record lies in its row of the database, and is read off it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sync.protocol.merge import Mark, Row
from sync.server.access import Scope
from sync.server.db.kept import Held, Trace

_PACK = msgspec.msgpack.Encoder()
_CELLS = msgspec.msgpack.Decoder(dict[str, Any])
_MARKS = msgspec.msgpack.Decoder(list[tuple[Mark, list[str]]])

HELD = (
    "SELECT kind, id, ver, cells, marks, deleted, scope_person, scope_team, owner, creator, device, "
    "incarnation, person, hlc, subject, territory FROM record WHERE id"
)


def held_of(row: Any) -> Held:
    """The record that a row of `HELD` spells."""
    return Held(
        row=Row(row[0], row[1], row[2], _CELLS.decode(row[3]), _unpack_marks(row[4]), bool(row[5])),
        scope=Scope(row[6], row[7], row[15] or ""),
        owner=row[8],
        creator=row[9],
        device=row[10],
        incarnation=row[11],
        person=row[12],
        hlc=row[13],
        subject=row[14],
    )


def pack_marks(marks: Mapping[str, Mark]) -> bytes:
    """Marks with the cells that carry them: most cells of a row were written together."""
    groups: dict[Mark, list[str]] = {}
    for cell, mark in marks.items():
        groups.setdefault(mark, []).append(cell)
    return _PACK.encode(list(groups.items()))


def _unpack_marks(data: bytes) -> dict[str, Mark]:
    return {cell: mark for mark, cells in _MARKS.decode(data) for cell in cells}


def trace_of(row: Any) -> Trace:
    """What is remembered of one change: record, number, whose it was before, and the device."""
    _record, number, person, team, territory, device = row
    return Trace(number, None if person is None else Scope(person, team, territory or ""), device)
