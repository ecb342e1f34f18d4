"""What the server said and the device keeps: taken ops until they are durable, refused ops, open conflicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from app.store import chosen, sight
from app.store.db import Database
from app.store.rows import chunks, marks
from app.store.store import Store
from sync.protocol.codec import pack
from sync.protocol.errors import Outcome, Rejection
from sync.protocol.merge import Conflict
from sync.protocol.messages import OpResult
from sync.protocol.ops import Op

DAY_MS: Final = 86_400_000
KEPT_MS: Final = 30 * DAY_MS  # taken ops stay at least this long, for a server that comes back from a backup
# Where backups have ceased, so that no device fills up: the server tells IT since when.
KEPT_MOST_MS: Final = 90 * DAY_MS
# ... and so many later days of work stand behind: one answer of a server whose clock is ahead is no ninety days.
KEPT_MOST_DAYS: Final = 30
KEPT_MOST_BYTES: Final = 256 * 2**20
LOOK_MS: Final = 3_600_000


def results(
    store: Store,
    acked: Sequence[Op],
    said: Mapping[int, OpResult],
    *,
    fallback_ver: int,
    care: int,
    met: Mapping[bytes, int],
) -> int:
    """File acknowledged ops: the taken ones in the archive, the refused ones for attention; how many refused.

    Of one that writes what is hidden here the content goes: the server has it. `met` are the numbers of conflicts that
    came along: what is kept in one stands under its number, not the row's.
    """
    db, now = store.db, store.clock()
    incarnation = store.incarnation
    taken, refused = [], []
    for op in acked:
        result = said.get(op.n)
        if result is not None and result.outcome is Outcome.REJECTED:
            code = result.code.value if result.code else ""
            kept = None if sight.sets_hidden(op, care) else pack(op)
            refused.append((incarnation, op.n, op.kind, op.id, code, result.hint, now, kept))
        else:
            ver = (result.ver if result else 0) or fallback_ver
            ver = max(ver, *(met.get(id_, 0) for id_ in result.conflicts), 0) if result else ver
            gone = int(sight.sets_hidden(op, care))
            taken.append((incarnation, op.n, op.id, ver, now, pack(op), gone))
    db.executemany(
        "INSERT OR REPLACE INTO op_archive (incarnation, n, id, ver, acked_ms, op, gone) VALUES (?, ?, ?, ?, ?, ?, ?)",
        taken,
    )
    db.executemany(
        "INSERT OR REPLACE INTO attention (incarnation, n, kind, id, code, hint, at_ms, op)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        refused,
    )
    if taken:
        if any(gone for *_told, gone in taken):
            store.left_taken = True
        keep_within(store, sum(len(each[5]) for each in taken))
    return len(refused)


def is_orphan(op: Op, result: OpResult | None) -> bool:
    """Of an op on a record that left before: whether its words must not stay behind in what was refused.

    Recovered work is another matter: its author has it nowhere else. So is what the server has lost: it may come back.
    """
    missed = result is not None and result.code is Rejection.GONE
    return bool(op.base) and op.origin is None and not missed


def conflicts(
    db: Database,
    arrived: Iterable[Conflict],
    left: Sequence[bytes],
    acked: Iterable[Op] = (),
    now_ms: int = 0,
) -> dict[bytes, int]:
    """Keep open conflicts and drop closed ones; how many are open, by record. `acked` ops may have settled some."""
    for conflict in arrived:
        chosen.hear(db, conflict, now_ms)
    chosen.answered(db, acked)
    db.executemany("DELETE FROM conflict WHERE record = ?", [(id_,) for id_ in left])
    chosen.left(db, left)
    return dict(db.all("SELECT record, count(*) FROM conflict GROUP BY record"))


def forget_left(store: Store, ids: Sequence[bytes]) -> None:
    """Records that this device may no longer hold: refused ops lose their content, taken ones go once durable."""
    db = store.db
    if ids:
        store.left_taken = True
    for some in chunks(ids):
        asked = marks(len(some))
        db.execute(f"UPDATE attention SET op = NULL WHERE id IN ({asked})", some)
        db.execute(f"UPDATE op_archive SET gone = 1 WHERE id IN ({asked})", some)


def forget_old(store: Store, durable_seq: int) -> None:
    """Taken ops that a backup holds: after 30 days, and at once where the record has left this device.

    Without a backup they go after 90 days, where work of 30 days has been taken since. All of them are looked through
    for those of long ago: once an hour, for a store that is open.
    """
    db, now_ms = store.db, store.clock()
    chosen.forget_old(db, now_ms - KEPT_MS)
    if store.left_taken is None:
        store.left_taken = bool(db.one("SELECT coalesce(max(gone), 0) FROM op_archive")[0])
    if store.left_taken:
        db.execute("DELETE FROM op_archive WHERE gone = 1 AND ver <= ?", (durable_seq,))
        store.left_taken = None
    if 0 <= store.looked_for_old_ms <= now_ms < store.looked_for_old_ms + LOOK_MS:
        return
    store.looked_for_old_ms = now_ms
    db.execute("DELETE FROM op_archive WHERE ver <= ? AND acked_ms < ?", (durable_seq, now_ms - KEPT_MS))
    before = now_ms - KEPT_MOST_MS
    if db.first("SELECT 1 FROM op_archive WHERE acked_ms < ?", (before,)):
        days = "SELECT DISTINCT acked_ms / ? AS day FROM op_archive ORDER BY day DESC LIMIT 1 OFFSET ?"
        far = db.first(days, (DAY_MS, KEPT_MOST_DAYS - 1))
        if far is not None:
            db.execute("DELETE FROM op_archive WHERE acked_ms < ?", (min(before, far[0] * DAY_MS),))


def keep_within(store: Store, more: int, most: int = KEPT_MOST_BYTES) -> None:
    """Of taken ops the newest stay, as many as come to so many bytes; `more` have just come."""
    db = store.db
    if store.archived is not None:
        store.archived += more
    # What went since was not taken off: so they are counted anew only where they may be too many.
    if store.archived is None or store.archived > most:
        (store.archived,) = db.one("SELECT coalesce(sum(length(op)), 0) FROM op_archive")
    if store.archived > most:
        db.execute(
            "DELETE FROM op_archive WHERE (incarnation, n) IN (SELECT incarnation, n FROM (SELECT incarnation, n,"
            " sum(length(op)) OVER (ORDER BY acked_ms DESC, n DESC, incarnation) AS sofar FROM op_archive)"
            " WHERE sofar > ?)",
            (most,),
        )
        store.archived = None
