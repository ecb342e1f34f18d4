"""How many records there are and what they come to, by the fields that a kind keeps totals of: asked of no record."""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import Any, Final

from app.store.reader import Reader
from app.store.rows import marks
from app.store.tallies import EMPTY, Tally, currency_of, parts_of, summed
from sync.protocol.fields import Date, Field, Money, Person, Value
from sync.protocol.kinds import Kind

_SMALL: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

Row = tuple[Any, ...]  # currencies and fields asked for, how many, both parts of each sum


@dataclass(frozen=True, slots=True, repr=False)
class Group:
    """Kept records that share the values asked for: the values, how many there are, and the sums asked for.

    A value is None where the field is empty, and the month ("2026-11") of a day. A sum is a whole number, or money
    of any size in minor units with its currency; None where no record of the group has any.
    """

    values: tuple[Value, ...]
    kept: int
    sums: tuple[Value, ...]


def totals(
    store: Reader,
    kind: Kind,
    by: Sequence[str],
    *,
    sums: Sequence[str] = (),
    where: Mapping[str, Collection[Value]] | None = None,
) -> list[Group]:
    """The groups by these fields, in no order; with sums of money, one group for each currency.

    `where` leaves only records whose field has one of the values given, written as in a Group. It takes several
    questions: beside somebody who writes, ask within a `snapshot`, as `Session.read` does. Raises ValueError when the
    table of kinds declares no totals by all of these fields with all of these sums.
    """
    wanted = where or {}
    tally = _tally(store, kind, {*by, *wanted}, sums)
    fields = [kind.by_name[name] for name in by]
    summing = [kind.by_name[name] for name in sums]
    currencies = [currency_of(f) for f in summing if isinstance(f.type, Money)]
    asked = (*currencies, *by)
    groups = _groups(tally, asked)
    rows: Iterable[Row] = _rows(store, tally, asked, groups, sums, wanted)
    if set(asked) != {*groups, *tally.currencies[:1]}:
        persons = [at for at, f in enumerate(fields, len(currencies)) if isinstance(f.type, Person)]
        rows = _folded(rows, len(asked), persons)
    read = _reading(fields, summing)
    return [read(row) for row in rows]


def _tally(store: Reader, kind: Kind, by: set[str], sums: Sequence[str]) -> Tally:
    """The smallest that can tell."""
    able = [
        tally
        for tally in store.shapes[kind.name].tallies
        if by.issubset(tally.declared.by) and set(sums).issubset(tally.declared.sums)
    ]
    if not able:
        raise ValueError(f"{kind.name} keeps no such totals")
    return min(able, key=lambda tally: len(tally.keys))


def _groups(tally: Tally, asked: Sequence[str]) -> tuple[str, ...]:
    """The columns to group by: along the key, which spares sorting, where that is coarser than the whole of it."""
    declared = tally.declared.by
    last = max((place for place, name in enumerate(declared, 1) if name in asked), default=0)
    if last == len(declared):
        return tuple(name for name in asked if name not in tally.currencies[:1])
    return (*tally.currencies[1:], *declared[:last])


def _rows(
    store: Reader, tally: Tally, asked: Sequence[str], groups: Sequence[str], sums: Sequence[str],
    where: Mapping[str, Collection[Value]],
) -> Iterator[Row]:  # fmt: skip
    """What was asked for, currency by currency: sorting is most of the time where there are many groups."""
    figures = ("_kept", *(part for name in sums for part in parts_of(name)))
    columns = ", ".join((*(f'"{name}"' for name in asked), *(f'sum("{name}")' for name in figures)))
    tests = [f'"{name}" = ?' for name in tally.currencies[:1]]
    tests += [f'"{name}" IN ({marks(len(some))})' for name, some in where.items()]
    by_name = {f.name: f for f in tally.fields}
    bound = [_column(by_name[name], value) for name, some in where.items() for value in some]
    sql = f'SELECT {columns} FROM "{tally.table}"'
    if tests:
        sql += f" WHERE {' AND '.join(tests)}"
    if groups:
        sql += " GROUP BY " + ", ".join(f'"{name}"' for name in groups)
    for leader in _leaders(store, tally):
        for row in store.db.all(sql, (*leader, *bound)):
            if row[len(asked)]:  # without GROUP BY there is a row even where nothing matches
                yield row


def _leaders(store: Reader, tally: Tally) -> Iterator[tuple[str, ...]]:
    """The values of the first column of the key, each found by one look; where no currency leads it, one of none."""
    if not tally.currencies:
        yield ()
        return
    column = tally.currencies[0]
    (value,) = store.db.one(f'SELECT min("{column}") FROM "{tally.table}"')
    while value is not None:
        yield (value,)
        (value,) = store.db.one(f'SELECT min("{column}") FROM "{tally.table}" WHERE "{column}" > ?', (value,))


def _folded(rows: Iterable[Row], width: int, persons: Sequence[int]) -> Iterable[Row]:
    """Rows of finer groups than were asked for, put together."""
    found: dict[Row, Row] = {}
    for row in rows:
        key = row[:width]
        for at in persons:  # one person, however the address is written
            key = (*key[:at], key[at].translate(_SMALL), *key[at + 1 :])
        there = found.get(key)
        found[key] = row if there is None else (*there[:width], *map(add, there[width:], row[width:]))
    return found.values()


def _reading(fields: Sequence[Field], summing: Sequence[Field]) -> Callable[[Row], Group]:
    """What makes a Group of a row."""
    begin = sum(isinstance(f.type, Money) for f in summing)
    end = begin + len(fields)
    # What is text in its column is the value as it stands, a month too; of others it is made.
    made = [None if f.type.sql[0][1] == "TEXT" else f.type.from_columns for f in fields]
    currencies = iter(range(begin))
    plan = [
        (end + 1 + 2 * place, next(currencies) if isinstance(f.type, Money) else None)
        for place, f in enumerate(summing)
    ]

    def read(row: Row) -> Group:
        values = row[begin:end]
        if any(made) or EMPTY in values:
            values = tuple(
                None if column == EMPTY else column if make is None else make((column,))
                for make, column in zip(made, values, strict=True)
            )
        sums: list[Value] = []
        for at, currency in plan:
            figure = summed(row[at], row[at + 1])
            if currency is None:
                sums.append(figure)
            else:
                sums.append({"minor": figure, "currency": row[currency]} if row[currency] != EMPTY else None)
        return Group(values, row[end], tuple(sums))

    return read


def _column(field: Field, value: Value) -> Any:
    if value is None:
        return EMPTY
    return value if isinstance(field.type, Date) else field.type.to_columns(value)[0]
