"""What a device does when its server was restored from a backup: work that the server lost goes to it once more.

The archive of taken ops goes back to the head of the outbox, and is sealed with it; the server knows an op that it
holds by its print, and does none twice. What was refused goes behind what waits: the words that the server had kept of
it may be lost, and here they go where their author may not see the record any more. Meanwhile the new history is read
from its start. Rows that it does not know stay: who made them sends them again, and until then this device may be all
that holds them; those that it has for others go (unspoken.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from app.store import chosen, outbox, recovered, rows, seal_book, unspoken
from app.store.schema import Stored
from app.store.store import Store
from sync.protocol.ids import new_incarnation
from sync.protocol.merge import OPEN, Conflict
from sync.protocol.messages import Cursor
from sync.protocol.ops import Act, Op

FIRST: Final = 1  # the number of a row on which the new history has not spoken yet


def begin(store: Store, common: int) -> None:
    """Read again from the start, and send once more what was taken after `common`, up to which both histories are one.

    The cursor stays in the former history, at `common`, until a page of the new one is taken in: a server that is
    restored once more meanwhile, from an older backup, sees by it that more is lost to it. Numbers of the former
    history say nothing in the new one, so every row of after `common` takes the next word on it.
    """
    with seal_book.sealing(store) as db:
        again, refused = _lost(store, common), _refused(store)
        waiting = [(store.incarnation, op) for op in outbox.every(db)]
        asked = _open(store.db.all("SELECT body FROM conflict WHERE ver > ?", (common,)))
        known = [(before, _unasked(op, asked, common)) for before, op in (*again, *waiting)]
        seal_book.number(store, bytes(new_incarnation()), [*known, *refused])
        db.execute("DELETE FROM op_archive WHERE ver > ?", (common,))
        db.execute("DELETE FROM attention WHERE op IS NOT NULL")
        _forget_conflicts(store, common)
        _wait_again(store, Counter((op.kind, op.id) for _incarnation, op in again))
        for op in outbox.every(db)[len(known) :]:
            recovered.lay_on_top(store, store.person, op)
        for shape in store.shapes.values():
            unspoken.note(db, shape)
            db.execute(f'UPDATE "{shape.table}" SET _ver = ? WHERE _ver > ?', (FIRST, common))
        db.execute("UPDATE base SET ver = ? WHERE ver > ?", (FIRST, common))
        # Masks stay masks. Without an end of the common part there is nothing that a later restore could go behind.
        was = store.here().cursor
        anew = Cursor(epoch=was.epoch if common else b"", seq=common, care=was.care)
        # What was safe in the lost history beyond that says nothing of the new one's numbers.
        db.execute(
            "UPDATE here SET cursor = ?, durable_seq = min(durable_seq, ?)",
            (msgspec.msgpack.encode(anew), common),
        )
    # The same work under two numberings would come back twice from a wiped device.
    seal_book.tidy(store, at_once=True)


def _lost(store: Store, common: int) -> list[tuple[bytes, Op]]:
    """Taken ops that the server does not hold any more, each with its incarnation, in the order they were made in."""
    found = store.db.all("SELECT incarnation, ver, op FROM op_archive WHERE ver > ? ORDER BY n", (common,))
    kept = [(bytes(incarnation), ver, outbox.op_of(data)) for incarnation, ver, data in found]
    last: dict[bytes, int] = {}
    for incarnation, _ver, op in kept:
        last[incarnation] = max(last.get(incarnation, 0), op.hlc)
    kept.sort(key=lambda each: (last[each[0]], each[0]))  # the numbers of each stay in their order
    kept = [each for each in kept if not _is_torn(store, each[0], each[2])]
    # Numbers are told where it is known in which history they stand.
    gone = _deleted(store, [op for _incarnation, _ver, op in kept if op.act is Act.DELETE])
    beside = _beside(store, {op.id for _incarnation, _ver, op in kept})
    return [
        (incarnation, msgspec.structs.replace(op, ver=ver if common and _told(op, gone, beside) else 0))
        for incarnation, ver, op in kept
    ]


def _is_torn(store: Store, incarnation: bytes, op: Op) -> bool:
    """Whether a record was deleted in an act of which something before that is not kept any more, since its record left
    and a backup held it; a server restored from an older one would lose what took over the values of this record.
    """
    if op.act is not Act.DELETE or not 0 < op.first < op.n:
        return False
    asked = "SELECT count(*) FROM op_archive WHERE incarnation = ? AND n >= ? AND n < ?"
    return bool(store.db.one(asked, (incarnation, op.first, op.n))[0] < op.n - op.first)


def _refused(store: Store) -> list[tuple[bytes, Op]]:
    """Ops that stand before their author's eyes, since they were not taken, in the order they were refused in."""
    found = store.db.all("SELECT incarnation, op FROM attention WHERE op IS NOT NULL ORDER BY at_ms, n")
    acts: dict[tuple[bytes, int], int] = {}
    refused: list[tuple[bytes, Op]] = []
    for incarnation, data in found:
        op = outbox.op_of(data)
        # Of its act what was taken is done: an act by itself is what is left.
        first = acts.setdefault((incarnation, op.first), op.n)
        refused.append((b"refused" + incarnation, msgspec.structs.replace(op, first=first)))
    return refused


