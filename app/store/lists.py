"""Filters, sorts and pages over any kind: keyset pages, ids alone for a long list, rows on demand.

Field names come from the table of kinds and from nowhere else, so no name a person typed stands in a statement.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from app.store import joined, narrowing, orders
from app.store.filters import ALL, Filter, typed
from app.store.orders import After, Sort
from app.store.reader import Reader
from app.store.records import Record, record_of
from app.store.rows import CHUNK, marks
from app.store.schema import NUMBER, Shape
from app.store.words import matched_fields, query
from sync.protocol.kinds import Kind
from sync.protocol.texts import gettext as _

STEP: Final = 250  # records looked at in one go along an order, for a filter
LOOKED: Final = 2_000  # and at most, before all that match are asked for

Where = Filter | Mapping[str, str]  # typed conditions, or FIELD=VALUE pairs as a person writes them


class Page(msgspec.Struct, frozen=True):
    """Some records of a list, and where the next page begins; None at the end."""

    records: list[Record]
    next: After | None


def page(
    store: Reader,
    kind: Kind,
    *,
    where: Where = ALL,
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
    sort = orders.sort_of(store, shape, order)
    filter_ = filter_of(kind, where)
    question = query(filter_.words) if filter_.words.strip() else None
    found: list[Record] = []
    while True:
        rows = _rows(store, shape, sort, filter_, after, limit + 1, deleted=deleted)
        for row in rows:
            record = record_of(shape, shape.stored(row))
            if question is not None and not matched_fields(kind, record.values, question):
                continue
            if len(found) == limit:
                return Page(found, after)
            found.append(record)
            after = (row[-1], row[0])
        if len(rows) <= limit:
            return Page(found, None)
        after = (rows[-1][-1], rows[-1][0])


def filter_of(kind: Kind, where: Where) -> Filter:
    """A filter as it is, or what was written of it. Raises FieldProblem."""
    return where if isinstance(where, Filter) else typed(kind, where)


def count(store: Reader, kind: Kind, where: Where = ALL) -> int:
    """How many kept records match. Raises FieldProblem."""
    shape = store.shapes[kind.name]
    filter_ = filter_of(kind, where)
    if not filter_:
        return store.counts()[kind.name]
    if filter_.words.strip():
        return len(_matching(store, shape, filter_))
    condition, values = narrowing.said(store, shape, filter_)
    return int(store.db.one(f'SELECT count(*) FROM "{shape.table}" WHERE {condition}', values)[0])


def ids(store: Reader, kind: Kind, where: Where = ALL, order: str = "") -> array[int]:
    """The rowids of all that match, in order: 8 bytes each. In one go; a window reads them piece by piece."""
    shape = store.shapes[kind.name]
    sort = orders.sort_of(store, shape, order)
    filter_ = filter_of(kind, where)
    matching = set(_matching(store, shape, filter_)) if filter_ else None
    found = array("q")
    after: After | None = None
    while True:
        piece, after = orders.walk(store, shape, sort, after)
        found.extend(piece if matching is None else [rowid for rowid in piece if rowid in matching])
        if after is None:
            return found


def _matching(store: Reader, shape: Shape, filter_: Filter) -> array[int]:
    found = array("q")
    for first in range(1, narrowing.last_rowid(store, shape) + 1, narrowing.SPAN):
        found.extend(narrowing.scan(store, shape, filter_, first, first + narrowing.SPAN - 1))
    return found


def by_rowids(store: Reader, kind: Kind, rowids: Sequence[int]) -> list[Record]:
    """The records of these rowids in their order; those that are gone are left out."""
    shape = store.shapes[kind.name]
    found: dict[int, Record] = {}
    for at in range(0, len(rowids), CHUNK):
        some = tuple(rowids[at : at + CHUNK])
        for row in store.db.all(f"{shape.select} WHERE _rowid IN ({marks(len(some))})", some):
            found[row[0]] = record_of(shape, shape.stored(row))
    return [found[rowid] for rowid in rowids if rowid in found]


def rowid_of(store: Reader, kind: Kind, id_: bytes) -> int | None:
    """The rowid of a record, a deleted one too; None when it is not here."""
    row = store.db.first(f'SELECT _rowid FROM "{store.shapes[kind.name].table}" WHERE _id = ?', (id_,))
    return None if row is None else int(row[0])


def rowids_of(store: Reader, kind: Kind, ids_: Sequence[bytes]) -> array[int]:
    """The rowids of these records, deleted ones too; those that are not here are left out."""
    found = array("q")
    for at in range(0, len(ids_), CHUNK):
        some = ids_[at : at + CHUNK]
        asked = f'SELECT _rowid FROM "{store.shapes[kind.name].table}" WHERE _id IN ({marks(len(some))})'
        found.extend(rowid for (rowid,) in store.db.all(asked, some))
    return found


Named = tuple[bytes, str, str | None]  # id, title, number; number None where there is none


def titles(store: Reader, kind: Kind) -> Iterator[Named]:
    """Every kept record by what names it, in the order in which they came, read piece by piece."""
    shape = store.shapes[kind.name]
    for first in range(1, narrowing.last_rowid(store, shape) + 1, narrowing.SPAN):
        yield from titles_between(store, kind, first, first + narrowing.SPAN - 1)


def titles_between(store: Reader, kind: Kind, first: int, last: int) -> list[Named]:
    """The kept records with these rowids by what names them."""
    select = _select_names(store.shapes[kind.name])
    return store.db.all(f"{select} AND _rowid >= ? AND _rowid <= ? ORDER BY _rowid", (first, last))


def titled(store: Reader, kind: Kind, keys: Sequence[str]) -> list[Named]:
    """Kept records whose title is one of these, folded as `words.fold_key` does, by what names them."""
    return _named(store, kind, "_key", keys)


def numbered(store: Reader, kind: Kind, numbers: Sequence[str]) -> list[Named]:
    """Kept records that have one of these numbers, by what names them."""
    return _named(store, kind, f'"{NUMBER}"', numbers) if NUMBER in kind.by_name else []


def named(store: Reader, kind: Kind, ids_: Sequence[bytes]) -> list[Named]:
    """Those of these records that are kept, by what names them."""
    return _named(store, kind, "_id", ids_)


def _named(store: Reader, kind: Kind, column: str, wanted: Sequence[Any]) -> list[Named]:
    select = _select_names(store.shapes[kind.name])
    found: list[Any] = []
    for at in range(0, len(wanted), CHUNK):
        some = wanted[at : at + CHUNK]
        found += store.db.all(f"{select} AND {column} IN ({marks(len(some))})", some)
    return found


def _select_names(shape: Shape) -> str:
    number = f'"{NUMBER}"' if NUMBER in shape.kind.by_name else "NULL"
    return (
        f'SELECT _id, coalesce("{shape.kind.title}", \'\'), {number} FROM "{shape.table}" WHERE _deleted = 0'
    )


def title_of(store: Reader, id_: bytes) -> str | None:
    """The title of a record of whatever kind, a deleted one too; None when it is not here."""
    for shape in store.shapes.values():
        title = shape.kind.title
        row = store.db.first(f'SELECT "{title}" FROM "{shape.table}" WHERE _id = ?', (id_,))
        if row is not None:
            return shape.title({title: row[0]})
    return None


def name_of(store: Reader, id_: bytes) -> str | None:
    """What a reference to a record shows: the title, of one that was joined that of the record that remains; None when
    it is not here. One that is deleted says so: whoever sees it may bring it back, or refer to another.
    """
    for shape in store.shapes.values():
        title = shape.kind.title
        row = store.db.first(f'SELECT "{title}", _deleted FROM "{shape.table}" WHERE _id = ?', (id_,))
        if row is None:
            continue
        if not row[1]:
            return shape.title({title: row[0]})
        remains = joined.remains_of(store, id_)
        if remains != id_:
            return title_of(store, remains)
        return _("{title} (deleted)").format(title=shape.title({title: row[0]})).strip()
    remains = joined.remains_of(store, id_)
    return title_of(store, remains) if remains != id_ else None


def _rows(
    store: Reader,
    shape: Shape,
    sort: Sort,
    filter_: Filter,
    after: After | None,
    limit: int,
    *,
    deleted: bool,
) -> list[tuple[Any, ...]]:
    """Rows with the ordered value at their end: first those that have one, then those that have none."""
    if sort.index and filter_.conditions and not deleted:
        near = _near(store, shape, sort, filter_, after, limit)
        if near is not None:
            return near
    condition, values = narrowing.said(store, shape, filter_, deleted=deleted)
    # Under a filter the planner may know a shorter way than along the order.
    by_index = f' INDEXED BY "{sort.index}"' if sort.index and not filter_.conditions and not deleted else ""
    select = shape.select.replace(" FROM ", f", {sort.by} FROM ", 1) + by_index
    rows: list[tuple[Any, ...]] = []
    for stretch in orders.stretches(sort, after):
        if len(rows) < limit:
            asked = orders.statement(select, sort, stretch, condition)
            rows += store.db.all(asked, (*values, *stretch[1], limit - len(rows)))
    return rows


def _near(
    store: Reader, shape: Shape, sort: Sort, filter_: Filter, after: After | None, limit: int
) -> list[tuple[Any, ...]] | None:
    """The same by going along the order, where so many match that the first ones are near; None where they are not.

    Asked in one go, all that match would be read and sorted before the first page is there.
    """
    conditions, found, looked = Filter(filter_.conditions), array("q"), 0
    at = after
    while len(found) < limit:
        if looked >= LOOKED:
            return None
        piece, at = orders.walk(store, shape, sort, at, STEP)
        found.extend(narrowing.keep(store, shape, conditions, piece))
        looked += len(piece)
        if at is None:
            break
    found = found[:limit]
    select = shape.select.replace(" FROM ", f", {sort.by} FROM ", 1)
    rows: dict[int, tuple[Any, ...]] = {}
    for first in range(0, len(found), CHUNK):
        some = found[first : first + CHUNK]
        rows.update(
            (row[0], row) for row in store.db.all(f"{select} WHERE _rowid IN ({marks(len(some))})", some)
        )
    return [rows[rowid] for rowid in found]
