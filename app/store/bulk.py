"""Acts on many records, a piece at a time: each piece is one transaction, and what it did can be taken back.

Nothing of a piece is kept in memory but the numbers of its ops. They tell what each record was before, in the
outbox while they wait and in the archive after that; so a million changes are undone from a few numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from app.errors import NotFound
from app.store import narrowing, outbox, rows
from app.store.filters import ALL, Filter
from app.store.records import Batch
from app.store.rows import CHUNK, marks
from app.store.rowset import RowSet
from app.store.schema import NUMBER, Shape, Stored
from app.store.store import Store
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Choice, Date, Field, Flag, Integer, Money, Person, Ref, Tags, Text, Value
from sync.protocol.kinds import Kind
from sync.protocol.ops import Act, Op
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _

TAKEN: Final = 20_000  # rowids looked up at once
_SETTABLE: Final = (Choice, Person, Flag, Date, Integer, Money, Ref, Tags, Text)


class Selection(Quiet, frozen=True):
    """Records of a kind: all of a filter but `rows`, or `rows` alone. `last` is the highest rowid that may belong.

    `count` is how many they were when they were chosen.
    """

    kind: Kind
    every: bool
    rows: RowSet
    filter: Filter = ALL
    last: int = 0
    count: int = 0


class Setting(Quiet, frozen=True):
    """A field to be set, None to empty it; tags are added to those that are there."""

    field: str
    value: Value


Deed = Setting | None  # None: delete

Span = tuple[bytes, int, int]  # incarnation, first and last number of ops that are one act


class Did(msgspec.Struct):
    """What a piece came to: changed records, the ops that did it, and why others were left, with how many."""

    ids: list[bytes] = msgspec.field(default_factory=list)
    span: Span | None = None
    same: int = 0
    left: dict[str, int] = msgspec.field(default_factory=dict)

    __repr__ = object.__repr__

    def leave(self, why: str) -> None:
        """One more record was left as it is."""
        self.left[why] = self.left.get(why, 0) + 1


Noted = Callable[[Did], None]  # hears of a piece in its own transaction, before that is committed


def not_noted(_did: Did) -> None:
    """Nobody has to remember it."""


def settable(kind: Kind) -> list[Field]:
    """The fields that may be set for many records at once: never what tells one record from another."""
    own = {kind.title, NUMBER, "tax_number"}
    return [f for f in kind.fields if f.name not in own and isinstance(f.type, _SETTABLE)]


def taken(store: Store, selection: Selection, after: int) -> tuple[array[int], int]:
    """The next rowids of a selection after one, and after which to go on; 0 at the end."""
    if not selection.every:
        found = selection.rows.after(after, TAKEN)
        return found, found[-1] if len(found) == TAKEN else 0
    shape = store.shapes[selection.kind.name]
    until = after + narrowing.SPAN
    found = narrowing.scan(store, shape, selection.filter, after + 1, min(until, selection.last))
    if len(selection.rows):
        found = array("q", (rowid for rowid in found if rowid not in selection.rows))
    return found, until if until < selection.last else 0


def do(store: Store, kind: Kind, rowids: Sequence[int], deed: Deed, note: Noted = not_noted) -> Did:
    """Set a field of these records, or delete them; in one transaction. Raises NoSpace, and then did nothing."""
    did = Did()
    with store.writing() as writing:
        batch = Batch(writing)
        first = writing.next_n
        shape = store.shapes[kind.name]
        for stored in _rows(store, shape, rowids):
            batch.know(shape, [stored])
            before = writing.next_n
            if stored.deleted and deed is not None:
                did.leave(_("It is deleted."))
                continue
            try:
                if deed is None:
                    batch.delete(stored.id)
                else:
                    batch.edit(stored.id, {deed.field: _value(kind, stored.values, deed)})
            except FieldProblem as problem:  # told before anything of the record is written
                did.leave(problem.title)
                continue
            if writing.next_n == before:
                did.same += 1
            else:
                did.ids.append(stored.id)
        if did.ids:
            did.span = (writing.incarnation, first, writing.next_n - 1)
        note(did)
    return did


def _rows(store: Store, shape: Shape, rowids: Sequence[int]) -> Iterator[Stored]:
    """The rows of these rowids in their order; those that are gone are left out."""
    for at in range(0, len(rowids), CHUNK):
        some = tuple(rowids[at : at + CHUNK])
        asked = f"{shape.select} WHERE _rowid IN ({marks(len(some))})"
        found = {row[0]: row for row in store.db.all(asked, some)}
        yield from (shape.stored(found[rowid]) for rowid in some if rowid in found)


def _value(kind: Kind, values: dict[str, Value], deed: Setting) -> Value:
    if isinstance(kind.by_name[deed.field].type, Tags) and deed.value is not None:
        return sorted({*(values.get(deed.field) or ()), *deed.value})
    return deed.value


def undo(
    store: Store, span: Span, most: int, note: Callable[[Did, Span | None], None] | None = None
) -> tuple[Did, Span | None]:
    """Take back the last ops of a span, at most so many, and what is left of it; in one transaction.

    A record that was changed again meanwhile is left as it is. Raises NoSpace, and then did nothing.
    """
    incarnation, first, last = span
    did = Did()
    begin = max(first, last - most + 1)
    ops = _ops(store, (incarnation, begin, last))
    with store.writing() as writing:
        batch = Batch(writing)
        start = writing.next_n
        for kind in {op.kind for op in ops} & set(store.shapes):
            shape = store.shapes[kind]
            batch.know(shape, rows.fetch(store.db, shape, {op.id for op in ops if op.kind == kind}).values())
        for op in reversed(ops):
            try:
                took = _take_back(batch, op)
            except FieldProblem as problem:
                did.leave(problem.title)
                continue
            if took:
                did.ids.append(op.id)
            else:
                did.same += 1
        did.same += last - begin + 1 - len(ops)
        if did.ids:
            did.span = (writing.incarnation, start, writing.next_n - 1)
        rest = (incarnation, first, begin - 1) if begin > first else None
        if note is not None:
            note(did, rest)
    return did, rest


def _ops(store: Store, span: Span) -> list[Op]:
    """Ops by their numbers: those that wait, and those that the server has taken; refused ones did nothing."""
    incarnation, first, last = span
    found: list[Op] = []
    if incarnation == store.incarnation:
        waiting = store.db.all("SELECT op FROM outbox WHERE n >= ? AND n <= ?", (first, last))
        found += [outbox.op_of(data) for (data,) in waiting]
    kept = store.db.all(
        "SELECT op FROM op_archive WHERE incarnation = ? AND n >= ? AND n <= ?", (incarnation, first, last)
    )
    found += [outbox.op_of(data) for (data,) in kept]
    return sorted(found, key=lambda op: op.n)


def _take_back(batch: Batch, op: Op) -> bool:
    """Whether there was anything to take back."""
    try:
        shape, stored = batch.row(op.id)
    except NotFound:
        return False
    if op.act is Act.DELETE:
        if stored.deleted:
            batch.undelete(op.id)
        return stored.deleted
    cells = shape.cells(stored)
    if stored.deleted or any(cells.get(cell) != value for cell, value in op.set.items()):
        return False
    was: dict[str, Any] = {cell: value for cell, value in {**cells, **op.was}.items() if value is not None}
    names = {cell.partition("/")[0] for cell in op.set}
    values = shape.kind.values({c: v for c, v in was.items() if c.partition("/")[0] in names})
    batch.edit(op.id, {name: values.get(name) for name in names if name in shape.kind.by_name})
    return True
