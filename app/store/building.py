"""Makes and keeps the tables of a store: all of a new one, and what a newer version of the program adds to an old one.

What the table of kinds asks for (tables, columns, indexes, totals) is compared and added at each open. What that
cannot tell stands in STEPS, one for each version of the file. All of an opening is one transaction: a store is of
the old version or of the new one, never between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.store import chosen, indexing, keyed, tallies, unspoken
from app.store.db import Database
from app.store.schema import OURS, VERSION, Shape, indexes_of, order_column, orders_of
from sync.protocol.fields import Choice

CRISIS: Final = 256  # pieces of a search index that no commit waits any longer to merge

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
"""
_RECOVERED: Final = """
CREATE TABLE recovered (
    device BLOB NOT NULL, print BLOB NOT NULL, PRIMARY KEY (device, print)
) WITHOUT ROWID
"""

# Tables that came later and begin empty, whatever the file's version.
_LATER: Final = {
    indexing.TABLE: indexing.MADE,
    chosen.TABLE: chosen.MADE,
    unspoken.TABLE: unspoken.MADE,
    "begun": "CREATE TABLE begun (what TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
}


def build(db: Database, known: Mapping[str, Shape]) -> None:
    """Make every table, index and column that is not there yet; what is there stays as it is."""
    wanted = set(known)
    later = {**_LATER, **keyed.made(known.values())}
    there = {name for (name,) in db.all("SELECT name FROM sqlite_master WHERE type = 'table'")}
    indexes = dict(db.all("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    columns = {name: set(_columns(db, known[name].table)) for name in wanted if known[name].table in there}
    totals = {name for name in there if name.startswith(tallies.PREFIX)}
    kept = {tally.table for shape in known.values() for tally in shape.tallies}
    complete = (
        db.version == VERSION
        and there.issuperset(later)
        and totals == kept
        and all(
            name in columns
            and {column for column, _sql in known[name].columns} <= columns[name]
            and known[name].index in there
            and all(indexes.get(index) == sql for index, sql in indexes_of(known[name]))
            for name in wanted
        )
    )
    if complete:
        return
    with db.building():
        if db.version == 0:
            for statement in (*_TABLES.split(";"), _RECOVERED):
                if statement.strip():
                    db.execute(statement)
        for table, made in later.items():
            for statement in made.split(";") if table not in there else ():
                db.execute(statement)
        for shape in known.values():
            _build_kind(db, shape, columns.get(shape.kind.name), indexes)
            _build_search(db, shape, there)
            for tally in shape.tallies:
                if tally.table not in there:
                    tally.make(db)
        for table in totals - kept:  # nobody keeps them any more, so they would soon be wrong
            db.execute(f'DROP TABLE "{table}"')
        for version in range(db.version or VERSION, VERSION):
            STEPS[version](db, known)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.version = VERSION


def _columns(db: Database, table: str) -> list[str]:
    return [name for (name,) in db.all("SELECT name FROM pragma_table_info(?)", (table,))]


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


def _build_search(db: Database, shape: Shape, there: set[str]) -> None:
    """The search index where it is missing, without the words of rows that are there: those come in piece by piece."""
    if shape.index not in there:
        made = "fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii')"
        db.execute(f'CREATE VIRTUAL TABLE "{shape.index}" USING {made}')
        _merge_later(db, shape.index)
        indexing.begin(db, shape)


def _merge_later(db: Database, index: str) -> None:
    """Let no save merge its search index: upkeep does, and a commit only when it fell far behind."""
    for setting, value in (("automerge", 0), ("crisismerge", CRISIS)):
        db.execute(f'INSERT INTO "{index}" ("{index}", rank) VALUES (?, ?)', (setting, value))


def _build_kind(db: Database, shape: Shape, there: set[str] | None, indexes: Mapping[str, str]) -> None:
    if there is None:
        declared = ", ".join(f'"{name}" {sql}' for name, sql in (*OURS, *shape.columns))
        db.execute(f'CREATE TABLE "{shape.table}" (_rowid INTEGER PRIMARY KEY, {declared})')
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


# --- from older files to this one ----------------------------------------------------------------------


def _make_search_anew(_db: Database, _known: Mapping[str, Shape]) -> None:
    """Versions 1, 4 and 5 had other search indexes. The new one is made with whatever is missing, and is filled
    while the store is in use (indexing.py), where the old ones go too."""


def _know_recovered_ops_by_print(db: Database, _known: Mapping[str, Shape]) -> None:
    """Version 2 knew them by their numbers, which copies of a device give out twice. The server knows the old ones."""
    db.execute("DROP TABLE recovered")
    db.execute(_RECOVERED)


def _keep_totals(_db: Database, _known: Mapping[str, Shape]) -> None:
    """Version 3 kept none. They are made with whatever else is missing; who would not keep them may write no more."""


# By the version of a file: what makes it one of the next version.
STEPS: Final[Mapping[int, Callable[[Database, Mapping[str, Shape]], None]]] = {
    1: _make_search_anew,
    2: _know_recovered_ops_by_print,
    3: _keep_totals,
    4: _make_search_anew,
    5: _make_search_anew,
}
# Steps that change nothing but what is read off the rows: of these files no copy is kept, and they open at once.
_READ_OFF: Final = frozenset({4, 5})


def keeps_copy(version: int) -> bool:
    """Whether a copy of a file of this version is kept before it is changed."""
    return not _READ_OFF.issuperset(range(version, VERSION))
