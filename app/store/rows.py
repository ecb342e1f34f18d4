"""Rows of records in bulk: reads them by id, writes them with their search words, count and totals in one go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from app.store import keyed, tallies
from app.store.db import Database
from app.store.schema import Shape, Stored

CHUNK = 500  # ids in one question

Change = tuple[Stored | None, Stored | None]  # a row before and after: None where it was not, or is no more


def chunks(ids: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """`ids` in pieces that one statement takes."""
    for at in range(0, len(ids), CHUNK):
        yield ids[at : at + CHUNK]


def marks(count: int) -> str:
    """That many question marks, for IN (...)."""
    return ", ".join("?" * count)


def fetch(db: Database, shape: Shape, ids: Iterable[bytes]) -> dict[bytes, Stored]:
    """The rows of these ids that there are, tombstones too."""
    return {id_: shape.stored(row) for id_, row in fetch_raw(db, shape, ids).items()}


def fetch_raw(db: Database, shape: Shape, ids: Iterable[bytes]) -> dict[bytes, tuple[Any, ...]]:
    """The same, as `select` reads them."""
    found: dict[bytes, tuple[Any, ...]] = {}
    for some in chunks(list(ids)):
        for row in db.all(f"{shape.select} WHERE _id IN ({marks(len(some))})", some):
            found[row[1]] = row
    return found


def there(db: Database, shape: Shape, ids: Sequence[bytes]) -> set[bytes]:
    """Those of these ids that have a row, tombstones too."""
    found: set[bytes] = set()
    for some in chunks(ids):
        asked = f'SELECT _id FROM "{shape.table}" WHERE _id IN ({marks(len(some))})'
        found.update(id_ for (id_,) in db.all(asked, some))
    return found


def kept_of(db: Database, shapes: Iterable[Shape], ids: Sequence[bytes]) -> int:
    """How many of these ids are records that are not deleted."""
    kept = 0
    for shape in shapes:
        asked = f'SELECT count(*) FROM "{shape.table}" WHERE _deleted = 0 AND _id IN '
        kept += sum(int(db.one(f"{asked}({marks(len(some))})", some)[0]) for some in chunks(ids))
    return kept


def write(db: Database, shape: Shape, changes: Sequence[Change]) -> None:
    """Put rows as they are after: inserted, updated or removed, with search words, count and totals. In a transaction.

    A new row gets its rowid here; an updated one keeps the rowid it had before.
    """
    inserts: list[list[object]] = []
    updates: dict[tuple[int, ...], list[list[object]]] = {}
    removed: list[tuple[int]] = []
    gone: list[tallies.Row] = []
    come: list[tallies.Row] = []
    told: list[int] = []  # rows that are told from others by something else now
    left: list[tuple[int, bytes]] = []
    kept = free = 0
    for before, after in changes:
        kept += _counted(after) - _counted(before)
        shape.turns += _called(shape, before) != _called(shape, after)
        keyed.note_joined(db, shape, before, after)
        if after is None:
            if before is not None:
                removed.append((before.rowid,))
                left.append((before.rowid, before.id))
                gone.append(before.raw or shape.row(before))
        elif before is None:
            if not inserts:
                free = db.one(f'SELECT coalesce(max(_rowid), 0) + 1 FROM "{shape.table}"')[0]
            after.rowid = free + len(inserts)
            row = shape.row(after)
            after.raw = tuple(row)
            inserts.append([after.rowid, *row])
            come.append(row)
        else:
            after.rowid = before.rowid
            row = shape.row(after)
            there = before.raw or (Ellipsis,) * len(row)
            places = tuple(at for at, value in enumerate(row) if value != there[at])
            after.raw = tuple(row)
            if places:
                if not shape.telling.isdisjoint(places):
                    told.append(after.rowid)
                updates.setdefault(places, []).append([*(row[at] for at in places), after.rowid])
                if not shape.tallied.isdisjoint(places):
                    gone.append(before.raw or shape.row(before))
                    come.append(row)
    if inserts:
        db.executemany(shape.insert, inserts)
        keyed.note_new(db, shape, free, len(inserts))
    for places, some in updates.items():
        db.executemany(shape.update(places), some)
    if removed:
        db.executemany(f'DELETE FROM "{shape.table}" WHERE _rowid = ?', removed)
    keyed.note(db, shape, told)
    keyed.note_gone(db, shape, left)
    _write_words(db, shape, changes)
    tallies.move(db, shape.tallies, gone, come, leaving=bool(removed))
    if kept:
        db.execute("UPDATE counts SET kept = kept + ? WHERE kind = ?", (kept, shape.kind.name))


def purge_words(db: Database, shape: Shape) -> None:
    """Rewrite the search index without the words of removed rows, which it keeps until then."""
    db.execute(f'INSERT INTO "{shape.index}" ("{shape.index}") VALUES (\'optimize\')')


def _called(shape: Shape, stored: Stored | None) -> tuple[object, object] | None:
    """Title and number of a kept record."""
    if stored is None or stored.deleted:
        return None
    return stored.values.get(shape.kind.title), stored.values.get("number")


def _counted(stored: Stored | None) -> int:
    return int(stored is not None and not stored.deleted)


def _write_words(db: Database, shape: Shape, changes: Sequence[Change]) -> None:
    put: list[tuple[int, str]] = []
    taken: list[tuple[int]] = []
    for before, after in changes:
        stored = after or before
        if stored is None:
            continue
        text = shape.found_by(before, after)
        if text:
            put.append((stored.rowid, text))
        elif text is not None and before is not None:
            taken.append((stored.rowid,))
    write_words(db, shape.index, put, taken)


def write_words(
    db: Database, index: str, put: Sequence[tuple[int, str]], taken: Sequence[tuple[int]]
) -> None:
    """The words of rows in a search index, and rows that have none there any more. In the rows' transaction.

    In the order of their rowids: FTS5 ends a piece of index, to be merged later, at each rowid below the one before.
    """
    if taken:
        db.executemany(f'DELETE FROM "{index}" WHERE rowid = ?', sorted(taken))
    if put:
        db.executemany(f'INSERT OR REPLACE INTO "{index}" (rowid, t) VALUES (?, ?)', sorted(put))
