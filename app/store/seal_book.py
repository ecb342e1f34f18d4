"""Which records of the sealed outbox the store has committed, which of them are still needed, and their mending."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from app.store import outbox
from app.store.seal import Piece
from sync.protocol.ops import Op

if TYPE_CHECKING:
    from app.store.store import Store

SLACK: Final = 64 * 2**10  # bytes of records no longer needed that are not worth a rewrite


def append(store: Store, ops: Sequence[Op], incarnation: bytes) -> None:
    """Seal ops and remember their records. In a transaction, which must also save `store.seal.length`."""
    pieces = store.seal.append(ops, store.device, incarnation)
    store.db.executemany(
        "INSERT INTO sealed (incarnation, first_n, last_n, length, digest) VALUES (?, ?, ?, ?, ?)",
        [(p.incarnation, p.first_n, p.last_n, p.length, p.digest) for p in pieces],
    )


def tidy(store: Store, *, at_once: bool = False) -> None:
    """Rewrite the sealed outbox without what is not needed any more, when that is worth it, or `at_once`."""
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
    gone = {place for place, _length in needless}
    kept = {piece.digest for place, piece in _pieces(store) if place not in gone}
    length = store.seal.keep(kept)
    with store.db.write() as db:
        db.executemany("DELETE FROM sealed WHERE place = ?", [(place,) for place in gone])
        db.execute("UPDATE here SET sealed = ?", (length,))


def mend(store: Store) -> None:
    """At open: cut off what was never committed, adopt a rewrite whose end was missed, seal again what is lost."""
    committed = store.here().sealed
    known = _pieces(store)
    whole = sum(piece.length for _place, piece in known) == committed
    if whole and store.seal.length >= committed:
        store.seal.truncate(committed)
        return
    there = {digest for digest, _length in store.seal.digests()}
    store.seal.keep({piece.digest for _place, piece in known})
    incarnation = store.incarnation
    missing = without_copy(store)
    with store.db.write() as db:
        lost = [(place,) for place, piece in known if piece.digest not in there]
        db.executemany("DELETE FROM sealed WHERE place = ?", lost)
        if missing:
            append(store, missing, incarnation)
        db.execute("UPDATE here SET sealed = ?", (store.seal.length,))


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
