"""A person's choice between two values that met, and taking it back: an op that also says what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from app.errors import NotFound
from app.store import chosen, joined
from app.store.reader import Reader
from app.store.records import Batch, batch
from app.store.schema import Shape, Stored
from app.store.store import Store
from sync.protocol.merge import DELETED, KEPT, OPEN, SWAPPED, WHOLE_RECORD, Conflict
from sync.protocol.ops import Act
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _

__all__ = ["KEPT", "SWAPPED", "Settled"]


class Settled(Quiet, frozen=True):
    """A choice that was made here: what it did to which record, so that it can be taken back."""

    conflict: bytes
    kind: str
    record: bytes
    choice: str
    act: Act
    cells: Mapping[str, Any]
    was: Mapping[str, Any]
    remains: bytes = b""  # of a record that was joined: the one that took the value


def settle(store: Store, id_: bytes, choice: str) -> Settled:
    """Settle an open conflict: keep what stands, or take the other. Raises NotFound, FieldProblem, NoSpace."""
    with batch(store) as one:
        conflict = _open(store, id_)
        shape, stored = one.row(conflict.record)
        remains = joined.remains_of(store, conflict.record) if stored.deleted else conflict.record
        if remains != conflict.record and choice == SWAPPED and conflict.cell != WHOLE_RECORD:
            return _given_on(store, one, conflict, remains)
        act, cells = _asked(shape, stored, conflict, choice)
        here = shape.cells(stored)
        was = {cell: here.get(cell) for cell in cells}
        chosen.end(store.db, conflict, store.clock(), waiting=True)
        left = chosen.open_ones(store.db, conflict.record)
        one.settle(conflict.record, act, cells, {id_: choice}, open_ones=left)
        return Settled(id_, conflict.kind, conflict.record, choice, act, cells, was)


def _given_on(store: Store, one: Batch, conflict: Conflict, remains: bytes) -> Settled:
    """Take the value of a record that was joined meanwhile into the one that remains; the other stays deleted."""
    shape, stored = one.row(remains)
    cells = {conflict.cell: conflict.kept}
    was = {conflict.cell: shape.cells(stored).get(conflict.cell)}
    with one.one_act():
        one.put_cells(remains, cells)
        chosen.end(store.db, conflict, store.clock(), waiting=True)
        left = chosen.open_ones(store.db, conflict.record)
        one.settle(conflict.record, Act.SET, {}, {conflict.id: KEPT}, open_ones=left)
    return Settled(conflict.id, conflict.kind, conflict.record, SWAPPED, Act.SET, cells, was, remains)


def reopen(store: Store, made: Settled) -> None:
    """Take a choice back: the record as it was, the conflict open again. Raises NotFound, FieldProblem, NoSpace.

    What was changed again meanwhile stays as it is.
    """
    with batch(store) as one, one.one_act():
        if made.remains:
            shape, stored = one.row(made.remains)
            here = shape.cells(stored)
            one.put_cells(
                made.remains, {c: made.was[c] for c, value in made.cells.items() if here.get(c) == value}
            )
        shape, stored = one.row(made.record)
        here = shape.cells(stored)
        act, cells = Act.SET, {}
        if made.act is Act.DELETE and stored.deleted:
            act = Act.UNDELETE
        elif made.act is Act.UNDELETE and not stored.deleted:
            act = Act.DELETE
        elif made.act is Act.SET and made.choice == SWAPPED and not (stored.deleted or made.remains):
            cells = {c: made.was.get(c) for c, value in made.cells.items() if here.get(c) == value}
        chosen.reopen(store.db, made.conflict)
        left = chosen.open_ones(store.db, made.record)
        one.settle(made.record, act, cells, {made.conflict: OPEN}, open_ones=left)


def _asked(shape: Shape, stored: Stored, conflict: Conflict, choice: str) -> tuple[Act, dict[str, Any]]:
    """What a choice does to the record as it stands now (sync/protocol/settling.py has the table)."""
    cell, deleted = conflict.cell, stored.deleted
    if cell == WHOLE_RECORD:
        wanted = (conflict.kept == DELETED) is (choice == SWAPPED)
        if choice == KEPT or wanted is deleted:
            return Act.SET, {}
        return (Act.DELETE if wanted else Act.UNDELETE), {}
    if choice == KEPT:
        return Act.SET, {} if deleted else {cell: shape.cells(stored).get(cell)}
    return (Act.UNDELETE if deleted else Act.SET), {cell: conflict.kept}


def _open(store: Reader, id_: bytes) -> Conflict:
    row = store.db.first("SELECT body FROM conflict WHERE id = ?", (id_,))
    if row is None:
        raise NotFound(
            _("This conflict is not open any more."), _("Somebody settled it; the record shows what stands.")
        )
    return msgspec.msgpack.decode(row[0], type=Conflict)
