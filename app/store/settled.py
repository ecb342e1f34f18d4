"""What the server said and the device keeps: taken ops until they are durable, refused ops, open conflicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from app.store import chosen, sight
from app.store.db import Database
from app.store.rows import chunks, marks
from app.store.store import Store
from sync.protocol.codec import pack
from sync.protocol.errors import Outcome
from sync.protocol.merge import Conflict
from sync.protocol.messages import OpResult
from sync.protocol.ops import Op

KEPT_MS: Final = (
    30 * 86_400_000
)  # acknowledged ops stay at least this long, for a server that comes back from a backup


def results(
    store: Store, acked: Sequence[Op], said: Mapping[int, OpResult], *, fallback_ver: int, care: int
) -> int:
    """File acknowledged ops: the taken ones in the archive, the refused ones for attention; how many refused.

    Of one that writes what is hidden here the content goes: the server has it.
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
    return len(refused)


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


def forget_left(db: Database, ids: Sequence[bytes]) -> None:
    """Records that this device may no longer hold: refused ops lose their content, taken ones go once durable."""
    for some in chunks(ids):
        asked = marks(len(some))
        db.execute(f"UPDATE attention SET op = NULL WHERE id IN ({asked})", some)
        db.execute(f"UPDATE op_archive SET gone = 1 WHERE id IN ({asked})", some)


def forget_old(db: Database, durable_seq: int, now_ms: int) -> None:
    """Taken ops that a backup holds: after 30 days, and at once where the record has left this device."""
    db.execute(
        "DELETE FROM op_archive WHERE ver <= ? AND (gone = 1 OR acked_ms < ?)",
        (durable_seq, now_ms - KEPT_MS),
    )
    chosen.forget_old(db, now_ms - KEPT_MS)
