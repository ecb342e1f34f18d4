"""Brings the words of rows that a search index does not hold yet into it, the newest first, while the store is in use.

A file of an older version gets an empty index as it opens, and search finds more from step to step. Each step is one
transaction and says how far it came, so it may end anywhere and goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from app.store import rows, space
from app.store.db import Database
from app.store.reader import Reader
from app.store.schema import Shape, Stored

TABLE: Final = "indexing"
# By kind: rows with rowids below this may be missing in the index, unless they were written since.
MADE: Final = f"CREATE TABLE {TABLE} (kind TEXT PRIMARY KEY, below INTEGER NOT NULL) WITHOUT ROWID"
ROWS: Final = 125  # in one step: some 20 milliseconds, which a save may have to wait
_ROW: Final = 1024  # bytes of disk for each row, in the log before all
_ROOM: Final = 2**27  # more is not needed: the log begins anew, and the old index goes first
_MANY: Final = 16  # pieces of one size before they are merged: fewer would have each row written once more
_FEW: Final = 4  # as upkeep merges them later
_PAGES: Final = 64  # of index merged in one step
_BLOCKS: Final = 512  # of an old index that go in one step
_OLD: Final = ("find", "notes", "sounds")  # indexes of a kind up to version 5


def begin(db: Database, shape: Shape) -> None:
    """The index of a kind is empty: what rows there are is to come in. In a transaction."""
    (last,) = db.one(f'SELECT coalesce(max(_rowid), 0) FROM "{shape.table}"')
    if last or _old(db, shape):
        db.execute(f"INSERT OR REPLACE INTO {TABLE} (kind, below) VALUES (?, ?)", (shape.kind.name, last + 1))
        _merge_at(db, shape, _MANY)


def done(db: Database, shape: Shape) -> None:
    """The index of a kind holds every row. In a transaction."""
    db.execute(f"DELETE FROM {TABLE} WHERE kind = ?", (shape.kind.name,))
    _merge_at(db, shape, _FEW)


def below(db: Database, shape: Shape) -> int:
    """The rowid from which on the index of a kind is whole; 0 when all of it is."""
    row = db.first(f"SELECT below FROM {TABLE} WHERE kind = ?", (shape.kind.name,))
    return 0 if row is None else int(row[0])


def left(store: Reader) -> tuple[int, int]:
    """How many rows are still to come into search, about, and how many there are of the kinds that they are of."""
    missing = whole = 0
    for kind, at in store.db.all(f"SELECT kind, below FROM {TABLE}"):
        if (shape := store.shapes.get(kind)) is not None:
            missing += at - 1
            whole += max(
                at - 1, int(store.db.one(f'SELECT coalesce(max(_rowid), 0) FROM "{shape.table}"')[0])
            )
    return missing, whole


def put(db: Database, shape: Shape, some: Sequence[Stored]) -> None:
    """Bring these rows into the index. In a transaction."""
    words = ((stored.rowid, shape.words(stored.values)) for stored in some if not stored.deleted)
    rows.write_words(db, shape.index, [each for each in words if each[1]], ())


def step(store: Reader) -> bool:
    """Bring some more rows in; whether there may be more to do. Raises NoSpace."""
    db = store.db
    found = db.first(f"SELECT kind, below FROM {TABLE} ORDER BY below DESC LIMIT 1")
    if found is None:
        return False
    kind, at = found
    if kind not in store.shapes:  # of a newer version
        with db.write(durable=False):
            db.execute(f"DELETE FROM {TABLE} WHERE kind = ?", (kind,))
        return True
    shape = store.shapes[kind]
    if _old_goes(db, shape):
        return True
    space.needed(db.folder, min(at * _ROW, _ROOM))
    with db.write(durable=False):
        # Read inside the transaction: another process that writes rows must not do it in between.
        some = db.all(f"{shape.select} WHERE _rowid < ? ORDER BY _rowid DESC LIMIT ?", (at, ROWS))
        put(db, shape, [shape.stored(row) for row in some])
        if len(some) < ROWS:
            done(db, shape)
        else:
            db.execute(f"UPDATE {TABLE} SET below = ? WHERE kind = ?", (some[-1][0], kind))
        db.execute(f'INSERT INTO "{shape.index}" ("{shape.index}", rank) VALUES (\'merge\', ?)', (_PAGES,))
    return True


def _merge_at(db: Database, shape: Shape, count: int) -> None:
    db.execute(f'INSERT INTO "{shape.index}" ("{shape.index}", rank) VALUES (\'usermerge\', ?)', (count,))


def any_old(db: Database, shapes: Iterable[Shape]) -> bool:
    """Whether one of these kinds has an old index yet."""
    return any(_old(db, shape) for shape in shapes)


def drop_old(db: Database, shape: Shape) -> None:
    """Take the old indexes of a kind away whole, with the words of records that go. In a transaction that builds."""
    while name := _old(db, shape):
        db.execute(f'DROP TABLE "{name}"')


def _old(db: Database, shape: Shape) -> str:
    """An old index that is still there, "" for none."""
    names = [f"{each}_{shape.kind.name}" for each in _OLD]
    found = db.first("SELECT name FROM sqlite_master WHERE name IN (?, ?, ?)", names)
    return "" if found is None else str(found[0])


def _old_goes(db: Database, shape: Shape) -> bool:
    """Take a little of an old index away, so that the new one gets its room; whether there was one."""
    name = _old(db, shape)
    if not name:
        return False
    some = f'SELECT id FROM "{name}_data" ORDER BY id DESC LIMIT {_BLOCKS}'
    if db.one(f"SELECT count(*) FROM ({some})")[0] == _BLOCKS:
        with db.write(durable=False):
            db.execute(f'DELETE FROM "{name}_data" WHERE id IN ({some})')
    else:
        with db.building():
            db.execute(f'DROP TABLE "{name}"')
    return True
