"""Pairs of records that seem to be about one customer or person: found by keys, behind what people save and receive.

A save and a page only note which rows have changed; their keys are made and pairs looked for in small steps once nobody
writes, as search words of an old file are. Rows of a file that had no keys yet are gone through in the same steps. The
rule (alike.py) is asked of what this person sees: nobody is told by a record or a field that is hidden from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from app.store import alike, keyed, sight
from app.store.db import Database
from app.store.reader import Reader
from app.store.rows import CHUNK, marks
from app.store.schema import Shape, Stored
from sync.protocol.kinds import pairs
from sync.protocol.quiet import Quiet

ROWS: Final = 25  # in one step: a few hundredths of a second at most, which a save may have to wait
MANY: Final = CHUNK  # where somebody waits for it
AGAIN: Final = "joined"  # the reason of a pair that was joined, and of which one is kept all the same


News = tuple[str, bytes]  # kind and id of a record whose pairs came or went


class Pair(Quiet, frozen=True):
    """Two kept records that seem to be one; `why` is a word of alike.REASONS, or AGAIN."""

    kind: str
    a: bytes
    b: bytes
    why: str


# --- looking, in steps -------------------------------------------------------------------------------


def step(store: Reader, at_most: int = ROWS, news: set[News] | None = None) -> bool:
    """Look at some more rows; whether there may be more to do. One transaction. Raises NoSpace.

    `news` takes the records whose pairs came or went.
    """
    news = set() if news is None else news
    return any(_step(store, shape, at_most, news) for shape in store.shapes.values() if shape.kind.alike)


def catch_up(store: Reader) -> None:
    """Look at all rows that were not looked at. Raises NoSpace."""
    while step(store, MANY):
        pass


def left(store: Reader) -> int:
    """How many rows are still to be looked at, about."""
    missing = int(store.db.one("SELECT count(*) FROM duplicate_row")[0])
    for shape in store.shapes.values():
        if shape.kind.alike:
            (last,) = store.db.one(f'SELECT coalesce(max(_rowid), 0) FROM "{shape.table}"')
            missing += max(0, int(last) - keyed.upto(store.db, shape))
    return missing


def _step(store: Reader, shape: Shape, at_most: int, news: set[News]) -> bool:
    db, kind = store.db, shape.kind.name
    if not _waits(db, shape):
        return False
    with db.write(durable=False):
        # Read inside the transaction: another process that writes rows must not do it in between.
        row = db.first("SELECT rule, upto FROM duplicate_left WHERE kind = ?", (kind,))
        if row is None or row[0] != alike.RULE:
            keyed.begin(db, shape)
            done = 0
        else:
            done = int(row[1])
        asked = "SELECT row FROM duplicate_row WHERE kind = ? LIMIT ?"
        changed = [rowid for (rowid,) in db.all(asked, (kind, at_most))]
        if changed:
            some = db.all(f"{shape.select} WHERE _rowid IN ({marks(len(changed))})", changed)
            db.executemany(
                "DELETE FROM duplicate_row WHERE kind = ? AND row = ?", [(kind, r) for r in changed]
            )
            _look(store, shape, changed, [shape.stored(each) for each in some], news)
        else:
            some = db.all(f"{shape.select} WHERE _rowid > ? ORDER BY _rowid LIMIT ?", (done, at_most))
            if some:
                db.execute("UPDATE duplicate_left SET upto = ? WHERE kind = ?", (some[-1][0], kind))
                _look(store, shape, (), [shape.stored(each) for each in some], news)
    return True


def _waits(db: Database, shape: Shape) -> bool:
    kind = shape.kind.name
    if db.first("SELECT 1 FROM duplicate_row WHERE kind = ? LIMIT 1", (kind,)) is not None:
        return True
    row = db.first("SELECT rule, upto FROM duplicate_left WHERE kind = ?", (kind,))
    (last,) = db.one(f'SELECT coalesce(max(_rowid), 0) FROM "{shape.table}"')
    return bool(last) and (row is None or row[0] != alike.RULE or row[1] < last)


def _look(
    store: Reader, shape: Shape, changed: Iterable[int], some: Sequence[Stored], news: set[News]
) -> None:
    """Make the keys of these rows anew and look for their pairs; `changed` had keys before. In a transaction."""
    db, kind = store.db, shape.kind.name
    hidden = sight.hidden(store, shape.kind)
    table = keyed.keys_of(shape)
    db.executemany(f"DELETE FROM {table} WHERE row = ?", [(row,) for row in changed])
    before = _pairs_of(db, [each.id for each in some])
    db.executemany("DELETE FROM duplicate WHERE a = ?1 OR b = ?1", [(each.id,) for each in some])
    kept = [each for each in some if not each.deleted]
    if shape.kind.title in hidden:
        kept = []  # masks stand in place of what records are told by
    said = {each.rowid: _said(shape, each, hidden) for each in kept}
    keys = {rowid: alike.keys(kind, each) for rowid, each in said.items()}
    db.executemany(
        f"INSERT OR IGNORE INTO {table} (row, key) VALUES (?, ?)",
        ((rowid, key) for rowid, each in keys.items() for key in each),
    )
    meets = {rowid: _meeting(db, table, rowid, each) for rowid, each in keys.items()}
    known = {each.rowid: each for each in kept}
    others = {other for each in meets.values() for other in each}.difference(known)
    known.update((each.rowid, each) for each in _read(db, shape, sorted(others)) if not each.deleted)
    found: list[tuple[bytes, bytes, str, str]] = []
    for rowid, met in meets.items():
        for other in met:
            if other in known:
                said.setdefault(other, _said(shape, known[other], hidden))
                why = _why(known[rowid], known[other], said[rowid], said[other])
                if why:
                    found.append((*_pair(known[rowid].id, known[other].id), kind, why))
    found += [(*_pair(one, two), kind, AGAIN) for one, two in _kept_all_the_same(db, shape, kept)]
    db.executemany("INSERT OR REPLACE INTO duplicate (a, b, kind, why) VALUES (?, ?, ?, ?)", found)
    for one, two, _kind, _reason in before.symmetric_difference(found):
        news.update(((kind, one), (kind, two)))


def _pairs_of(db: Database, ids: Sequence[bytes]) -> set[tuple[bytes, bytes, str, str]]:
    """The pairs of these records; mostly there are none at all."""
    if not ids or db.first("SELECT 1 FROM duplicate LIMIT 1") is None:
        return set()
    found: set[tuple[bytes, bytes, str, str]] = set()
    for column in ("a", "b"):
        asked = f"SELECT a, b, kind, why FROM duplicate WHERE {column} IN ({marks(len(ids))})"
        found.update((bytes(a), bytes(b), kind, why) for a, b, kind, why in db.all(asked, ids))
    return found


def _pair(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    return (one, other) if one < other else (other, one)


def _meeting(db: Database, table: str, rowid: int, keys: Iterable[int]) -> set[int]:
    """Rows that have one of these keys too; a key of a crowd leads to none."""
    found: set[int] = set()
    for key in keys:
        rows = db.all(f"SELECT row FROM {table} WHERE key = ? LIMIT ?", (key, alike.CROWD + 1))
        if 1 < len(rows) <= alike.CROWD:
            found.update(row for (row,) in rows)
    found.discard(rowid)
    return found


def _read(db: Database, shape: Shape, rowids: Sequence[int]) -> Iterator[Stored]:
    for at in range(0, len(rowids), CHUNK):
        some = rowids[at : at + CHUNK]
        for row in db.all(f"{shape.select} WHERE _rowid IN ({marks(len(some))})", some):
            yield shape.stored(row)


def _said(shape: Shape, stored: Stored, hidden: frozenset[str]) -> alike.Said:
    values = stored.values
    if hidden:
        values = {name: value for name, value in values.items() if name not in hidden}
    return alike.said_of(shape.kind.name, values)


def _why(one: Stored, other: Stored, said: alike.Said, others: alike.Said) -> str:
    if are_apart(one, other) or said.part_of == other.id or others.part_of == one.id:
        return ""
    return alike.why(said, others)


def are_apart(one: Stored, other: Stored) -> bool:
    """Whether somebody has said that they are different."""
    low, cell = pairs.apart(one.id, other.id)
    return cell in (one if one.id == low else other).ext


def _kept_all_the_same(db: Database, shape: Shape, kept: Sequence[Stored]) -> Iterator[tuple[bytes, bytes]]:
    """Pairs that were joined, of which the one that should be gone is kept: it was edited meanwhile."""
    for each in kept:
        for (remains,) in db.all("SELECT remains FROM joined WHERE gone = ?", (each.id,)):
            if remains != each.id and _is_kept(db, shape, remains):
                yield each.id, remains
        for gone in pairs.named(each.ext, pairs.JOINED) if each.ext else ():
            if gone != each.id and _is_kept(db, shape, gone):
                yield gone, each.id


def _is_kept(db: Database, shape: Shape, id_: bytes) -> bool:
    return db.first(f'SELECT 1 FROM "{shape.table}" WHERE _id = ? AND _deleted = 0', (id_,)) is not None


# --- reading -----------------------------------------------------------------------------------------


def found(store: Reader, *, record: bytes | None = None, limit: int = -1) -> list[Pair]:
    """Pairs, the one that came last first, at most so many; those of one record when it is named."""
    only, values = ("", ()) if record is None else (" WHERE a = ?1 OR b = ?1", (record,))
    # Ids rise with the time at which a record was made.
    asked = f"SELECT kind, a, b, why FROM duplicate{only} ORDER BY b DESC, a DESC"
    told: list[Pair] = []
    for kind, a, b, why in store.db.all(asked, values):
        if len(told) == limit:
            break
        pair = Pair(kind, a, b, why)
        if kind in store.shapes and _stands(store, pair):
            told.append(pair)
    return told


def count(store: Reader) -> int:
    """How many pairs there are, as far as rows were looked at."""
    return int(store.db.one("SELECT count(*) FROM duplicate")[0])


def marked(store: Reader, ids: Sequence[bytes]) -> set[bytes]:
    """Those of these records that seem to be one with another."""
    return {id_ for a, b, _kind, _why in _pairs_of(store.db, ids) for id_ in (a, b)}.intersection(ids)


def _stands(store: Reader, pair: Pair) -> bool:
    """Whether both are kept: what was written in this very moment is looked at a little later."""
    table = store.shapes[pair.kind].table
    asked = f'SELECT count(*) FROM "{table}" WHERE _id IN (?, ?) AND _deleted = 0'
    return bool(store.db.one(asked, (pair.a, pair.b))[0] == 2)


def make_anew(db: Database, shape: Shape) -> None:
    """Have all rows of a kind looked at again, and where joined ones went read off them. In a transaction."""
    if not shape.kind.alike:
        return
    keyed.begin(db, shape)
    rows: Iterable[tuple[Any, ...]] = db.all(f"{shape.select} WHERE _ext IS NOT NULL")
    for row in rows:
        keyed.note_joined(db, shape, None, shape.stored(row))
