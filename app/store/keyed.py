"""What is noted of records that may be duplicates while rows are written: which have changed, where joined ones went.

The keys themselves are made behind (duplicates.py), so that a save and a page pay for a note at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from app.store import alike
from app.store.db import Database
from app.store.schema import Shape, Stored
from sync.protocol.kinds import pairs

KEYS: Final = "alike_"  # and the name of a kind: the table with the keys of its rows
# By table, what makes it: `duplicate` holds the pairs, `duplicate_left` how far rows of a kind have keys,
# `duplicate_row` those of them that have changed since, `joined` where joined records went.
_MADE: Final = {
    "duplicate_left": "CREATE TABLE duplicate_left (kind TEXT PRIMARY KEY, rule INTEGER NOT NULL,"
    " upto INTEGER NOT NULL) WITHOUT ROWID",
    "duplicate_row": "CREATE TABLE duplicate_row (kind TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (kind, row))"
    " WITHOUT ROWID",
    "duplicate": "CREATE TABLE duplicate (a BLOB NOT NULL, b BLOB NOT NULL, kind TEXT NOT NULL, why TEXT NOT NULL,"
    " PRIMARY KEY (a, b)) WITHOUT ROWID; CREATE INDEX duplicate_b ON duplicate (b)",
    "joined": "CREATE TABLE joined (gone BLOB NOT NULL, remains BLOB NOT NULL, PRIMARY KEY (gone, remains))"
    " WITHOUT ROWID; CREATE INDEX joined_remains ON joined (remains)",
}  # fmt: skip


def keys_of(shape: Shape) -> str:
    """The table with the keys of a kind's rows."""
    return f"{KEYS}{shape.kind.name}"


def made(shapes: Iterable[Shape]) -> dict[str, str]:
    """By table, the statements that make it, parted by ";"."""
    found = dict(_MADE)
    for shape in shapes:
        if shape.kind.alike:
            table = keys_of(shape)
            found[table] = (
                f"CREATE TABLE {table} (row INTEGER NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (row, key))"
                f" WITHOUT ROWID; CREATE INDEX {table}_key ON {table} (key)"
            )
    return found


def begin(db: Database, shape: Shape) -> None:
    """Have no row of a kind looked at yet. In a transaction."""
    kind = shape.kind.name
    for table in ("duplicate_row", "duplicate"):
        db.execute(f"DELETE FROM {table} WHERE kind = ?", (kind,))
    db.execute(f"DELETE FROM {keys_of(shape)}")
    db.execute(
        "INSERT OR REPLACE INTO duplicate_left (kind, rule, upto) VALUES (?, ?, 0)", (kind, alike.RULE)
    )


def upto(db: Database, shape: Shape) -> int:
    """Rows with rowids up to this have keys, but for those that are noted."""
    row = db.first("SELECT upto FROM duplicate_left WHERE kind = ?", (shape.kind.name,))
    return int(row[0]) if row is not None else 0


def note(db: Database, shape: Shape, rowids: Iterable[int]) -> None:
    """These rows are told by something else now. In their transaction."""
    values = [(shape.kind.name, rowid) for rowid in rowids]
    if values and shape.kind.alike:
        db.executemany("INSERT OR IGNORE INTO duplicate_row (kind, row) VALUES (?, ?)", values)


def note_new(db: Database, shape: Shape, first: int, count: int) -> None:
    """So many new rows from this one on: those behind the rows that have keys need no note. In their transaction."""
    if shape.kind.alike:
        note(db, shape, range(first, min(first + count, upto(db, shape) + 1)))


def note_gone(db: Database, shape: Shape, gone: Sequence[tuple[int, bytes]]) -> None:
    """Rows that are here no more, by rowid and id: nothing of them stays. In their transaction."""
    if not shape.kind.alike or not gone:
        return
    db.executemany(f"DELETE FROM {keys_of(shape)} WHERE row = ?", [(row,) for row, _id in gone])
    db.executemany("DELETE FROM duplicate WHERE a = ?1 OR b = ?1", [(id_,) for _row, id_ in gone])
    db.executemany("DELETE FROM joined WHERE remains = ?", [(id_,) for _row, id_ in gone])


def note_joined(db: Database, shape: Shape, before: Stored | None, after: Stored | None) -> None:
    """What a row says of records that were joined into it is known by their ids. In its transaction."""
    was, now = _joined(before), _joined(after)
    stored = after or before
    if was == now or stored is None or not shape.kind.alike:
        return
    db.executemany(
        "DELETE FROM joined WHERE gone = ? AND remains = ?", [(id_, stored.id) for id_ in was - now]
    )
    db.executemany(
        "INSERT OR IGNORE INTO joined (gone, remains) VALUES (?, ?)", [(id_, stored.id) for id_ in now - was]
    )
    # Whether one of them is kept all the same is to be seen.
    others = (db.first(f'SELECT _rowid FROM "{shape.table}" WHERE _id = ?', (id_,)) for id_ in was ^ now)
    note(db, shape, [other[0] for other in others if other is not None])


def _joined(stored: Stored | None) -> set[bytes]:
    return set(pairs.named(stored.ext, pairs.JOINED)) if stored is not None and stored.ext else set()
