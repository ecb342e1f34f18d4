"""Totals as tables: what the table of kinds wants counted lies in a table of its own and moves with every row.

A tally's row is one group: the values of its fields as the record's columns hold them ('' where one is empty), how
many kept records share them, and each sum in two parts, so that no sum of 64-bit numbers leaves the integers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from app.store.db import Database
from sync.protocol.fields import Date, Field, Money, Person
from sync.protocol.kinds import Kind
from sync.protocol.kinds.table import Totals

PREFIX: Final = "total_"
EMPTY: Final = ""  # in the place of a value that is not there: a key takes no NULL

_LOW_BITS: Final = 32
_LOW: Final = 2**_LOW_BITS - 1
_MONTH: Final = 7  # characters of an ISO day: 2026-11

Row = Sequence[Any]  # a record's columns in the order of its table, from the id on


class Tally:
    """One entry of a kind's totals: its table and its statements. `places` says where a column stands in a row."""

    def __init__(self, kind: Kind, declared: Totals, table: str, places: Mapping[str, int]) -> None:
        self.declared: Final = declared
        self.records: Final = table
        self.fields: Final[tuple[Field, ...]] = tuple(kind.by_name[name] for name in declared.by)
        self.sums: Final[tuple[Field, ...]] = tuple(kind.by_name[name] for name in declared.sums)
        # Currencies come first in the key: they part every sum, so that a question by the leading fields is
        # answered along the key without sorting.
        self.currencies: Final = tuple(currency_of(f) for f in self.sums if isinstance(f.type, Money))
        self.keys: Final = (*self.currencies, *declared.by)
        declaring = repr((declared, self.keys, [type(f.type).__name__ for f in self.fields]))
        self.table: Final = f"{PREFIX}{kind.name}_{zlib.crc32(declaring.encode()):08x}"
        self.parts: Final = tuple(part for name in declared.sums for part in parts_of(name))
        self._deleted: Final = places["_deleted"]
        self._key: Final = _getter([places[name] for name in self.keys])
        self._months: Final = tuple(
            at for at, f in enumerate(self.fields, len(self.currencies)) if isinstance(f.type, Date)
        )
        self._summed: Final = tuple(places[f.name] for f in self.sums)
        # The places of a row that a tally looks at: a change of others leaves it as it is.
        self.places: Final = (self._deleted, *(places[name] for name in self.keys), *self._summed)
        listed = ", ".join(f'"{name}"' for name in (*self.keys, "_kept", *self.parts))
        marks = ", ".join("?" * (len(self.keys) + 1 + len(self.parts)))
        added = ", ".join(f'"{name}" = "{name}" + excluded."{name}"' for name in ("_kept", *self.parts))
        self._put: Final = (
            f'INSERT INTO "{self.table}" ({listed}) VALUES ({marks}) ON CONFLICT DO UPDATE SET {added}'
        )

    def make(self, db: Database) -> None:
        """The table with the figures of the rows that are there. In `building`."""
        keys = [f'"{name}"{self._collation(name)} NOT NULL' for name in self.keys]
        figures = [f'"{name}" INTEGER NOT NULL' for name in ("_kept", *self.parts)]
        key = ", ".join(f'"{name}"' for name in self.keys)
        columns = ", ".join((*keys, *figures))
        db.execute(f'CREATE TABLE "{self.table}" ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID')
        self.fill(db)

    def fill(self, db: Database) -> None:
        """Count anew. In a transaction."""
        db.execute(f'DELETE FROM "{self.table}"')
        db.execute(f'INSERT INTO "{self.table}" {self.counted()}')

    def counted(self) -> str:
        """The question whose answer the table holds, asked of the records themselves."""
        said = {name: f"coalesce(\"{name}\", '{EMPTY}')" for name in self.currencies}
        for f in self.fields:
            whole = f'substr("{f.name}", 1, {_MONTH})' if isinstance(f.type, Date) else f'"{f.name}"'
            said[f.name] = f"coalesce({whole}, '{EMPTY}')"
        keys = ", ".join(f'{value} AS "{name}"' for name, value in said.items())
        groups = ", ".join(f"{value}{self._collation(name)}" for name, value in said.items())
        figures = "".join(
            f', coalesce(sum("{name}" >> {_LOW_BITS}), 0) AS "{high}", coalesce(sum("{name}" & {_LOW}), 0) AS "{low}"'
            for name in self.declared.sums
            for high, low in [parts_of(name)]
        )
        return f'SELECT {keys}, count(*) AS _kept{figures} FROM "{self.records}" WHERE _deleted = 0 GROUP BY {groups}'

    def holds(self, db: Database) -> bool:
        """Whether the table says what the records say."""
        same = " AND ".join(f't."{name}" = c."{name}"' for name in self.keys)
        other = " OR ".join(f't."{name}" IS NOT c."{name}"' for name in ("_kept", *self.parts))
        joined = f'({self.counted()}) c LEFT JOIN "{self.table}" t ON {same}'
        groups, wrong = db.one(f"SELECT count(*), coalesce(sum({other}), 0) FROM {joined}")
        any_ = " OR ".join(f'"{name}" <> 0' for name in ("_kept", *self.parts))
        (there,) = db.one(f'SELECT count(*) FROM "{self.table}" WHERE {any_}')
        return bool(wrong == 0 and groups == there)

    def move(self, db: Database, gone: Iterable[Row], come: Iterable[Row]) -> None:
        """Take rows away and add others: one statement for each group that changed. In the rows' transaction."""
        found: dict[tuple[Any, ...], list[int]] = {}
        self._count(found, gone, -1)
        self._count(found, come, 1)
        changed = {key: figures for key, figures in found.items() if any(figures)}
        if changed:
            db.executemany(self._put, [(*key, *figures) for key, figures in changed.items()])

    def purge(self, db: Database) -> None:
        """Let go of groups that have no record any more. In a transaction."""
        db.execute(f'DELETE FROM "{self.table}" WHERE _kept = 0')

    def _count(self, found: dict[tuple[Any, ...], list[int]], rows: Iterable[Row], sign: int) -> None:
        key_of, months, summed, width = self._key, self._months, self._summed, 1 + len(self.parts)
        for row in rows:
            if row[self._deleted]:
                continue
            key = key_of(row)
            if None in key:
                key = tuple(EMPTY if value is None else value for value in key)
            for at in months:
                key = (*key[:at], key[at][:_MONTH], *key[at + 1 :])
            figures = found.get(key)
            if figures is None:
                figures = found[key] = [0] * width
            figures[0] += sign
            for at, place in enumerate(summed):
                value = row[place]
                if value:
                    figures[2 * at + 1] += sign * (value >> _LOW_BITS)
                    figures[2 * at + 2] += sign * (value & _LOW)

    def _collation(self, name: str) -> str:
        """One person is one group, however their address is written; filters see it so, too."""
        return (
            " COLLATE NOCASE"
            if any(f.name == name and isinstance(f.type, Person) for f in self.fields)
            else ""
        )


def move(
    db: Database, tallies: Iterable[Tally], gone: Sequence[Row], come: Sequence[Row], *, leaving: bool
) -> None:
    """Let every tally of a kind follow its rows. In the rows' transaction.

    An empty group stays, since most fill again, and a save pays for every statement. It goes when a record leaves this
    device: what was told of it goes along.
    """
    for tally in tallies:
        tally.move(db, gone, come)
        if leaving:
            tally.purge(db)


def currency_of(field: Field) -> str:
    """The column of a sum's currency."""
    return f"{field.name}_currency"


def parts_of(name: str) -> tuple[str, str]:
    """The columns of a sum: its value is the first times 2 to the power of 32, and the second."""
    return f"_{name}_high", f"_{name}_low"


def summed(high: int, low: int) -> int:
    """The sum of both parts."""
    return (high << _LOW_BITS) + low


def _getter(places: Sequence[int]) -> Callable[[Row], tuple[Any, ...]]:
    if len(places) == 1:
        (only,) = places
        return lambda row: (row[only],)
    return itemgetter(*places)
