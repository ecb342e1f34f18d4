"""The orders of a list: what each goes by, the index that holds it, and walks along it that never sort or scan.

An order is a field's name, "" for the title or "changed" for the last change, with "-" before it for the other
way round. Empty fields come last in both directions, records of one value in the order of their rowids.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.store.reader import Reader
from app.store.rows import CHUNK, marks
from app.store.schema import Shape, index_name, order_column, orders_of
from sync.protocol.fields import Address, Choice, Date, Field, Ref, Several, Tags

CHANGED: Final = "changed"  # not a field: when the record was changed last
STEP: Final = 20_000  # rowids read in one question

After = tuple[Any, int]  # the value and the rowid of the last row before


class Sort(msgspec.Struct, frozen=True):
    """An order: by which expression, which way, whether it can be empty, and the index that holds it ("": none)."""

    by: str
    down: bool
    may_be_empty: bool
    index: str = ""

    @property
    def way(self) -> str:
        """The direction in SQL."""
        return "DESC" if self.down else "ASC"

    @property
    def sign(self) -> str:
        """How what comes later compares."""
        return "<" if self.down else ">"

    def precedes(self, one: After, other: After) -> bool:
        """Whether a row comes before another; only for orders that an index holds, whose values compare plainly."""
        if (one[0] is None) != (other[0] is None):
            return other[0] is None
        a, b = (one[1], other[1]) if one[0] == other[0] else (one[0], other[0])
        return bool(a > b) if self.down else bool(a < b)


def sort_of(store: Reader, shape: Shape, order: str) -> Sort:
    """An order by its name. Raises FieldProblem for a field that the kind does not have."""
    down = order.startswith("-")
    name = order.removeprefix("-")
    title = shape.kind.title
    if name != CHANGED:
        name = shape.kind.field(name).name if name else title
    held = "" if name == title else name
    index = index_name(shape, held) if held in orders_of(shape.kind) else ""
    if name == CHANGED:
        return Sort("_changed_ms", down, may_be_empty=False, index=index)
    if name == title:
        return Sort("_key", down, may_be_empty=False, index=index)
    return Sort(_expression(store, shape, shape.kind.by_name[name]), down, may_be_empty=True, index=index)


def _expression(store: Reader, shape: Shape, field: Field) -> str:
    """What a field is ordered by."""
    column = f'"{shape.table}"."{field.name}"'
    type_ = field.type
    if isinstance(type_, Ref):
        other = store.shapes[type_.to].table
        return f'(SELECT o._key FROM "{other}" o WHERE o._id = {column})'
    if isinstance(type_, Choice):
        if field.name in orders_of(shape.kind):
            return f'"{shape.table}"."{order_column(field)}"'
        places = " ".join(f"WHEN '{word}' THEN {place}" for place, word in enumerate(type_.values))
        return f"(CASE {column} {places} END)"
    if isinstance(type_, Address):
        return f"json_extract({column}, '$.city') COLLATE NOCASE"
    if isinstance(type_, Tags):
        return f"json_extract({column}, '$[0]') COLLATE NOCASE"
    if isinstance(type_, Several):
        return f"json_extract({column}, '$[0].value') COLLATE NOCASE"
    if type_.sql[0][1] == "TEXT" and not isinstance(type_, Date):
        return f"{column} COLLATE NOCASE"
    return column


# A part of a walk: a condition, its values, and what it is ordered by beside the rowid ("": that alone).
Stretch = tuple[str, tuple[Any, ...], str]


def stretches(sort: Sort, after: After | None) -> list[Stretch]:
    """What is left of a walk after a row: its value's other rows, then later values, then empty ones.

    As three questions, since one over both columns is answered from the beginning of the value.
    """
    found: list[Stretch] = []
    if after is None:
        there = f"({sort.by}) IS NOT NULL" if sort.may_be_empty else "1"
        found.append((there, (), sort.by))
    elif after[0] is not None:
        value, rowid = after
        found.append((f"({sort.by}) = ? AND _rowid {sort.sign} ?", (value, rowid), ""))
        found.append((f"({sort.by}) {sort.sign} ?", (value,), sort.by))
    if sort.may_be_empty:
        if after is not None and after[0] is None:
            found.append((f"({sort.by}) IS NULL AND _rowid {sort.sign} ?", (after[1],), ""))
        else:
            found.append((f"({sort.by}) IS NULL", (), ""))
    return found


def statement(select: str, sort: Sort, stretch: Stretch, condition: str) -> str:
    """One stretch as a question; its last value is how many rows at most."""
    there, _values, by = stretch
    ordered = f"{by} {sort.way}, " if by else ""
    return f"{select} WHERE {condition} AND {there} ORDER BY {ordered}_rowid {sort.way} LIMIT ?"


def walk(
    store: Reader, shape: Shape, sort: Sort, after: After | None = None, limit: int = STEP
) -> tuple[array[int], After | None]:
    """The next rowids of all kept records, and where to go on; None at the end.

    An order that no index holds comes in one go, whatever the limit.
    """
    by_index = f' INDEXED BY "{sort.index}"' if sort.index else ""
    most = limit if sort.index else -1
    select = f'SELECT _rowid FROM "{shape.table}"{by_index}'
    found = array("q")
    for stretch in stretches(sort, after):
        asked = statement(select, sort, stretch, "_deleted = 0")
        rows = store.db.all(asked, (*stretch[1], most - len(found) if sort.index else -1))
        found.extend(rowid for (rowid,) in rows)
        if sort.index and len(found) >= limit:
            return found, (keys(store, shape, sort, found[-1:])[found[-1]], found[-1])
    return found, None


def keys(store: Reader, shape: Shape, sort: Sort, rowids: Sequence[int]) -> dict[int, Any]:
    """By what these rows are ordered, deleted ones too; those that are gone are left out."""
    found: dict[int, Any] = {}
    for at in range(0, len(rowids), CHUNK):
        some = rowids[at : at + CHUNK]
        asked = (
            f'SELECT _rowid, {sort.by} FROM "{shape.table}" NOT INDEXED WHERE _rowid IN ({marks(len(some))})'
        )
        found.update(store.db.all(asked, some))
    return found
