"""The table of kinds as tables: what each kind's rows look like, and the statements that make and fill them.

A kind's table is `record_<kind>`. Names that begin with `_` are ours; all others are fields of the table of
kinds, each with the columns its type asks for. A field added there is a column added here at the next open.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.store.db import Database
from app.store.words import fold_key, searched, texts_of
from sync.protocol.codec import pack, unpack
from sync.protocol.fields import Choice, Field, FieldType, Find, Flag, Person, Ref, Tags, Value
from sync.protocol.kinds import Kind

VERSION: Final = 1

_HOLDS: Final = {"TEXT": str, "INTEGER": int, "BLOB": bytes}

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

_TABLES: Final = """
CREATE TABLE here (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    device BLOB NOT NULL, incarnation BLOB NOT NULL, person TEXT NOT NULL,
    next_n INTEGER NOT NULL, hlc INTEGER NOT NULL, acked_n INTEGER NOT NULL, durable_seq INTEGER NOT NULL,
    cursor BLOB NOT NULL, sealed INTEGER NOT NULL
);
CREATE TABLE counts (kind TEXT PRIMARY KEY, kept INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (
    n INTEGER PRIMARY KEY, first INTEGER NOT NULL, kind TEXT NOT NULL, id BLOB NOT NULL, size INTEGER NOT NULL,
    op BLOB NOT NULL
);
CREATE INDEX outbox_id ON outbox (id);
CREATE TABLE base (
    id BLOB PRIMARY KEY, kind TEXT NOT NULL, ver INTEGER NOT NULL, deleted INTEGER NOT NULL, cells BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE op_archive (
    incarnation BLOB NOT NULL, n INTEGER NOT NULL, id BLOB NOT NULL, ver INTEGER NOT NULL,
    acked_ms INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0, op BLOB NOT NULL,
    PRIMARY KEY (incarnation, n)
) WITHOUT ROWID;
CREATE INDEX op_archive_id ON op_archive (id);
CREATE TABLE attention (
    incarnation BLOB NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, id BLOB NOT NULL, code TEXT NOT NULL,
    hint TEXT NOT NULL, at_ms INTEGER NOT NULL, op BLOB,
    PRIMARY KEY (incarnation, n)
) WITHOUT ROWID;
CREATE INDEX attention_id ON attention (id);
CREATE TABLE conflict (
    id BLOB PRIMARY KEY, kind TEXT NOT NULL, record BLOB NOT NULL, ver INTEGER NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX conflict_record ON conflict (record);
CREATE TABLE sealed (
    place INTEGER PRIMARY KEY, incarnation BLOB NOT NULL, first_n INTEGER NOT NULL, last_n INTEGER NOT NULL,
    length INTEGER NOT NULL, digest BLOB NOT NULL
);
CREATE TABLE packet (id BLOB PRIMARY KEY, reported INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE recovered (
    device BLOB NOT NULL, incarnation BLOB NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (device, incarnation, n)
) WITHOUT ROWID;
"""


@dataclass(slots=True, repr=False)
class Stored:
    """A record as its row holds it: values by field, and the cells of newer versions in `ext`."""

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


class Shape:
    """How one kind lies in the store: its columns and its statements, made once when the store is opened."""

    def __init__(self, kind: Kind) -> None:
        self.kind: Final = kind
        self.table: Final = f"record_{kind.name}"
        self.find: Final = f"find_{kind.name}"
        self.notes: Final = f"notes_{kind.name}"
        self.fields: Final[tuple[tuple[Field, int], ...]] = tuple((f, len(f.type.sql)) for f in kind.fields)
        self.columns: Final = tuple(
            (f"{f.name}{suffix}", sql) for f in kind.fields for suffix, sql in f.type.sql
        )
        # Fields whose cell is their value and their one column: most of a row, and quickest to tell.
        self._texts: Final = frozenset(
            f.name
            for f in kind.fields
            if f.type.sql == FieldType.sql and type(f.type).to_columns is FieldType.to_columns
        )
        self._searched: Final = searched(kind)
        self.has_find: Final = bool(kind.searched(Find.NAME, Find.WORDS, Find.DIGITS))
        self.has_notes: Final = bool(kind.searched(Find.NOTES))
        names = [f'"{name}"' for name, _sql in (*OURS, *self.columns)]
        listed = ", ".join(names)
        marks = ", ".join("?" * (len(names) + 1))
        self.select: Final = f'SELECT _rowid, {listed} FROM "{self.table}"'
        self.insert: Final = f'INSERT INTO "{self.table}" (_rowid, {listed}) VALUES ({marks})'
        sets = ", ".join(f"{name} = ?" for name in names)
        self.update: Final = f'UPDATE "{self.table}" SET {sets} WHERE _rowid = ?'

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
        for f, width in self.fields:
            value = values.get(f.name)
            if value is None:
                row.extend((None,) * width)
            else:
                row.extend(f.type.to_columns(value))
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
            unpack(row[9]) if row[9] else {}, row[0],
        )  # fmt: skip

    def cells(self, stored: Stored) -> dict[str, Value]:
        """The record as flat cells, those of newer versions too."""
        return {**self.kind.cells(stored.values), **stored.ext}

    def split(self, cells: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, Value]]:
        """Cells as values by field, and the cells that this version cannot show, carried as they are."""
        values: dict[str, Value] = {}
        others: dict[str, Value] = {}
        ext: dict[str, Value] = {}
        for cell, value in cells.items():
            if value is None:
                continue
            if type(value) is str and cell in self._texts:
                values[cell] = value
                continue
            name, slash, _element = cell.partition("/")
            field_ = self.kind.by_name.get(name)
            if field_ is not None and bool(slash) is field_.type.several and _fits(field_, value):
                others[cell] = value
            else:
                ext[cell] = value
        values.update(self.kind.values(others))
        return values, ext

    def found_by(
        self, before: Stored | None, after: Stored | None
    ) -> tuple[tuple[str, str], tuple[str, str]]:
        """The words under which search found a record before and finds it after, each with those of its notes."""
        was = before.values if before is not None and not before.deleted else {}
        now = after.values if after is not None and not after.deleted else {}
        if all(was.get(name) == now.get(name) for name, _how, _words in self._searched):
            return ("", ""), ("", "")
        return texts_of(self._searched, was), texts_of(self._searched, now)


def _fits(field_: Field, value: Value) -> bool:
    """Whether the columns of a field can hold one of its cells as it came over the wire."""
    type_ = field_.type
    if isinstance(type_, Tags):
        return value is True
    if type_.several:
        return isinstance(value, Mapping) and isinstance(value.get("value"), str)
    try:
        columns = type_.to_columns(value)
    except (TypeError, KeyError, AttributeError, ValueError):
        return False
    return all(
        isinstance(column, _HOLDS[sql]) and (type(column) is not int or -(2**63) <= column < 2**63)
        for (_suffix, sql), column in zip(type_.sql, columns, strict=True)
    )


def shapes(kinds: Mapping[str, Kind]) -> dict[str, Shape]:
    """The shape of every kind, by its name."""
    return {name: Shape(kind) for name, kind in kinds.items()}


def build(db: Database, known: Mapping[str, Shape]) -> None:
    """Make every table, index and column that is not there yet; what is there stays as it is."""
    wanted = set(known)
    there = {name for (name,) in db.all("SELECT name FROM sqlite_master WHERE type = 'table'")}
    indexes = dict(db.all("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    columns = {name: set(_columns(db, known[name].table)) for name in wanted if known[name].table in there}
    complete = db.version == VERSION and all(
        name in columns
        and {column for column, _sql in known[name].columns} <= columns[name]
        and all(indexes.get(index) == sql for index, sql in indexes_of(known[name]))
        for name in wanted
    )
    if complete:
        return
    with db.building():
        if db.version == 0:
            for statement in _TABLES.split(";"):
                if statement.strip():
                    db.execute(statement)
        for shape in known.values():
            _build_kind(db, shape, columns.get(shape.kind.name), indexes)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.version = VERSION


def _columns(db: Database, table: str) -> list[str]:
    return [name for (name,) in db.all("SELECT name FROM pragma_table_info(?)", (table,))]


# --- indexes -----------------------------------------------------------------------------------------


def orders_of(kind: Kind) -> tuple[str, ...]:
    """The orders that lists of a kind offer, without their direction: "" for the title, "changed", the side field."""
    return ("", "changed", kind.side) if kind.side and kind.side != kind.title else ("", "changed")


def index_name(shape: Shape, order: str) -> str:
    """The index that holds an offered order."""
    return f"{shape.table}_by_{order}" if order else f"{shape.table}_key"


def order_column(field_: Field) -> str:
    """The column by which a choice is ordered: its place among the choices; named for those that there are."""
    assert isinstance(field_.type, Choice)  # noqa: S101 - the caller has looked
    return f"_place_{field_.name}_{zlib.crc32(' '.join(field_.type.values).encode()):08x}"


def indexes_of(shape: Shape) -> Iterator[tuple[str, str]]:
    """Name and statement of every index of a kind: one for each offered order and each filter that many use."""
    for order in orders_of(shape.kind):
        yield _index(shape, index_name(shape, order), _held(shape, order))
    for f, _width in shape.fields:
        name = f"{shape.table}_{f.name}"
        if isinstance(f.type, Ref):
            yield _index(shape, name, f'"{f.name}", _key', f' AND "{f.name}" IS NOT NULL')
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


def _add_order_columns(db: Database, shape: Shape) -> None:
    """Choices are ordered by their place, which is computed where it is read and stored in the index alone."""
    there = {name for (name,) in db.all("SELECT name FROM pragma_table_xinfo(?)", (shape.table,))}
    for order in orders_of(shape.kind):
        type_ = shape.kind.by_name[order].type if order in shape.kind.by_name else None
        if isinstance(type_, Choice) and (column := order_column(shape.kind.by_name[order])) not in there:
            places = " ".join(f"WHEN '{word}' THEN {place}" for place, word in enumerate(type_.values))
            db.execute(
                f'ALTER TABLE "{shape.table}" ADD COLUMN "{column}" INTEGER'
                f' GENERATED ALWAYS AS (CASE "{order}" {places} END) VIRTUAL'
            )


def _build_kind(db: Database, shape: Shape, there: set[str] | None, indexes: Mapping[str, str]) -> None:
    if there is None:
        declared = ", ".join(f'"{name}" {sql}' for name, sql in (*OURS, *shape.columns))
        db.execute(f'CREATE TABLE "{shape.table}" (_rowid INTEGER PRIMARY KEY, {declared})')
        made = "USING fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii'"
        if shape.has_find:
            db.execute(f"CREATE VIRTUAL TABLE \"{shape.find}\" {made}, prefix='1 2 3')")
        if shape.has_notes:
            db.execute(f'CREATE VIRTUAL TABLE "{shape.notes}" {made})')
        db.execute("INSERT INTO counts (kind, kept) VALUES (?, 0)", (shape.kind.name,))
    else:
        for name, sql in shape.columns:
            if name not in there:
                db.execute(f'ALTER TABLE "{shape.table}" ADD COLUMN "{name}" {sql}')
    _add_order_columns(db, shape)
    for name, sql in indexes_of(shape):
        if indexes.get(name) != sql:
            if name in indexes:
                db.execute(f'DROP INDEX "{name}"')
            db.execute(sql)
