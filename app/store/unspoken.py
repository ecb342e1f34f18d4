"""Records that came here in a history that is lost, and of which the server that was restored has said nothing yet.

All that are here are noted when the restore is heard of, and the new history is read from its start; what it speaks of
is noted no more. The others the server does not know, since who made them has not come yet; or it knows nothing of what
brought them into this person's sight, and would tell everybody else's records by naming it. It is asked about each.
"""

# Only names of tables of ours and "?" are put into statements; every value is bound.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from app.store.db import Database
from app.store.rows import CHUNK, marks
from app.store.schema import Shape

TABLE: Final = "unspoken"
MADE: Final = f"CREATE TABLE {TABLE} (id BLOB PRIMARY KEY, kind TEXT NOT NULL) WITHOUT ROWID"


def note(db: Database, shape: Shape) -> None:
    """All rows of a kind: which of them the new history shows to this person, nobody knows. In a transaction."""
    db.execute(f'INSERT OR IGNORE INTO {TABLE} SELECT _id, ? FROM "{shape.table}"', (shape.kind.name,))


def spoken(db: Database, ids: Iterable[bytes]) -> None:
    """The new history has spoken of these. In a transaction."""
    if db.first(f"SELECT 1 FROM {TABLE} LIMIT 1") is not None:
        db.executemany(f"DELETE FROM {TABLE} WHERE id = ?", [(id_,) for id_ in ids])


def some(db: Database, shapes: Mapping[str, Shape], after: bytes) -> tuple[list[bytes], bytes]:
    """Those of the next noted records on which nothing waits, and the id to go on behind, b"" at the end. Of those that
    are not here any more the note goes. One transaction.
    """
    noted = db.all(f"SELECT id, kind FROM {TABLE} WHERE id > ? ORDER BY id LIMIT ?", (after, CHUNK))
    if not noted:
        return [], b""
    by_kind: dict[str, list[bytes]] = {}
    for id_, kind in noted:
        by_kind.setdefault(kind, []).append(id_)
    there: dict[bytes, int] = {}
    for kind, ids in by_kind.items():
        if kind in shapes:
            asked = f'SELECT _id, _waiting FROM "{shapes[kind].table}" WHERE _id IN ({marks(len(ids))})'
            there.update(db.all(asked, ids))
    with db.write(durable=False):
        spoken(db, [id_ for id_, _kind in noted if id_ not in there])
    found = [id_ for id_, waiting in there.items() if not waiting]
    return found, noted[-1][0] if len(noted) == CHUNK else b""
