"""Filters, sorts and pages over any kind: keyset pages, ids alone for a long list, rows on demand.

Field names come from the table of kinds and from nowhere else, so no name a person typed stands in a statement.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.store.records import Record, record_of
from app.store.rows import CHUNK, marks
from app.store.schema import Shape
from app.store.store import Store
from app.store.words import fold_key
from sync.protocol.fields import Address, Choice, Date, Field, Notes, Ref, Several, Tags
from sync.protocol.ids import parse_id
from sync.protocol.kinds import Kind

CHANGED: Final = "changed"  # not a field: when the record was changed last
NUMBER: Final = "number"  # the field by which other programs know a record

After = tuple[Any, int]


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a list, and where the next page begins; None at the end."""

    records: list[Record]
    next: After | None


def page(
    store: Store,
    kind: Kind,
    *,
    where: Mapping[str, str] = {},
    order: str = "",
    after: After | None = None,
    limit: int = 50,
    deleted: bool = False,
) -> Page:
    """One page in the order of a field ("-" before it turns the order round; the title when there is none).

    Empty fields come last in both directions. `after` is the `next` of the page before. Raises FieldProblem for
    a field or a value that the kind does not have.
    """
    shape = store.shapes[kind.name]
    sort = _sort(store, shape, order)
    condition, values = _where(store, shape, where, deleted=deleted)
    rows = _rows(store, shape, sort, condition, values, after, limit + 1, deleted=deleted)
    more = len(rows) > limit
    rows = rows[:limit]
    records = [record_of(shape, shape.stored(row)) for row in rows]
    return Page(records, (rows[-1][-1], rows[-1][0]) if more and rows else None)


def count(store: Store, kind: Kind, where: Mapping[str, str] = {}) -> int:
    """How many kept records match. Raises FieldProblem."""
    shape = store.shapes[kind.name]
    if not where:
        return store.counts()[kind.name]
    condition, values = _where(store, shape, where, deleted=False)
    return int(store.db.one(f'SELECT count(*) FROM "{shape.table}" WHERE {condition}', values)[0])


def ids(store: Store, kind: Kind, where: Mapping[str, str] = {}, order: str = "") -> array[int]:
    """The rowids of all that match, in order: 8 bytes each, for a list that shows a window of them."""
    shape = store.shapes[kind.name]
    sort = _sort(store, shape, order)
    condition, values = _where(store, shape, where, deleted=False)
    rows = store.db.all(
        f'SELECT _rowid FROM "{shape.table}" WHERE {condition}'
        f" ORDER BY {sort.empty_last}{sort.by} {sort.way}, _rowid {sort.way}",
        values,
    )
    return array("q", (rowid for (rowid,) in rows))


def by_rowids(store: Store, kind: Kind, rowids: Sequence[int]) -> list[Record]:
    """The records of these rowids in their order; those that are gone are left out."""
    shape = store.shapes[kind.name]
    found: dict[int, Record] = {}
    for at in range(0, len(rowids), CHUNK):
        some = tuple(rowids[at : at + CHUNK])
        for row in store.db.all(f"{shape.select} WHERE _rowid IN ({marks(len(some))})", some):
            found[row[0]] = record_of(shape, shape.stored(row))
    return [found[rowid] for rowid in rowids if rowid in found]


def rowid_of(store: Store, kind: Kind, id_: bytes) -> int | None:
    """The rowid of a record, a deleted one too; None when it is not here."""
    row = store.db.first(f'SELECT _rowid FROM "{store.shapes[kind.name].table}" WHERE _id = ?', (id_,))
    return None if row is None else int(row[0])


def titles(store: Store, kind: Kind) -> Iterator[tuple[bytes, str, str | None]]:
    """(id, title, number) of every kept record, in the order of titles; number None where the kind has none."""
    shape = store.shapes[kind.name]
    number = f'"{NUMBER}"' if NUMBER in kind.by_name else "NULL"
    rows = store.db.all(
        f'SELECT _id, coalesce("{kind.title}", \'\'), {number} FROM "{shape.table}"'
        " WHERE _deleted = 0 ORDER BY _key, _rowid"
    )
    yield from rows


def title_of(store: Store, id_: bytes) -> str | None:
    """The title of a record of whatever kind, a deleted one too; None when it is not here."""
    for shape in store.shapes.values():
        title = shape.kind.title
        row = store.db.first(f'SELECT "{title}" FROM "{shape.table}" WHERE _id = ?', (id_,))
        if row is not None:
            return shape.title({title: row[0]})
    return None


