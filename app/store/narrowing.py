"""Filters as statements, through the table of kinds alone: which records match, asked in bounded pieces.

A question over all records is cut into ranges of rowids: none of them holds the store's thread for long, and
whoever asks may do something else between two.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Sequence
from typing import Any, Final

from app.store import joined, within, wording
from app.store.filters import Asks, Condition, Filter, checked, is_parts
from app.store.reader import Reader
from app.store.rows import CHUNK, marks
from app.store.schema import Shape, order_column, orders_of
from app.store.words import fold, fold_key, query
from sync.protocol.fields import Choice, Field, Find, Instant, Money, Person, Ref, Several, Text, Value
from sync.protocol.kinds import KINDS

SPAN: Final = 8_000  # rowids looked at in one question

Said = tuple[str, list[Any]]  # a condition in SQL, and the values bound in it


def said(
    store: Reader,
    shape: Shape,
    filter_: Filter,
    *,
    deleted: bool = False,
    span: wording.Span | None = None,
    by_index: bool = True,
) -> Said:
    """The conditions of a filter as one, without its words; `span` are the rowids it is asked of, where not of all.

    Without `by_index` the rows are known, and none is looked for in the search index. Raises FieldProblem.
    """
    parts, bound = [f'"{shape.table}"._deleted = {int(deleted)}'], []
    for condition in filter_.conditions:
        condition = checked(shape.kind, condition)
        through = _through_index(store, shape, condition, span) if by_index and not deleted else None
        asked = _condition(store, shape, condition)
        for part, values in [asked] if through is None else [through, asked]:
            parts.append(part)
            bound.extend(values)
    return " AND ".join(parts), bound


def last_rowid(store: Reader, shape: Shape) -> int:
    """The highest rowid of a kind; 0 when there is none."""
    return int(store.db.one(f'SELECT coalesce(max(_rowid), 0) FROM "{shape.table}"')[0])


def scan(store: Reader, shape: Shape, filter_: Filter, first: int, last: int) -> array[int]:
    """Rowids from `first` to `last` of kept records that match, rising. Raises FieldProblem."""
    if filter_.words.strip():
        found = within.found(store, shape, query(filter_.words), first, last)
        return keep(store, shape, Filter(filter_.conditions), found)
    condition, values = said(store, shape, filter_, span=(first, last))
    rows = store.db.all(
        f'SELECT _rowid FROM "{shape.table}" WHERE {condition} AND _rowid >= ? AND _rowid <= ? ORDER BY _rowid',
        (*values, first, last),
    )
    return array("q", (rowid for (rowid,) in rows))


def keep(store: Reader, shape: Shape, filter_: Filter, rowids: Sequence[int]) -> array[int]:
    """Those of these rowids whose record is kept and matches, in their order. Raises FieldProblem."""
    condition, values = said(store, shape, filter_, by_index=False)
    there: set[int] = set()
    for at in range(0, len(rowids), CHUNK):
        some = rowids[at : at + CHUNK]
        # Without NOT INDEXED the planner may look through all of a field's value in place of these few rows.
        asked = f'SELECT _rowid FROM "{shape.table}" NOT INDEXED WHERE _rowid IN ({marks(len(some))}) AND {condition}'
        there.update(rowid for (rowid,) in store.db.all(asked, (*some, *values)))
    kept = array("q", (rowid for rowid in rowids if rowid in there))
    if filter_.words.strip():
        return within.holding(store, shape, query(filter_.words), kept)
    return kept


def _through_index(
    store: Reader, shape: Shape, condition: Condition, span: wording.Span | None
) -> Said | None:
    """What leads to all rows of a condition by the search index, which is quicker than to look at each; None where
    nothing does."""
    field = shape.kind.by_name[condition.field]
    if condition.test is Asks.IS:
        # A title has an index of its own. Of a number, other notations are not meant.
        fits = field.find in (Find.WORDS, Find.NOTES) and field.name != shape.kind.title
    elif condition.test is Asks.CONTAINS:
        fits = field.find is not Find.DIGITS and wording.is_run(str(condition.values[0]))
    else:
        fits = condition.test is Asks.HAS
    return wording.through_index(store, shape, field, str(condition.values[0]), span) if fits else None


# --- one condition -----------------------------------------------------------------------------------


def _condition(store: Reader, shape: Shape, condition: Condition) -> Said:
    field, test = shape.kind.by_name[condition.field], condition.test
    column = f'"{shape.table}"."{field.name}"'
    values = condition.values
    if condition.part:
        return wording.of_part(shape, field, condition)
    if test is Asks.EMPTY:
        return f"{column} IS NULL", []
    if test is Asks.NOT_EMPTY:
        return f"{column} IS NOT NULL", []
    if test is Asks.MINE:
        return _is(store, shape, field, store.person)
    if test is Asks.CURRENCY:
        return f'{column[:-1]}_currency" = ?', [values[0]]
    if test is Asks.HAS:
        return wording.has(shape, field, values[0])
    if test is Asks.CONTAINS:
        return _contains(shape, field, values[0])
    if test is Asks.IS:
        return _is(store, shape, field, values[0])
    if test is Asks.IS_NOT:
        part, bound = _is(store, shape, field, values[0])
        return f"NOT coalesce(({part}), 0)", bound
    if test is Asks.ONE_OF:
        each = [_is(store, shape, field, value) for value in values]
        return f"({' OR '.join(part for part, _b in each)})", [v for _p, bound in each for v in bound]
    return _beside(column, field, test, values)


def _is(store: Reader, shape: Shape, field: Field, value: Value) -> Said:
    column = f'"{shape.table}"."{field.name}"'
    type_ = field.type
    if isinstance(type_, Ref):
        return _refers(store, column, type_, value)
    if isinstance(type_, Instant) and isinstance(value, str):
        begin, end = _day(value)
        return f"({column} >= ? AND {column} < ?)", [begin, end]
    if field.name == shape.kind.title and isinstance(type_, Text):
        return f'"{shape.table}"._key = ?', [fold_key(value)]
    if isinstance(type_, Person):
        return f"{column} COLLATE NOCASE = ?", [value]
    if is_parts(field):
        return _some_part(column, field, "folded({part}) = ?", fold(value))
    if isinstance(type_, Text) or type_.editor == "notes":
        return f"folded({column}) = ?", [fold(value)]
    if isinstance(type_, Choice) and field.name in orders_of(shape.kind):
        return f'"{shape.table}"."{order_column(field)}" = ?', [type_.values.index(value)]
    names = [f'"{shape.table}"."{field.name}{suffix}"' for suffix, _sql in type_.sql]
    return f"({' AND '.join(f'{name} = ?' for name in names)})", list(type_.to_columns(value))


def _contains(shape: Shape, field: Field, text: str) -> Said:
    column = f'"{shape.table}"."{field.name}"'
    if is_parts(field):
        return _some_part(column, field, "instr(folded({part}), ?) > 0", fold(text))
    if field.name == shape.kind.title and not isinstance(field.type, Choice):
        return f'instr("{shape.table}"._key, ?) > 0', [fold_key(text)]
    return f"instr(folded({column}), ?) > 0", [fold(text)]


def _some_part(column: str, field: Field, asked: str, text: str) -> Said:
    part = "json_extract(e.value, '$.value')" if isinstance(field.type, Several) else "e.value"
    return f"EXISTS (SELECT 1 FROM json_each({column}) e WHERE {asked.format(part=part)})", [text]


def _refers(store: Reader, column: str, type_: Ref, value: Value) -> Said:
    """A reference to the record of that id, or to any kept record of that title."""
    if isinstance(value, bytes):
        # What refers to a record that was joined into this one refers to this one.
        gone = joined.joined_into(store, value)
        if not gone:
            return f"{column} = ?", [value]
        return f"{column} IN ({marks(1 + len(gone))})", [value, *gone]
    other = store.shapes[type_.to]
    title = KINDS[type_.to].title
    key = f'"{other.table}"._key' if isinstance(other.kind.by_name[title].type, Text) else f'"{title}"'
    return (
        f'{column} IN (SELECT _id FROM "{other.table}" WHERE {key} = ? AND "{other.table}"._deleted = 0)',
        [fold_key(value)],
    )


def _beside(column: str, field: Field, test: Asks, values: Sequence[Value]) -> Said:
    """Before, after, between: of days as text, of numbers, of moments, of sums in one currency."""
    type_ = field.type
    if isinstance(type_, Instant):
        return _moments(column, test, values)
    more: list[str] = []
    bound: list[Any] = []
    if isinstance(type_, Money):
        more.append(f'{column[:-1]}_currency" = ?')
        bound.append(values[0]["currency"])
        values = [value["minor"] for value in values]
    if test is Asks.BETWEEN:
        more.append(f"{column} >= ? AND {column} <= ?")
    else:
        more.append(f"{column} {'<' if test is Asks.BEFORE else '>'} ?")
    return f"({' AND '.join(more)})", [*bound, *values]


def _moments(column: str, test: Asks, values: Sequence[Value]) -> Said:
    """A day as an end means the whole of it."""
    spans = [_day(value) if isinstance(value, str) else (value["at"], value["at"] + 1) for value in values]
    if test is Asks.BEFORE:
        return f"{column} < ?", [spans[0][0]]
    if test is Asks.AFTER:
        return f"{column} >= ?", [spans[0][1]]
    return f"({column} >= ? AND {column} < ?)", [spans[0][0], spans[1][1]]


def _day(iso: str) -> tuple[int, int]:
    """Where a day of this machine's zone begins and ends, in UTC milliseconds."""
    day = dt.date.fromisoformat(iso)
    try:
        ends = [dt.datetime(each.year, each.month, each.day).astimezone() for each in (day, _next(day))]
        begin, end = (round(each.timestamp() * 1000) for each in ends)
    except (
        OverflowError,
        ValueError,
        OSError,
    ):  # the calendar's first and last days have no moment everywhere
        return 0, 0
    return begin, end


def _next(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=1)
