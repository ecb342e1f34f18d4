"""Work that was refused since its record was not on a restored server: once that has come, it is sent again by itself.

It is sent as it was done: what belongs to one act together, and only when nothing of it would be missed once more. What
its author has written since, and the server has taken, is not undone by what comes later than it was meant to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from app.store import outbox, recovered, rows
from app.store.restored import FIRST, by_kind
from app.store.rows import chunks, marks
from app.store.store import Store, Writing
from sync.protocol.errors import Rejection
from sync.protocol.kinds import pairs
from sync.protocol.ops import Act, Op

_Refused = tuple[bytes, Op]  # with the incarnation that it was sent under
_UNDONE_BY: Final = {Act.DELETE: Act.UNDELETE, Act.UNDELETE: Act.DELETE}


def send_again(store: Store) -> int:
    """Ops that were refused since a record was not on the server, and now it is: they wait once more; how many.

    Of work that comes back, an edit may come before the record: it is another device that made it.
    """
    db = store.db
    refused = db.all(
        "SELECT incarnation, op FROM attention WHERE code = ? AND op IS NOT NULL", (Rejection.GONE.value,)
    )
    # What waits was done later, and may take some of it back, or be refused: by the next answer that is known.
    if not refused or outbox.count(db):
        return 0
    acts = _acts([(bytes(incarnation), outbox.op_of(data)) for incarnation, data in refused])
    there = _there(store, [op for act in acts for _incarnation, op in act])
    torn = set(db.all("SELECT incarnation, n FROM attention WHERE op IS NULL"))
    back = [
        act for act in acts if all(_comes(op, there) for _incarnation, op in act) and not _is_torn(act, torn)
    ]
    if not back:
        return 0
    later = _taken(store, {op.id for act in back for _incarnation, op in act})
    with store.writing() as writing:
        for act in back:
            db.executemany(
                "DELETE FROM attention WHERE incarnation = ? AND n = ?", [(each, op.n) for each, op in act]
            )
            if not any(_parted(store, op) for _incarnation, op in act):
                _send(
                    store, writing, [rest for _each, op in act if (rest := _left_of(op, later)) is not None]
                )
    return sum(map(len, back))


def _acts(refused: Sequence[_Refused]) -> list[list[_Refused]]:
    """What belongs to one act, in the order in which it was done."""
    ordered = sorted(refused, key=lambda each: (each[1].hlc, each[1].n))
    found: dict[tuple[bytes, int], list[_Refused]] = {}
    for incarnation, op in ordered:
        found.setdefault((incarnation, op.first or op.n), []).append((incarnation, op))
    return list(found.values())


def _is_torn(act: Sequence[_Refused], gone: set[tuple[bytes, int]]) -> bool:
    """Whether the words of a part of it went, with a record that left: the rest would pass for the whole, and delete a
    record whose values nobody took over.
    """
    (incarnation, first), last = act[0], act[-1][1].n
    return any((incarnation, n) in gone for n in range(first.first or first.n, last))


def _comes(op: Op, there: set[bytes]) -> bool:
    """Whether the server would find the record, or is told of it by this."""
    return op.act is Act.ADD or op.id in there


def _there(store: Store, ops: Iterable[Op]) -> set[bytes]:
    """Those of these records that the server has."""
    found: set[bytes] = set()
    for kind, ids in by_kind(ops).items():
        if kind in store.shapes:
            there = rows.fetch(store.db, store.shapes[kind], ids)
            found.update(id_ for id_, stored in there.items() if stored.ver > FIRST)
    return found


def _taken(store: Store, ids: set[bytes]) -> dict[bytes, list[Op]]:
    """What this device has had taken of these records."""
    found: dict[bytes, list[Op]] = {}
    for some in chunks(list(ids)):
        for id_, data in store.db.all(
            f"SELECT id, op FROM op_archive WHERE id IN ({marks(len(some))})", some
        ):
            found.setdefault(bytes(id_), []).append(outbox.op_of(data))
    return found


def _left_of(op: Op, taken: dict[bytes, list[Op]]) -> Op | None:
    """An op without what its author has written over since; None where nothing is left of it."""
    if op.settles:
        return op  # a choice is one with what it writes
    later = [each for each in taken.get(op.id, ()) if each.hlc > op.hlc and _by_one(each, op)]
    cells = {cell: v for cell, v in op.set.items() if not any(cell in each.set for each in later)}
    undone = any(each.act is _UNDONE_BY.get(op.act) for each in later)
    if undone and not cells:
        return None
    if op.act is Act.SET and not cells:
        return None
    return msgspec.structs.replace(
        op, act=Act.SET if undone else op.act, set=cells, was={c: v for c, v in op.was.items() if c in cells}
    )


def _parted(store: Store, op: Op) -> bool:
    """Whether a record is deleted by this for having been joined into another, and its author has taken the join back:
    where only the first part of the act was taken, that is all that the taking back speaks of.
    """
    if op.act is not Act.DELETE:
        return False
    cell = pairs.joined(op.id)
    asked = "SELECT op FROM op_archive WHERE instr(op, CAST(? AS BLOB)) > 0"
    words = [outbox.op_of(data) for (data,) in store.db.all(asked, (cell,))]
    return any(
        cell in each.set and each.set[cell] is None and each.hlc > op.hlc and _by_one(each, op)
        for each in words
    )


def _by_one(one: Op, other: Op) -> bool:
    """Whether both were written on one device: work that came here from another had seen nothing of this one's."""
    return (one.origin or ((),))[:2] == (other.origin or ((),))[:2]


def _send(store: Store, writing: Writing, act: Sequence[Op]) -> None:
    first = writing.next_n
    for op in act:
        again = writing.put(msgspec.structs.replace(op, n=writing.next_n, first=first))
        recovered.lay_on_top(store, writing.person, again)