# --- order -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sort:
    """An order: by which expression, which way, and whether it can be empty."""

    by: str
    down: bool
    may_be_empty: bool

    @property
    def way(self) -> str:
        return "DESC" if self.down else "ASC"

    @property
    def empty_last(self) -> str:
        return f"({self.by}) IS NULL, " if self.may_be_empty else ""


def _sort(store: Store, shape: Shape, order: str) -> _Sort:
    down = order.startswith("-")
    name = order.removeprefix("-")
    if name == CHANGED:
        return _Sort("_changed_ms", down, may_be_empty=False)
    field = shape.kind.field(name) if name else shape.kind.by_name[shape.kind.title]
    if field.name == shape.kind.title:
        return _Sort("_key", down, may_be_empty=False)
    return _Sort(_expression(store, shape, field), down, may_be_empty=True)


def _expression(store: Store, shape: Shape, field: Field) -> str:
    """What a field is ordered by."""
    column = f'"{shape.table}"."{field.name}"'
    type_ = field.type
    if isinstance(type_, Ref):
        other = store.shapes[type_.to].table
        return f'(SELECT o._key FROM "{other}" o WHERE o._id = {column})'
    if isinstance(type_, Choice):
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


def _rows(
    store: Store,
    shape: Shape,
    sort: _Sort,
    condition: str,
    values: list[Any],
    after: After | None,
    limit: int,
    *,
    deleted: bool,
) -> list[tuple[Any, ...]]:
    """Rows with the ordered value at their end: first those that have one, then those that have none."""
    sign = "<" if sort.down else ">"
    select = shape.select.replace(" FROM ", f", {sort.by} FROM ", 1)
    rows: list[tuple[Any, ...]] = []
    if after is None or after[0] is not None:
        where, bound = condition, list(values)
        if sort.may_be_empty:
            where += f" AND ({sort.by}) IS NOT NULL"
        if after is not None:
            where += f" AND ({sort.by}, _rowid) {sign} (?, ?)"
            bound.extend(after)
        rows = store.db.all(
            f"{select} WHERE {where} ORDER BY {sort.by} {sort.way}, _rowid {sort.way} LIMIT ?",
            (*bound, limit),
        )
    if sort.may_be_empty and len(rows) < limit:
        where, bound = f"{condition} AND ({sort.by}) IS NULL", list(values)
        if after is not None and after[0] is None:
            where += f" AND _rowid {sign} ?"
            bound.append(after[1])
        rows += store.db.all(
            f"{select} WHERE {where} ORDER BY _rowid {sort.way} LIMIT ?", (*bound, limit - len(rows))
        )
    return rows


# --- filter ------------------------------------------------------------------------------------------


def _where(store: Store, shape: Shape, where: Mapping[str, str], *, deleted: bool) -> tuple[str, list[Any]]:
    """The filter as a condition and its values."""
    conditions = [f"_deleted = {int(deleted)}"]
    values: list[Any] = []
    for name, text in where.items():
        field = shape.kind.field(name)
        said, bound = _condition(store, shape, field, text)
        conditions.append(said)
        values.extend(bound)
    return " AND ".join(conditions), values


def _condition(store: Store, shape: Shape, field: Field, text: str) -> tuple[str, list[Any]]:
    """One field being what was asked; an empty text asks for an empty field."""
    column = f'"{shape.table}"."{field.name}"'
    type_ = field.type
    if not text.strip():
        return f"{column} IS NULL", []
    if isinstance(type_, Ref):
        return _refers(store, column, type_, text)
    if field.name == shape.kind.title and not isinstance(type_, Choice):
        return "_key = ?", [fold_key(text)]
    if isinstance(type_, (Several, Address, Tags)):
        part = "e.value" if not isinstance(type_, Several) else "json_extract(e.value, '$.value')"
        said = f"EXISTS (SELECT 1 FROM json_each({column}) e WHERE {part} = ? COLLATE NOCASE)"
        return said, [text.strip()]
    value = type_.parse(field.name, text)
    wanted = type_.to_columns(value)
    names = [f'"{shape.table}"."{field.name}{suffix}"' for suffix, _sql in type_.sql]
    if type_.sql[0][1] == "TEXT" and not isinstance(type_, Notes):
        names = [f"{name} COLLATE NOCASE" for name in names]
    return " AND ".join(f"{name} = ?" for name in names), list(wanted)


def _refers(store: Store, column: str, type_: Ref, text: str) -> tuple[str, list[Any]]:
    """A reference to the record of that id, or to any record of that title."""
    try:
        return f"{column} = ?", [parse_id(text)]
    except ValueError:
        other = store.shapes[type_.to].table
        return f'{column} IN (SELECT o._id FROM "{other}" o WHERE o._key = ? AND o._deleted = 0)', [
            fold_key(text)
        ]
