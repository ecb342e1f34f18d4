"""Makes anew what is read off the rows: search words, title keys, figures. Rows and unsent work stay as they are."""

from __future__ import annotations

from collections.abc import Iterator

from app.store.db import Database
from app.store.schema import Shape, Stored

PIECE = 2_000  # rows read at once


def fill(db: Database, shape: Shape, index: str) -> None:
    """Put the words of all rows in an empty search index. In a transaction."""
    for some in _pieces(db, shape):
        words = ((stored.rowid, shape.words(index, stored.values)) for stored in some if not stored.deleted)
        put = [(rowid, text) for rowid, text in words if text]
        db.executemany(f'INSERT INTO "{index}" (rowid, t) VALUES (?, ?)', put)


def again(db: Database, shape: Shape, index: str) -> None:
    """Cut the words of a search index anew. In a transaction."""
    db.execute(f'INSERT INTO "{index}" ("{index}") VALUES (\'delete-all\')')
    fill(db, shape, index)


def everything(db: Database, shape: Shape) -> None:
    """All of it, for one kind. In a transaction."""
    for index in shape.indexes:
        again(db, shape, index)
    for some in _pieces(db, shape):
        keys = [(shape.key(stored.values), stored.rowid) for stored in some]
        db.executemany(f'UPDATE "{shape.table}" SET _key = ?1 WHERE _rowid = ?2 AND _key <> ?1', keys)
    db.execute(
        f'UPDATE counts SET kept = (SELECT count(*) FROM "{shape.table}" NOT INDEXED WHERE _deleted = 0)'
        " WHERE kind = ?",
        (shape.kind.name,),
    )
    for tally in shape.tallies:
        tally.fill(db)


def _pieces(db: Database, shape: Shape) -> Iterator[list[Stored]]:
    after = 0
    while True:
        rows = db.all(f"{shape.select} WHERE _rowid > ? ORDER BY _rowid LIMIT ?", (after, PIECE))
        if not rows:
            return
        yield [shape.stored(row) for row in rows]
        after = rows[-1][0]
