"""The table of kinds as tables: what each kind's rows look like, and the statements that make and fill them.

A kind's table is `record_<kind>`. Names that begin with `_` are ours; all others are fields of the table of
kinds, each with the columns its type asks for. A field added there is a column added here at the next open.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.store.tallies import Tally
from app.store.words import Known, fold_key, searched, text_of
from sync.protocol.codec import pack, unpack
from sync.protocol.fields import Choice, Field, FieldType, Flag, Person, Ref, Tags, Value
from sync.protocol.kinds import Kind
from sync.protocol.kinds.table import Ahead

VERSION: Final = 6
NUMBER: Final = "number"  # the field by which other programs know a record

# By what records are told from others of their kind, by whether they are kept, and by what joins or parts them.
_TOLD_BY: Final = "name type emails phones websites address tax_number number customer parent _deleted _ext"
_TELLING: Final = frozenset(_TOLD_BY.split())

HOLDS: Final = {"TEXT": str, "INTEGER": int, "BLOB": bytes}
WIDE: Final = 2**63  # whole numbers of a column are below it, and from its negative on

# Columns of ours, in the order of a stored row.
OURS: Final = (
    ("_id", "BLOB NOT NULL UNIQUE"),
    ("_ver", "INTEGER NOT NULL DEFAULT 0"),
    ("_deleted", "INTEGER NOT NULL DEFAULT 0"),
    ("_waiting", "INTEGER NOT NULL DEFAULT 0"),
    ("_conflicts", "INTEGER NOT NULL DEFAULT 0"),
    ("_changed_ms", "INTEGER NOT NULL DEFAULT 0"),
    ("_changed_by", "TEXT NOT NULL DEFAULT ''"),
    ("_key", "TEXT NOT NULL DEFAULT ''"),
    ("_ext", "BLOB"),
)


@dataclass(slots=True, repr=False)
class Stored:
    """A record as its row holds it: values by field, and the cells of newer versions in `ext`.

    `raw` is the row as it stands in the table, from its id on; None while it is in none.
    """

    id: bytes
    ver: int = 0
    deleted: bool = False
    waiting: int = 0
    conflicts: int = 0
    changed_ms: int = 0
    changed_by: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    ext: dict[str, Value] = field(default_factory=dict)
    rowid: int = 0
    raw: tuple[Any, ...] | None = None


class Shape:
    """How one kind lies in the store: its columns and its statements, made once when the store is opened."""

    def __init__(self, kind: Kind) -> None:
        self.kind: Final = kind
        self.table: Final = f"record_{kind.name}"
        self.index: Final = f"words_{kind.name}"  # what search looks in
        self.fields: Final[tuple[tuple[Field, int], ...]] = tuple((f, len(f.type.sql)) for f in kind.fields)
        self.columns: Final = tuple(
            (f"{f.name}{suffix}", sql) for f in kind.fields for suffix, sql in f.type.sql
        )
        # Fields whose cell is their value and their one column: most of a row, and quickest to tell.
        self._plain: Final = {
            f.name: HOLDS[f.type.sql[0][1]]
            for f in kind.fields
            if len(f.type.sql) == 1 and type(f.type).to_columns is FieldType.to_columns and not f.type.several
        }
        self.empty: Final = (None,) * len(self.columns)
        self._places: Final = dict(self._placed())
        self._searched: Final = searched(kind)
        self.known: Final = Known()  # gone with the store: words of its records
        self._updates: dict[tuple[int, ...], str] = {}
        # Rises when a record comes, goes or is called otherwise (rows.write); begins anywhere, so that it says
        # nothing to whoever remembers it from before the store was closed.
        self.turns = int.from_bytes(os.urandom(6), "big")
        names = [f'"{name}"' for name, _sql in (*OURS, *self.columns)]
        listed = ", ".join(names)
        marks = ", ".join("?" * (len(names) + 1))
        self.select: Final = f'SELECT _rowid, {listed} FROM "{self.table}"'
        self.insert: Final = f'INSERT INTO "{self.table}" (_rowid, {listed}) VALUES ({marks})'
        self._names: Final = tuple(names)
        places = {name: at for at, (name, _sql) in enumerate((*OURS, *self.columns))}
        self.tallies: Final = tuple(Tally(kind, each, self.table, places) for each in kind.totals)
        told = {f"{f.name}{suffix}" for f in kind.fields if f.name in _TELLING for suffix, _sql in f.type.sql}
        told |= {name for name, _sql in OURS if name in _TELLING}
        # Places of what its records are told from each other by.
        self.telling: Final = frozenset(at for name, at in places.items() if kind.alike and name in told)
        self.tallied: Final = frozenset(at for tally in self.tallies for at in tally.places)

    def _placed(self) -> Iterator[tuple[str, tuple[int, Callable[[Value], tuple[Any, ...]] | None]]]:
        """Where a field's columns begin in a row, and what makes them of its value; None where that is the value."""
        at = len(OURS)
        for f, width in self.fields:
            plain = width == 1 and type(f.type).to_columns is FieldType.to_columns
            yield f.name, (at, None if plain else f.type.to_columns)
            at += width

    def place(self, name: str) -> int:
        """Where a field's columns begin in a row."""
        return self._places[name][0]

    def key(self, values: Mapping[str, Value]) -> str:
        """The title as lists order it and as its beginning is searched."""
        title = values.get(self.kind.title)
        return fold_key(title) if isinstance(title, str) else ""

    def title(self, values: Mapping[str, Value]) -> str:
        """The title as it is shown, "" when there is none."""
        title = values.get(self.kind.title)
        if title is None:
            return ""
        type_ = self.kind.by_name[self.kind.title].type
        return type_.label(title) if isinstance(type_, Choice) else str(title)

    def row(self, stored: Stored) -> list[Any]:
        """What the columns hold, in their order."""
        values, ext = stored.values, stored.ext
        row = [
            stored.id, stored.ver, int(stored.deleted), stored.waiting, stored.conflicts, stored.changed_ms,
            stored.changed_by, self.key(values), pack(ext) if ext else None,
        ]  # fmt: skip
        row += self.empty
        for name, value in values.items():
            at, to_columns = self._places[name]
            if to_columns is None:
                row[at] = value
            elif value is not None:
                columns = to_columns(value)
                row[at : at + len(columns)] = columns
        return row

    def stored(self, row: tuple[Any, ...]) -> Stored:
        """The record that `select` read."""
        values: dict[str, Value] = {}
        at = 1 + len(OURS)
        for f, width in self.fields:
            if row[at] is not None:
                values[f.name] = f.type.from_columns(row[at : at + width])
            at += width
        return Stored(
            row[1], row[2], bool(row[3]), row[4], row[5], row[6], row[7], values,
            unpack(row[9]) if row[9] else {}, row[0], row[1:],
        )  # fmt: skip

    def update(self, places: tuple[int, ...]) -> str:
        """The statement that sets the columns at these places of a row, and no other: their indexes alone move."""
        if places not in self._updates:
            sets = ", ".join(f"{self._names[at]} = ?" for at in places)
            self._updates[places] = f'UPDATE "{self.table}" SET {sets} WHERE _rowid = ?'
        return self._updates[places]

    def cells(self, stored: Stored) -> dict[str, Value]:
        """The record as flat cells, those of newer versions too."""
        return {**self.kind.cells(stored.values), **stored.ext}

    def split(self, cells: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, Value]]:
        """Cells as values by field, and the cells that this version cannot show, carried as they are."""
        values: dict[str, Value] = {}
        ext: dict[str, Value] = {}
        plain, by_name, tags = self._plain, self.kind.by_name, set()
        for cell, value in cells.items():
            if value is None:
                continue
            type_ = type(value)
            if plain.get(cell) is type_ and (type_ is not int or -WIDE <= value < WIDE):
                values[cell] = value
                continue
            name, slash, element = cell.partition("/")
            field_ = by_name.get(name)
            if field_ is None or bool(slash) is not field_.type.several or not _fits(field_, value):
                ext[cell] = value
            elif not slash:
                values[name] = value
            elif isinstance(field_.type, Tags):
                values.setdefault(name, []).append(element)
                tags.add(name)
            else:
                values.setdefault(name, []).append({"id": element, **value})
        for name in tags:
            values[name].sort()
        return values, ext

    def found_by(self, before: Stored | None, after: Stored | None) -> str | None:
        """The text of a record in the search index, "" for none; None where it stays."""
        was = before.values if before is not None and not before.deleted else {}
        now = after.values if after is not None and not after.deleted else {}
        if was and all(was.get(each[0]) == now.get(each[0]) for each in self._searched):
            return None
        return self.words(now)

    def words(self, values: Mapping[str, Value]) -> str:
        """The text of a record in the search index."""
        return text_of(self._searched, values, self.known)