def _told(op: Op, gone: set[bytes], beside: Mapping[bytes, list[Conflict]]) -> bool:
    """A delete that is not in force any more was held, or taken back by somebody: it must win over nothing. A value
    that an open conflict keeps did not stand: who wrote there since has not replaced it, and it is asked about again.
    """
    if op.act is Act.DELETE:
        return op.id in gone
    return not any(each.cell in op.set and each.kept == op.set[each.cell] for each in beside.get(op.id, ()))


def _unasked(op: Op, asked: Mapping[bytes, list[Conflict]], common: int) -> Op:
    """Who writes beside a value that an open conflict keeps has not replaced it, whatever they had read by then."""
    beside = (each for each in asked.get(op.id, ()) if each.cell in op.set and each.ver <= op.base)
    if common and any(each.kept != op.set[each.cell] for each in beside):
        return msgspec.structs.replace(op, base=min(op.base, common))
    return op


def _beside(store: Store, ids: Collection[bytes]) -> dict[bytes, list[Conflict]]:
    """Conflicts of these records of which the server has heard no choice, by record."""
    bodies = store.db.all("SELECT body FROM conflict UNION ALL SELECT body FROM chosen WHERE waiting = 1")
    return {record: some for record, some in _open(bodies).items() if record in ids}


def _open(bodies: Iterable[tuple[bytes]]) -> dict[bytes, list[Conflict]]:
    found: dict[bytes, list[Conflict]] = {}
    for (body,) in bodies:
        conflict = msgspec.msgpack.decode(body, type=Conflict)
        if conflict.state == OPEN:
            found.setdefault(conflict.record, []).append(conflict)
    return found


def _deleted(store: Store, ops: Iterable[Op]) -> set[bytes]:
    found: set[bytes] = set()
    for kind, ids in by_kind(ops).items():
        if kind in store.shapes:
            there = rows.fetch(store.db, store.shapes[kind], ids)
            found.update(id_ for id_, stored in there.items() if stored.deleted)
    return found


def by_kind(ops: Iterable[Op]) -> dict[str, list[bytes]]:
    """The records that these ops are about, each once."""
    found: dict[str, dict[bytes, None]] = {}
    for op in ops:
        found.setdefault(op.kind, {})[op.id] = None
    return {kind: list(ids) for kind, ids in found.items()}


def _wait_again(store: Store, counted: Counter[tuple[str, bytes]]) -> None:
    """Rows on which ops wait once more; those that have left this device stay away."""
    by_kind: dict[str, list[bytes]] = {}
    for kind, id_ in counted:
        by_kind.setdefault(kind, []).append(id_)
    for kind, ids in by_kind.items():
        shape = store.shapes.get(kind)
        if shape is None:
            continue
        changes: list[tuple[Stored | None, Stored | None]] = []
        for id_, before in rows.fetch(store.db, shape, ids).items():
            if before.waiting == 0 and before.ver > 0:
                cells = shape.cells(before)
                outbox.keep_base(store.db, id_, kind, before.ver, before.deleted, cells)
            changes.append((before, replace(before, waiting=before.waiting + counted[kind, id_])))
        rows.write(store.db, shape, changes)


def _forget_conflicts(store: Store, common: int) -> None:
    """Conflicts of the lost history; where the work that met comes back, they come back with it."""
    db = store.db
    about = db.all(
        "SELECT kind, record, count(*) FROM conflict WHERE ver > ? GROUP BY kind, record", (common,)
    )
    db.execute("DELETE FROM conflict WHERE ver > ?", (common,))
    chosen.forget_after(db, common)
    for kind, record, count in about:
        shape = store.shapes.get(kind)
        before = rows.fetch(db, shape, [record]).get(record) if shape else None
        if shape and before:
            rows.write(db, shape, [(before, replace(before, conflicts=max(0, before.conflicts - count)))])
