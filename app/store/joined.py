"""Where records went that were joined into others, so that whatever refers to one leads to the record that remains."""

from __future__ import annotations

from typing import Final

from app.store.reader import Reader

STEPS_MAX: Final = 16  # from a record that was joined to the one that remains in the end
JOINED_MAX: Final = (
    STEPS_MAX * STEPS_MAX
)  # records that are looked at, from one into which others were joined


def remains_of(store: Reader, id_: bytes) -> bytes:
    """The kept record into which that one was joined, itself where it was not, or where it is kept."""
    at, seen = id_, {id_}
    for _step in range(STEPS_MAX):
        if _kept(store, at):
            return at
        above = store.db.all("SELECT remains FROM joined WHERE gone = ? ORDER BY remains", (at,))
        found = [each for (each,) in above if each not in seen]
        if not found:
            break
        at = next((each for each in found if _kept(store, each)), found[0])
        seen.add(at)
    return at if _kept(store, at) else id_


def joined_into(store: Reader, id_: bytes) -> list[bytes]:
    """The records that were joined into that one, directly and by way of others; those that are kept are none.

    What a record says of this is its author's word: it may go round in a circle, or name many.
    """
    found: list[bytes] = []
    left, seen = [id_], {id_}
    while left and len(seen) <= JOINED_MAX:
        asked = "SELECT gone FROM joined WHERE remains = ? LIMIT ?"
        some = [gone for (gone,) in store.db.all(asked, (left.pop(), JOINED_MAX)) if gone not in seen]
        found += (gone for gone in some if not _kept(store, gone))
        seen.update(some)
        left += some
    return found[:JOINED_MAX]


def _kept(store: Reader, id_: bytes) -> bool:
    for shape in store.shapes.values():
        if shape.kind.alike:
            row = store.db.first(f'SELECT _deleted FROM "{shape.table}" WHERE _id = ?', (id_,))
            if row is not None:
                return not row[0]
    return False
