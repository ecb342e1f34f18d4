"""Makes anew what is read off the rows: search words, title keys, figures. Rows and unsent work stay as they are."""

from __future__ import annotations

from collections.abc import Iterator

from app.store import duplicates, indexing
from app.store.db import Database
from app.store.schema import Shape, Stored

PIECE = 2_000  # rows read at once


def words(db: Database, shape: Shape) -> None:
    """Cut the words of all rows anew. In a transaction."""
    db.execute(f'INSERT INTO "{shape.index}" ("{shape.index}") VALUES (\'delete-all\')')
    for some in _pieces(db, shape):
        indexing.put(db, shape, some)
    indexing.done(db, shape)


def everything(db: Database, shape: Shape) -> None:
    """All of it, for one kind. In a transaction."""
    words(db, shape)
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
    duplicates.make_anew(db, shape)


def _pieces(db: Database, shape: Shape) -> Iterator[list[Stored]]:
    after = 0
    while True:
        rows = db.all(f"{shape.select} WHERE _rowid > ? ORDER BY _rowid LIMIT ?", (after, PIECE))
        if not rows:
            return
        yield [shape.stored(row) for row in rows]
        after = rows[-1][0]
