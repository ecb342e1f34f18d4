"""Files that describe the other files of a set, and the units of amounts that such a file names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Final

from app.services.exchange.headings import Column
from app.services.exchange.mapping import Mapping
from app.services.exchange.read import Table
from app.services.exchange.units import Unit, within
from sync.protocol.fields import Integer, Money
from sync.protocol.kinds import same_header

_SHARE: Final = 0.5  # of the cells that are headings or names of the other files


def describes(table: Table, others: Sequence[Table]) -> bool:
    """Whether a table that holds no records lists the headings and names of the others."""
    known = {same_header(heading) for other in others for heading in other.headings} | _names(others)
    # Below its headings: a table that only links others shares these, and says nothing about them.
    cells = [same_header(cell) for _number, row in table.rows for cell in row if cell.strip()]
    return len(cells) > 3 and sum(cell in known for cell in cells) >= _SHARE * len(cells)


def with_units(mapping: Mapping, table: Table, dictionary: Table, others: Sequence[Table]) -> Mapping:
    """The mapping of a table with the units that a dictionary names for columns whose headings name none."""
    rows = [(row, {same_header(cell) for cell in row}) for row in _rows(dictionary)]
    own, names = same_header(PurePath(table.name).stem), _names(others)
    mine = [(row, keys) for row, keys in rows if own in keys or not keys & names]
    return replace(mapping, columns=tuple(_told(column, dictionary.name, mine) for column in mapping.columns))


def _told(column: Column, name: str, rows: Sequence[tuple[Sequence[str], set[str]]]) -> Column:
    if column.field is None or column.factor > 1 or not isinstance(column.field.type, Money | Integer):
        return column
    key = same_header(column.heading)
    found = {
        unit
        for row, keys in rows
        if key in keys
        for cell in row
        if same_header(cell) != key and (unit := within(cell)) is not None
    }
    unit = found.pop() if len(found) == 1 else Unit()
    foreign = isinstance(column.field.type, Integer) or column.currency not in ("", unit.currency)
    if unit.factor == 1 or (unit.currency and foreign):
        return column
    return replace(
        column, factor=unit.factor, currency=column.currency or unit.currency, told_by=name, unclear=""
    )


def _rows(table: Table) -> Iterator[Sequence[str]]:
    yield table.headings
    yield from (row for _number, row in table.rows)


def _names(tables: Sequence[Table]) -> set[str]:
    return {same_header(PurePath(table.name).stem) for table in tables}
