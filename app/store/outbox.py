"""The outbox: ops that wait for the server's word, in order, and what the server's rows were before them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from app.store.db import Database
from app.store.rows import chunks, marks
from sync.protocol.codec import pack, unpack
from sync.protocol.ops import Op

_OP: Final = msgspec.msgpack.Decoder(Op)


def op_of(data: bytes) -> Op:
    """The op that `pack` wrote into this store."""
    return _OP.decode(data)


def add(db: Database, ops: Sequence[Op], packed: Sequence[bytes] | None = None) -> None:
    """Put new ops at the end; `packed` are their bytes."""
    data_of = zip(ops, map(pack, ops) if packed is None else packed, strict=True)
    rows = [(op.n, op.first, op.kind, op.id, len(data), data) for op, data in data_of]
    db.executemany("INSERT INTO outbox (n, first, kind, id, size, op) VALUES (?, ?, ?, ?, ?, ?)", rows)


def take(db: Database, ops_max: int, bytes_max: int, after: int = 0) -> list[Op]:
    """The first waiting ops behind a number, within both bounds; an act is never split, a larger one comes alone."""
    taken: list[tuple[int, bytes]] = []
    size = 0
    begun = 0  # where in `taken` the last act begins
    rows = db.all("SELECT first, size, op FROM outbox WHERE n > ? ORDER BY n LIMIT ?", (after, ops_max + 1))
    if rows and len(rows) > ops_max and rows[0][0] == rows[-1][0]:
        rows = db.all("SELECT first, size, op FROM outbox WHERE first = ? ORDER BY n", (rows[0][0],))
        return [op_of(data) for _first, _size, data in rows]
    for first, length, data in rows:
        if not taken or taken[-1][0] != first:
            begun = len(taken)
        fits = len(taken) < ops_max and size + length <= bytes_max
        if not fits and begun > 0:
            return [op_of(kept) for _first, kept in taken[:begun]]
        taken.append((first, data))
        size += length
    return [op_of(kept) for _first, kept in taken]


def up_to(db: Database, n: int) -> list[Op]:
    """The waiting ops with numbers up to `n`, in order."""
    return [op_of(data) for (data,) in db.all("SELECT op FROM outbox WHERE n <= ? ORDER BY n", (n,))]


def every(db: Database) -> list[Op]:
    """All waiting ops, in order."""
    return [op_of(data) for (data,) in db.all("SELECT op FROM outbox ORDER BY n")]


def of_records(db: Database, ids: Iterable[bytes]) -> dict[bytes, list[Op]]:
    """The waiting ops of these records, in order."""
    found: dict[bytes, list[Op]] = {}
    if not count(db):
        return found
    for some in chunks(list(ids)):
        asked = f"SELECT id, op FROM outbox WHERE id IN ({marks(len(some))}) ORDER BY n"
        for id_, data in db.all(asked, some):
            found.setdefault(id_, []).append(op_of(data))
    return found


def latest(db: Database, limit: int) -> list[tuple[str, bytes]]:
    """Kind and id of the records that waiting ops are about, those of the last ops first; of so many ops at most."""
    rows = db.all("SELECT kind, id FROM outbox ORDER BY n DESC LIMIT ?", (limit,))
    return list(dict.fromkeys((kind, bytes(id_)) for kind, id_ in rows))


def waiting(db: Database, ids: Iterable[bytes]) -> set[bytes]:
    """Those of these records on which ops wait."""
    found: set[bytes] = set()
    for some in chunks(list(ids)):
        asked = f"SELECT id FROM outbox WHERE id IN ({marks(len(some))})"
        found.update(id_ for (id_,) in db.all(asked, some))
    return found


def drop_up_to(db: Database, n: int) -> None:
    """The server has spoken about these."""
    db.execute("DELETE FROM outbox WHERE n <= ?", (n,))


def taken(db: Database, id_: bytes) -> list[tuple[Op, int]]:
    """The ops of a record that the server has taken and that are still kept here, with the numbers they got."""
    rows = db.all("SELECT op, ver FROM op_archive WHERE id = ? AND gone = 0", (id_,))
    return [(op_of(data), ver) for data, ver in rows]


def clear(db: Database) -> None:
    """Empty the outbox; who calls this puts its ops back under other numbers."""
    db.execute("DELETE FROM outbox")


def count(db: Database) -> int:
    """How many ops wait."""
    return int(db.one("SELECT count(*) FROM outbox")[0])


# --- the server's row below waiting ops ------------------------------------------------------------


Base = tuple[bytes, str, int, int, bytes]  # a row of the table


def base(id_: bytes, kind: str, ver: int, deleted: bool, cells: Mapping[str, Any]) -> Base:
    """The server's row of a record as it is kept while ops wait on it."""
    return (id_, kind, ver, int(deleted), pack(dict(cells)))


def keep_bases(db: Database, kept: Sequence[Base]) -> None:
    """Remember the server's rows of records on which ops now wait."""
    if kept:
        db.executemany(
            "INSERT OR REPLACE INTO base (id, kind, ver, deleted, cells) VALUES (?, ?, ?, ?, ?)", kept
        )


def keep_base(db: Database, id_: bytes, kind: str, ver: int, deleted: bool, cells: Mapping[str, Any]) -> None:
    """Remember the server's row of one record."""
    keep_bases(db, [base(id_, kind, ver, deleted, cells)])


def bases(db: Database, ids: Iterable[bytes]) -> dict[bytes, tuple[int, bool, dict[str, Any]]]:
    """(ver, deleted, cells) of the server's rows below waiting ops."""
    found: dict[bytes, tuple[int, bool, dict[str, Any]]] = {}
    for some in chunks(list(ids)):
        asked = f"SELECT id, ver, deleted, cells FROM base WHERE id IN ({marks(len(some))})"
        for id_, ver, deleted, cells in db.all(asked, some):
            found[id_] = (ver, bool(deleted), unpack(cells))
    return found


def drop_bases(db: Database, ids: Iterable[bytes]) -> None:
    """Nothing waits on these records any more."""
    db.executemany("DELETE FROM base WHERE id = ?", [(id_,) for id_ in ids])