def _fits(field_: Field, value: Value) -> bool:
    """Whether the columns of a field can hold one of its cells as it came over the wire."""
    type_ = field_.type
    if isinstance(type_, Tags):
        return value is True
    if type_.several:
        return (type(value) is dict or isinstance(value, Mapping)) and is_element(value)
    return columns_of(field_, value) is not None


def is_element(value: Mapping[str, Value]) -> bool:
    """Whether one of several values is of texts, as it must be to be shown and found."""
    return type(value.get("value")) is str and type(value.get("label", "")) is str


def columns_of(field_: Field, value: Value) -> tuple[Any, ...] | None:
    """What the columns of a field hold for a value as it came over the wire; None where they cannot hold it."""
    try:
        columns = field_.type.to_columns(value)
    except (TypeError, KeyError, AttributeError, ValueError):
        return None
    for (_suffix, sql), column in zip(field_.type.sql, columns, strict=True):
        if not isinstance(column, HOLDS[sql]) or (type(column) is int and not -WIDE <= column < WIDE):
            return None
    return columns


def shapes(kinds: Mapping[str, Kind]) -> dict[str, Shape]:
    """The shape of every kind, by its name."""
    return {name: Shape(kind) for name, kind in kinds.items()}


# --- indexes -----------------------------------------------------------------------------------------


