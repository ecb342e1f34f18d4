"""Forgets what nobody needs any more, piece by piece beside whoever exchanges; what any cursor reads stays the same.

After as many days as are set, never fewer than `KEPT_DAYS` nor than a lease holds:

- the log of changes is folded: of the entries of one record that say the same, whose it was before and which device
  wrote, the newest stays. What left somebody's sight after a number is told from that alike, whatever the number is.
  So no cursor is ever too old.
- a deleted record keeps its number, its place and who deleted it, and nothing of what stood in it. It cannot be brought
  back any more; an edit of it is still kept in a conflict.
- results of ops go. That an op was answered stays for good, so a repeat is done once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from sync.protocol.kinds import KINDS
from sync.protocol.merge import WHOLE_RECORD, Row
from sync.server import access, lease, post
from sync.server.db.base import Store, Transaction

DAY_MS: Final = 86_400_000
KEPT_DAYS: Final = 90
CHANGES_AT_ONCE: Final = 200  # entries of the log in one transaction: some hundredths of a second
RESULTS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a run has forgotten so far: entries of the log, contents of deleted records, results of ops."""

    changes: int = 0
    records: int = 0
    results: int = 0


def hollow(row: Row) -> bool:
    """Whether nothing is left of a deleted record, so that it cannot be brought back."""
    known = KINDS.get(row.kind)
    return row.deleted and known is not None and known.title not in row.cells


def forget(store: Store, now: int, days: int = KEPT_DAYS) -> Iterator[Forgotten]:
    """One run, a transaction for each step; who goes through the steps may pause between them."""
    with store.read() as tx:
        before = now - max(days, KEPT_DAYS) * DAY_MS
        before = min(before, now - lease.life_ms(post.root_and_policy(tx)[1]))
    done, more = Forgotten(), True
    while more:
        with store.write() as tx:
            done, more = _fold(tx, before, done)
        yield done
    last: tuple[bytes, bytes, int] | None = (b"", b"", 0)
    while last is not None:
        with store.write() as tx:
            dropped, last = tx.histories.drop_results(last, before, now, RESULTS_AT_ONCE)
            done = replace(done, results=done.results + dropped)
        yield done
    with store.write() as tx:
        tx.histories.put_folded(tx.histories.folded()[0], now)


def _fold(tx: Transaction, before: int, done: Forgotten) -> tuple[Forgotten, bool]:
    """The next stretch of the log; whether there is more that is old enough."""
    upto, at = tx.histories.folded()
    changes = tx.histories.changes(upto, CHANGES_AT_ONCE)
    old = 0
    for each in changes:
        if each[2] >= before:  # a clock that was set back keeps more, and never less
            break
        old += 1
    if not old:
        return done, False
    upto = changes[old - 1][0]
    ids = dict.fromkeys(record for _seq, record, _at in changes[:old])
    folded = sum(tx.histories.fold(id_, upto) for id_ in ids)
    emptied = sum(_empty(tx, id_, upto) for id_ in ids)
    tx.histories.put_folded(upto, at)
    done = replace(done, changes=done.changes + folded, records=done.records + emptied)
    return done, old == CHANGES_AT_ONCE


def _empty(tx: Transaction, id_: bytes, upto: int) -> bool:
    """Keep nothing of a record that was deleted by then but where it lies, since what is about it lies there too."""
    held = tx.records.held(id_)
    if held is None or not held.row.deleted or held.row.ver > upto or hollow(held.row):
        return False
    stays = {access.TERRITORY: held.row.cells[access.TERRITORY]} if access.TERRITORY in held.row.cells else {}
    marks = {cell: mark for cell, mark in held.row.marks.items() if cell == WHOLE_RECORD}
    tx.records.empty(replace(held.row, cells=stays, marks=marks))
    return True
