"""The settled conflicts of this device: those chosen here that wait for the server's word, and those it told of.

While a choice made here waits, its conflict stands in this list and not among the open ones, so that nobody is asked
twice. Where the server does not take the choice, or is too old to know what it means, the conflict is open again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from app.store import outbox
from app.store.db import Database
from app.store.reader import Reader
from sync.protocol import clock
from sync.protocol.merge import OPEN, Conflict
from sync.protocol.ops import Op

TABLE: Final = "chosen"
MADE: Final = (
    "CREATE TABLE chosen (id BLOB PRIMARY KEY, record BLOB NOT NULL, waiting INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " body BLOB NOT NULL) WITHOUT ROWID"
)
_PACK: Final = msgspec.msgpack.encode
_CONFLICT: Final = msgspec.msgpack.Decoder(Conflict)


def told(store: Reader, record: bytes) -> list[Conflict]:
    """Conflicts of a record that the server calls settled, as far as this device still knows, the oldest first."""
    return sorted(told_of(store, {record}).get(record, ()), key=lambda each: each.ver)


def told_of(store: Reader, records: Collection[bytes]) -> dict[bytes, list[Conflict]]:
    """The same of several records, in no order: the list is gone through once, since it is kept by conflict."""
    found: dict[bytes, list[Conflict]] = {}
    for record, body in store.db.all("SELECT record, body FROM chosen WHERE waiting = 0"):
        if record in records:
            found.setdefault(record, []).append(_CONFLICT.decode(body))
    return found


def hear(db: Database, conflict: Conflict, now_ms: int) -> None:
    """The server's word on a conflict. One that is settled here stays so until the server has spoken about that."""
    if _waits(db, conflict.id):
        db.execute("UPDATE chosen SET body = ? WHERE id = ?", (_PACK(conflict), conflict.id))
    elif conflict.state == OPEN:
        _put(db, conflict)
    else:
        end(db, conflict, clock.millis(conflict.settled_hlc) if conflict.settled_hlc else now_ms)


def answered(db: Database, acked: Iterable[Op]) -> None:
    """The server has spoken about these ops: what it did not settle by them is open again, unless a later op waits."""
    for op in acked:
        if not op.settles:
            continue
        later = {id_ for each in outbox.of_records(db, [op.id]).get(op.id, ()) for id_ in each.settles}
        for id_ in op.settles.keys() - later:
            if _waits(db, id_):
                db.execute("UPDATE chosen SET waiting = 0 WHERE id = ?", (id_,))
                if _known(db, id_).state == OPEN:
                    reopen(db, id_)


def left(db: Database, records: Iterable[bytes]) -> None:
    """These records are no longer this person's to see."""
    db.executemany("DELETE FROM chosen WHERE record = ?", [(id_,) for id_ in records])


def forget_after(db: Database, ver: int) -> None:
    """Conflicts of a history that is lost: what met there meets again, under another name."""
    known = db.all("SELECT id, body FROM chosen")
    lost = [(id_,) for id_, body in known if _CONFLICT.decode(body).ver > ver]
    db.executemany("DELETE FROM chosen WHERE id = ?", lost)


def forget_old(db: Database, before_ms: int) -> None:
    """What was settled so long ago that nobody asks any more; the server keeps it."""
    db.execute("DELETE FROM chosen WHERE waiting = 0 AND at_ms < ?", (before_ms,))


def end(db: Database, conflict: Conflict, now_ms: int, *, waiting: bool = False) -> None:
    """It is open no more; `waiting` for the server to hear of it, until which `conflict` is as the server knows it."""
    db.execute("DELETE FROM conflict WHERE id = ?", (conflict.id,))
    db.execute(
        "INSERT OR REPLACE INTO chosen (id, record, waiting, at_ms, body) VALUES (?, ?, ?, ?, ?)",
        (conflict.id, conflict.record, int(waiting), now_ms, _PACK(conflict)),
    )


def reopen(db: Database, id_: bytes) -> None:
    """It is open again, if this list still has it."""
    if db.first("SELECT 1 FROM chosen WHERE id = ?", (id_,)) is not None:
        known = _known(db, id_)
        _put(db, msgspec.structs.replace(known, state=OPEN, settled_by="", settled_hlc=0))


def open_ones(db: Database, record: bytes) -> int:
    """How many conflicts of a record are open."""
    return int(db.one("SELECT count(*) FROM conflict WHERE record = ?", (record,))[0])


def _put(db: Database, conflict: Conflict) -> None:
    db.execute("DELETE FROM chosen WHERE id = ?", (conflict.id,))
    db.execute(
        "INSERT OR REPLACE INTO conflict (id, kind, record, ver, body) VALUES (?, ?, ?, ?, ?)",
        (conflict.id, conflict.kind, conflict.record, conflict.ver, _PACK(conflict)),
    )


def _waits(db: Database, id_: bytes) -> bool:
    return db.first("SELECT 1 FROM chosen WHERE id = ? AND waiting = 1", (id_,)) is not None


def _known(db: Database, id_: bytes) -> Conflict:
    return _CONFLICT.decode(db.one("SELECT body FROM chosen WHERE id = ?", (id_,))[0])
