"""Two records about one customer made one, and taken apart again: which value stands, what moves, where the other went.

One act of several ops. The record that remains takes the values that were chosen and says which record was joined
into it; whatever refers to the other refers to it from then on; the other one is deleted. What an edit elsewhere wrote
to the other meanwhile is kept: an edit that this device had not seen keeps the record (docs/merge.md), and one that
comes later is kept in a conflict, which is told on the record that remains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from app.errors import AppError
from app.store import chosen, conflicts, phones, sight
from app.store.reader import Reader
from app.store.records import Batch, Record, batch, find_row
from app.store.schema import Shape, Stored
from app.store.store import Store
from sync.protocol.fields import Address, Field, Merge, Ref, Several, Tags, Value, notes_room
from sync.protocol.kinds import Kind, pairs
from sync.protocol.merge import DELETED, OPEN, SWAPPED, WHOLE_RECORD, Conflict
from sync.protocol.ops import Act
from sync.protocol.quiet import Quiet
from sync.protocol.rules import join_notes, stricter
from sync.protocol.texts import gettext as _

REMAINS: Final = "remains"
GONE: Final = "gone"
BOTH: Final = "both"


class Line(Quiet, frozen=True):
    """One field of two records: both values, and which of them stands; `fixed` where nobody chooses."""

    field: Field
    remains: Value
    gone: Value
    takes: str
    fixed: bool = False

    @property
    def differs(self) -> bool:
        """Whether there is something to see: two values, or one that the remaining record has not."""
        return bool(self.gone not in (None, "", []) and self.gone != self.remains)


class Moved(Quiet, frozen=True):
    """A reference that was moved: field `field` of a record."""

    kind: str
    id: bytes
    field: str


class Joined(Quiet, frozen=True):
    """A join that was made here, so that it can be taken back: what stood in the record that remains, what moved."""

    kind: str
    remains: bytes
    gone: bytes
    was: Mapping[str, Any]
    now: Mapping[str, Any]
    moved: tuple[Moved, ...]
    settled: tuple[bytes, ...] = ()


# --- what stands ---------------------------------------------------------------------------------------


def older(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """Which of two records remains unless somebody says otherwise: the one that was made first, with the other."""
    return (one, other) if one < other else (other, one)


def compared(store: Reader, remains: bytes, gone: bytes) -> list[Line]:
    """Every field of two records, with the value that stands unless somebody chooses. Raises NotFound, AppError."""
    shape, first, second = _two(store, remains, gone)
    newer = GONE if second.changed_ms > first.changed_ms else REMAINS
    return [_line(shape.kind, each, first, second, newer) for each in shape.kind.fields]


def _line(kind: Kind, field: Field, first: Stored, second: Stored, newer: str) -> Line:
    one, other = first.values.get(field.name), second.values.get(field.name)
    if isinstance(field.type, Ref) and field.type.to == kind.name:
        # Neither is part of the other any more.
        one = None if one == second.id else one
        other = None if other == first.id else other
    if other in (None, "", []) or one == other:
        return Line(field, one, other, REMAINS)
    if field.type.several or field.rule is Merge.NOTES:
        return Line(field, one, other, BOTH)
    if field.rule is Merge.STRICTER:
        tighter = one is None or stricter(kind, field.name, one, other)
        return Line(field, one, other, GONE if tighter else REMAINS, fixed=True)
    if one in (None, "", []):
        return Line(field, one, other, GONE)
    if field.rule is Merge.HOLD or field.name == "number":
        return Line(field, one, other, REMAINS)  # whose it is, and how far: no clock decides that
    if isinstance(field.type, Address) and (one.items() <= other.items() or other.items() <= one.items()):
        return Line(field, one, other, GONE if len(other) > len(one) else REMAINS)  # the fuller of both
    return Line(field, one, other, newer)


def value_of(line: Line) -> Value:
    """What a line comes to."""
    if line.takes == REMAINS:
        return line.remains
    if line.takes == GONE:
        return line.gone
    if isinstance(line.field.type, Tags):
        return sorted({*(line.remains or ()), *line.gone})
    if isinstance(line.field.type, Several):
        return _united(line.field.type, line.remains or [], line.gone)
    joined = join_notes(None, line.remains, line.gone)
    return joined if len(joined) <= notes_room(joined) else line.remains


def _united(type_: Several, one: list[Any], other: list[Any]) -> list[Any]:
    """Elements of both: one phone is there once, whatever signs it is written with."""

    def key(element: Mapping[str, Any]) -> str:
        text = str(element["value"]).strip().casefold()
        return phones.digits(text) or text if type_.of == "phone" else text

    there, ids = {key(each) for each in one}, {each["id"] for each in one}
    more = [each for each in other if key(each) not in there and each["id"] not in ids]
    return [*one, *more]


# --- the act -------------------------------------------------------------------------------------------


def join(store: Store, remains: bytes, gone: bytes, takes: Mapping[str, str] | None = None) -> Joined:
    """Make two records one; `takes` says by field which value stands, where that is not the one proposed.

    Raises NotFound, FieldProblem, NoSpace; AppError where they cannot be one.
    """
    lines = [chosen_line(line, (takes or {}).get(line.field.name)) for line in compared(store, remains, gone)]
    _refuse_hidden(store, find_row(store, remains)[0].kind)
    with batch(store) as one, one.one_act():
        shape, first = one.row(remains)
        _shape, second = one.row(gone)
        before = shape.cells(first)
        wanted = {line.field.name: value_of(line) for line in lines}
        cells = shape.kind.changes(before, {n: v for n, v in wanted.items() if first.values.get(n) != v})
        # Cells of a newer version, which this one cannot show, and what was joined into the other before.
        more = {c: v for c, v in second.ext.items() if c not in before and not c.startswith(pairs.APART)}
        more.pop(
            pairs.joined(remains), None
        )  # where they were joined the other way: nothing is part of itself
        cells = {**cells, **more, pairs.joined(gone): True}
        for cell in (pairs.joined(remains), pairs.apart(remains, gone)[1]):
            if before.get(cell):
                cells[cell] = None  # they were joined the other way, or called different
        was = {cell: before.get(cell) for cell in cells}
        _free(one, shape, second, first.id)
        low, cell = pairs.apart(remains, gone)
        if low == gone and second.ext.get(cell):
            one.put_cells(gone, {cell: None})
        # Said anew where it stands already: whoever takes the former join back does not take this one back with it.
        one.put_cells(remains, cells, always=pairs.joined(gone))
        moved = tuple(_move(store, one, shape.kind, gone, remains))
        held = _held_deletes(store, gone)
        settled = [each.id for each in held]
        for each in held:
            chosen.end(store.db, each, store.clock(), waiting=True)
        left = chosen.open_ones(store.db, gone)
        one.settle(gone, Act.DELETE, {}, dict.fromkeys(settled, SWAPPED), open_ones=left)
    return Joined(shape.kind.name, remains, gone, was, cells, moved, tuple(settled))


def chosen_line(line: Line, takes: str | None) -> Line:
    """A line as somebody wants it; where nobody chooses, as it was."""
    if takes is None or line.fixed or (takes == BOTH and not may_be_both(line)):
        return line
    return Line(line.field, line.remains, line.gone, takes)


def may_be_both(line: Line) -> bool:
    """Whether both values of a field can stand: several of them, or texts one below the other."""
    return line.field.type.several or line.field.rule is Merge.NOTES


def _free(one: Batch, shape: Shape, second: Stored, remains: bytes) -> None:
    """What is part of the record that remains cannot have it below itself: the other lets go of it first."""
    for field in shape.kind.upward:
        if second.values.get(field.name) == remains:
            one.put_cells(second.id, {field.name: None})


def _move(store: Store, one: Batch, kind: Kind, gone: bytes, remains: bytes) -> Iterable[Moved]:
    """Have whatever refers to the one refer to the other."""
    found: list[Moved] = []
    for shape in store.shapes.values():
        for field in shape.kind.fields:
            if not isinstance(field.type, Ref) or field.type.to != kind.name:
                continue
            asked = f'SELECT _id FROM "{shape.table}" WHERE "{field.name}" = ? AND _deleted = 0 ORDER BY _id'
            for (id_,) in store.db.all(asked, (gone,)):
                if id_ not in (remains, gone):
                    one.put_cells(id_, {field.name: remains})
                    found.append(Moved(shape.kind.name, id_, field.name))
    return found


def _held_deletes(store: Reader, gone: bytes) -> list[Conflict]:
    """Open conflicts that keep a delete of this record: joining it once more settles them."""
    met = [each.conflict for each in conflicts.open_conflicts(store, record=gone)]
    return [each for each in met if each.cell == WHOLE_RECORD and each.kept == DELETED]


def take_apart(store: Store, made: Joined) -> None:
    """Take a join back: both records as they were, and what moved back again; what changed since stays.

    Raises NotFound, FieldProblem, NoSpace.
    """
    with batch(store) as one, one.one_act():
        _shape, gone = one.row(made.gone)
        if gone.deleted:
            for id_ in made.settled:
                chosen.reopen(store.db, id_)
            left = chosen.open_ones(store.db, made.gone)
            one.settle(made.gone, Act.UNDELETE, {}, dict.fromkeys(made.settled, OPEN), open_ones=left)
        for each in made.moved:
            shape, stored = one.row(each.id)
            if stored.values.get(each.field) == made.remains and not stored.deleted:
                one.put_cells(each.id, {each.field: made.gone})
        shape, first = one.row(made.remains)
        here = shape.cells(first)
        one.put_cells(made.remains, {c: made.was[c] for c in made.now if here.get(c) == made.now[c]})


def bring_back(store: Store, id_: bytes) -> Record:
    """Take a deleted record back; one that was joined is then part of no other any more; what moved stays there.

    Raises NotFound, NoSpace.
    """
    with batch(store) as one, one.one_act():
        back = one.undelete(id_)
        for (remains,) in store.db.all("SELECT remains FROM joined WHERE gone = ?", (id_,)):
            one.put_cells(remains, {pairs.joined(id_): None})
    return back


# --- different -----------------------------------------------------------------------------------------


def set_apart(store: Store, one: bytes, other: bytes, *, different: bool = True) -> None:
    """Say of two records, for everybody who has both, that they are different; or take that back.

    Raises NotFound, NoSpace; AppError where they are not of one kind.
    """
    _two(store, one, other)
    low, cell = pairs.apart(one, other)
    high = other if low == one else one
    with batch(store) as made, made.one_act():
        made.put_cells(low, {cell: True if different else None})
        for each, with_ in ((low, high), (high, low)):
            _shape, stored = made.row(each)
            if different and stored.ext.get(pairs.joined(with_)):
                made.put_cells(
                    each, {pairs.joined(with_): None}
                )  # joined, kept all the same, and now told apart


def _two(store: Reader, one: bytes, other: bytes) -> tuple[Shape, Stored, Stored]:
    """Two kept records that may be one. Raises NotFound, AppError."""
    (shape, first), (others, second) = find_row(store, one), find_row(store, other)
    if shape is not others or one == other or not shape.kind.alike:
        raise AppError(
            _("These two cannot be one record."),
            _("Only two customers, or two contacts, can be about the same one."),
        )
    if first.deleted or second.deleted:
        raise AppError(_("This record is deleted."), _("Take it back with “undelete” first."))
    return shape, first, second


def _refuse_hidden(store: Reader, kind: Kind) -> None:
    """Nobody can say what becomes of values that they do not see. Raises AppError."""
    if sight.hidden(store, kind):
        raise AppError(
            _("Part of these records is hidden on this device, so they cannot be joined here."),
            _("Ask somebody who sees the whole of both."),
        )