def orders_of(kind: Kind) -> tuple[str, ...]:
    """The orders that lists of a kind offer, without their direction: "" for the title, "changed", the side field."""
    return ("", "changed", kind.side) if kind.side and kind.side != kind.title else ("", "changed")


def index_name(shape: Shape, order: str) -> str:
    """The index that holds an offered order."""
    return f"{shape.table}_by_{order}" if order else f"{shape.table}_key"


def ahead_index(shape: Shape) -> str:
    """The index of what lies ahead: each person's records that are not over, by day or moment."""
    return f"{shape.table}_ahead"


def not_over(kind: Kind, ahead: Ahead) -> str:
    """Which records lie ahead, in the very words that the index is made with: only so does SQLite use it."""
    name, values = ahead.over
    field_ = kind.by_name[name]
    held = [field_.type.to_columns(value)[0] for value in values]
    listed = ", ".join(str(value) if isinstance(value, int) else f"'{value}'" for value in held)
    return f'"{ahead.when}" IS NOT NULL AND coalesce("{name}", \'\') NOT IN ({listed})'


def order_column(field_: Field) -> str:
    """The column by which a choice is ordered: its place among the choices; named for those that there are."""
    assert isinstance(field_.type, Choice)  # noqa: S101 - the caller has looked
    return f"_place_{field_.name}_{zlib.crc32(' '.join(field_.type.values).encode()):08x}"


def indexes_of(shape: Shape) -> Iterator[tuple[str, str]]:
    """Name and statement of every index of a kind: one for each offered order and each filter that many use."""
    for order in orders_of(shape.kind):
        yield _index(shape, index_name(shape, order), _held(shape, order))
    ahead = shape.kind.ahead
    if ahead is not None:
        # SQLite asks the conditions again of each entry: what they are about stands in it, or it would read the row.
        columns = f'"{ahead.whose}" COLLATE NOCASE, "{ahead.when}", _rowid, "{ahead.over[0]}", _deleted'
        yield _index(shape, ahead_index(shape), columns, f" AND {not_over(shape.kind, ahead)}")
    for f, _width in shape.fields:
        name = f"{shape.table}_{f.name}"
        if isinstance(f.type, Ref):
            yield _index(shape, name, f'"{f.name}", _key', f' AND "{f.name}" IS NOT NULL')
        elif f.name == NUMBER:
            yield _index(shape, name, f'"{f.name}"', f' AND "{f.name}" IS NOT NULL')
        elif f.column and isinstance(f.type, Person):
            yield _index(shape, name, f'"{f.name}" COLLATE NOCASE, _rowid')
        elif f.column and isinstance(f.type, (Choice, Flag)) and f.name not in orders_of(shape.kind):
            yield _index(shape, name, f'"{f.name}", _rowid')


def _index(shape: Shape, name: str, columns: str, more: str = "") -> tuple[str, str]:
    return name, f'CREATE INDEX "{name}" ON "{shape.table}" ({columns}) WHERE _deleted = 0{more}'


def _held(shape: Shape, order: str) -> str:
    """The columns of an order's index."""
    if order in ("", "changed"):
        return f"{'_changed_ms' if order else '_key'}, _rowid"
    field_ = shape.kind.by_name[order]
    return f'"{order_column(field_) if isinstance(field_.type, Choice) else order}", _rowid'
