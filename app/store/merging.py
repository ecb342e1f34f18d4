"""What is done behind in small steps: rows come into search and are looked at for duplicates, indexes are tidied.

Each commit leaves a piece of search index, and many pieces search slower.
"""

from __future__ import annotations

from typing import Final

from app.store import duplicates, indexing
from app.store.store import Store

PAGES: Final = 8  # of index written in one step: a few milliseconds
FEWEST: Final = 4  # pieces of one size that are worth a merge


def step(store: Store, news: set[duplicates.News] | None = None) -> bool:
    """Do a little; whether there may be more to do. One transaction; what a power cut takes of it is done again.

    `news` takes records of which it was found, or is no longer so, that they seem to be one with another.
    """
    behind = indexing.step(store) or duplicates.step(store, news=news)
    return behind or any(_merge(store, shape.index) for shape in store.shapes.values())


def _merge(store: Store, index: str) -> bool:
    db = store.db
    before = db.changes
    with db.write(durable=False):
        db.execute(f'INSERT INTO "{index}" ("{index}", rank) VALUES (\'merge\', ?)', (PAGES,))
    # As FTS5 documents it: one change is the statement itself, a second one says that something was merged.
    return db.changes - before >= 2
