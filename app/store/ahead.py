"""What lies ahead of somebody: their records that are not over, from one day or moment to another, nearest first.

Each question is one short walk along the index that the table of kinds asks for (`Kind.ahead`), whatever the number
of records; of everybody's, one walk for each person.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from app.store import lists
from app.store.reader import Reader
from app.store.records import Record
from app.store.schema import Shape, ahead_index, not_over
from sync.protocol.fields import Value
from sync.protocol.kinds import Kind
from sync.protocol.kinds.table import Ahead

COUNTED_MAX: Final = 1000  # nobody needs to know how many more than these there are

Span = tuple[Value, Value]  # from the first, which belongs to it, up to the second; days, or UTC milliseconds
_Whose = tuple[str, tuple[Any, ...]]  # a condition and its values


class Found(msgspec.Struct, frozen=True):
    """Records in the order of their days or moments, and how many there are in all, up to COUNTED_MAX.

    `nobodys` says that some of all of them are in nobody's name.
    """

    records: list[Record]
    count: int
    nobodys: bool = False


def people(store: Reader, kind: Kind) -> list[str]:
    """Everybody whose records are here and who has something that is not over, each found by one look."""
    ahead, shape = _ahead(kind), store.shapes[kind.name]
    column = f'"{ahead.whose}" COLLATE NOCASE'
    asked = f'SELECT "{ahead.whose}" {_along(shape, ahead)} AND {column} > ? ORDER BY {column} LIMIT 1'
    named: list[str] = []
    row = store.db.first(asked, ("",))
    while row is not None:
        named.append(row[0])
        row = store.db.first(asked, row)
    return named


def found(
    store: Reader, kind: Kind, persons: Sequence[str], span: Span, limit: int, *, latest: bool = False
) -> Found:
    """What lies ahead of these persons, and what is in nobody's name; with `latest`, the last of more than `limit`."""
    ahead, shape = _ahead(kind), store.shapes[kind.name]
    way = "DESC" if latest else "ASC"
    asked = (
        f'SELECT "{ahead.when}", _rowid {_along(shape, ahead)} AND {{whose}}'
        f' AND "{ahead.when}" >= ? AND "{ahead.when}" < ?'
        f' ORDER BY "{ahead.when}" {way}, _rowid {way} LIMIT ?'
    )
    walks = [
        store.db.all(asked.format(whose=condition), (*values, *span, limit))
        for condition, values in _whose(kind, persons)
    ]
    merged = list(heapq.merge(*walks, reverse=latest))[:limit]
    rowids = [rowid for _when, rowid in (reversed(merged) if latest else merged)]
    counted = sum(map(len, walks))
    if any(len(walk) == limit for walk in walks):
        counted = count(store, kind, persons, span)
    return Found(lists.by_rowids(store, kind, rowids), counted, bool(walks[0]))


def count(store: Reader, kind: Kind, persons: Sequence[str], span: Span) -> int:
    """How many records lie ahead of these persons, with those in nobody's name; up to COUNTED_MAX."""
    ahead, shape = _ahead(kind), store.shapes[kind.name]
    asked = (
        f"SELECT count(*) FROM (SELECT 1 {_along(shape, ahead)} AND {{whose}}"
        f' AND "{ahead.when}" >= ? AND "{ahead.when}" < ? LIMIT ?)'
    )
    counted = 0
    for condition, values in _whose(kind, persons):
        if counted < COUNTED_MAX:
            left = COUNTED_MAX - counted
            counted += store.db.one(asked.format(whose=condition), (*values, *span, left))[0]
    return counted


# --- the walks ---------------------------------------------------------------------------------------


def _ahead(kind: Kind) -> Ahead:
    if kind.ahead is None:
        raise ValueError(f"of {kind.name} nothing lies ahead")
    return kind.ahead


def _whose(kind: Kind, persons: Sequence[str]) -> Iterator[_Whose]:
    """What is in nobody's name, then what is in theirs."""
    column = f'"{_ahead(kind).whose}"'
    yield f"{column} IS NULL", ()
    for person in persons:
        yield f"{column} COLLATE NOCASE = ?", (person,)


def _along(shape: Shape, ahead: Ahead) -> str:
    return (
        f'FROM "{shape.table}" INDEXED BY "{ahead_index(shape)}"'
        f" WHERE _deleted = 0 AND {not_over(shape.kind, ahead)}"
    )
