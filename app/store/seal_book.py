"""Which records of the sealed outbox the store has committed, which of them are still needed, and their mending."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from app.store import outbox
from app.store.db import Database
from app.store.seal import Piece, digest_of, is_torn, may_hold, set_aside
from sync.protocol.ids import new_incarnation
from sync.protocol.ops import Op

if TYPE_CHECKING:
    from app.store.store import Store

SLACK: Final = 64 * 2**10  # bytes of records no longer needed that are not worth a rewrite


def append(store: Store, ops: Sequence[Op], incarnation: bytes) -> None:
    """Seal ops and remember their records. In a transaction, which must also save `store.seal.length`."""
    note(store.db, store.seal.append(ops, store.device, incarnation))


def note(db: Database, pieces: Iterable[Piece]) -> None:
    """Remember records of the file. In the transaction of their ops."""
    db.executemany(
        "INSERT INTO sealed (incarnation, first_n, last_n, length, digest) VALUES (?, ?, ?, ?, ?)",
        [(p.incarnation, p.first_n, p.last_n, p.length, p.digest) for p in pieces],
    )


def tidy(store: Store, *, at_once: bool = False) -> None:
    """Rewrite the sealed outbox without what is not needed any more, when that is worth it, or `at_once`."""
    with store.db.pen():
        _tidy(store, at_once=at_once)


def _tidy(store: Store, *, at_once: bool) -> None:
    needless = store.db.all(
        "SELECT s.place, s.length FROM sealed s, here h"
        " WHERE NOT (s.incarnation = h.incarnation AND s.last_n > h.acked_n)"
        " AND NOT EXISTS (SELECT 1 FROM op_archive a WHERE a.incarnation = s.incarnation"
        " AND a.n BETWEEN s.first_n AND s.last_n AND a.ver > h.durable_seq)"
    )
    spare = sum(length for _place, length in needless)
    worth_it = at_once or spare >= store.seal.length or spare >= max(SLACK, store.seal.length // 2)
    if not needless or not worth_it:
        return
    if not store.seal.is_whole():
        return  # a length is rotten; at the next open it is mended, and nothing sound goes with it
    gone = {place for place, _length in needless}
    kept = {piece.digest for place, piece in _pieces(store) if place not in gone}
    length = store.seal.keep(kept)
    with store.db.write() as db:
        db.executemany("DELETE FROM sealed WHERE place = ?", [(place,) for place in gone])
        db.execute("UPDATE here SET sealed = ?", (length,))


def mend(store: Store, lost: Path) -> None:
    """At open: adopt a rewrite whose end was missed, seal again what is lost, and set strange records aside in `lost`.

    A record that the store does not know was never committed, or the store has lost it: a log that is damaged or
    gone, an older file put back. The sealed record may be all that is left, so it is never destroyed here. Nor is
    what stands behind a rotten length: IT's desk finds the records in it. A record that a crash has torn is kept, too,
    since nobody can tell for certain, and raises no alarm.
    """
    here, known = store.here(), _pieces(store)
    there = _healed(store, [piece for _place, piece in known])
    if there:
        store.seal.sync()  # a run that was killed may have written them and not waited for the disk
    whole = sum(length for _digest, length in there)
    rest = store.seal.behind(whole)
    digests = {piece.digest for _place, piece in known}
    strange = any(digest not in digests for digest, _length in there)
    if may_hold(rest):
        strange = strange or not is_torn(rest)
    else:
        rest = b""
    if strange or rest:
        unknown = [frame for frame in store.seal.frames() if digest_of(frame) not in digests]
        set_aside(lost, [*unknown, rest])
    store.seal.truncate(whole)
    as_known = there == [(piece.digest, piece.length) for _place, piece in known] and whole == here.sealed
    if as_known and not strange:
        return
    if strange:
        # Its numbers are given out: under them, new work would pass for what was set aside.
        number_anew(store, bytes(new_incarnation()))
        known = _pieces(store)
        there = store.seal.digests()
    store.seal.keep({piece.digest for _place, piece in known})
    missing = without_copy(store)
    held = {digest for digest, _length in there}
    with store.db.write() as db:
        gone = [(place,) for place, piece in known if piece.digest not in held]
        db.executemany("DELETE FROM sealed WHERE place = ?", gone)
        if missing:
            append(store, missing, store.incarnation)
        db.execute("UPDATE here SET sealed = ?", (store.seal.length,))
    if strange:
        tidy(store, at_once=True)  # the same work under two numberings would come back twice


def _healed(store: Store, known: list[Piece]) -> list[tuple[bytes, int]]:
    """(digest, length) of each record that is there, once the lengths that the store knows better are put right."""
    digests = {piece.digest for piece in known}
    while True:
        there = store.seal.digests()
        held = {digest for digest, _length in there}
        at = sum(length for _digest, length in takewhile(lambda each: each[0] in digests, there))
        missing = (piece for piece in known if piece.digest not in held)
        if at == store.seal.length or not any(store.seal.heal(at, piece) for piece in missing):
            return there


@contextlib.contextmanager
def sealing(store: Store) -> Iterator[Database]:
    """One transaction that seals; nothing of it stays sealed when the block raises."""
    before: int | None = None
    try:
        with store.db.write() as db:
            before = store.seal.length
            yield db
    except BaseException:
        if before is not None:
            store.seal.truncate(before)
        raise


def number_anew(store: Store, incarnation: bytes) -> None:
    """Give all waiting ops new numbers, from 1, under a new incarnation; they are sealed again."""
    with sealing(store):
        number(store, incarnation, [(b"", op) for op in outbox.every(store.db)])


def number(store: Store, incarnation: bytes, ops: Sequence[tuple[bytes, Op]]) -> None:
    """Have these ops wait, and no others, numbered from 1 under a new incarnation, and sealed under it.

    Each comes with the incarnation that numbered it before. In a transaction that seals.
    """
    numbers = {(before, op.n): at for at, (before, op) in enumerate(ops, 1)}
    again = [
        msgspec.structs.replace(op, n=at, first=numbers.get((before, op.first), at))
        for at, (before, op) in enumerate(ops, 1)
    ]
    outbox.clear(store.db)
    outbox.add(store.db, again)
    if again:
        append(store, again, incarnation)
    store.db.execute(
        "UPDATE here SET incarnation = ?, next_n = ?, acked_n = 0, sealed = ?",
        (incarnation, len(again) + 1, store.seal.length),
    )


def without_copy(store: Store) -> list[Op]:
    """The waiting ops of which the file holds no copy."""
    there = {digest for digest, _length in store.seal.digests()}
    incarnation = store.incarnation
    covered: set[int] = set()
    for _place, piece in _pieces(store):
        if piece.digest in there and piece.incarnation == incarnation:
            covered.update(range(piece.first_n, piece.last_n + 1))
    numbers = {n for (n,) in store.db.all("SELECT n FROM outbox")} - covered
    return [op for op in outbox.every(store.db) if op.n in numbers] if numbers else []


def seal_again(store: Store) -> None:
    """Seal the waiting ops that have no copy."""
    with store.db.pen():
        _seal_again(store)


def _seal_again(store: Store) -> None:
    missing = without_copy(store)
    if not missing:
        return
    with store.db.write() as db:
        append(store, missing, store.incarnation)
        db.execute("UPDATE here SET sealed = ?", (store.seal.length,))


def _pieces(store: Store) -> list[tuple[int, Piece]]:
    rows = store.db.all(
        "SELECT place, incarnation, first_n, last_n, length, digest FROM sealed ORDER BY place"
    )
    return [(row[0], Piece(*row[1:])) for row in rows]
