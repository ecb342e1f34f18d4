"""Changes that the server took as they were sent: nothing waits on their records any more, and all else is as it was.

What is shown is the server's row with the waiting changes on top. Once it has taken them all as they are, and says
nothing else of the record, the server's row is the one that is shown: none of it has to be read, laid or written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from app.store import outbox, sight
from app.store.restored import FIRST
from app.store.rows import chunks, marks
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.errors import Outcome
from sync.protocol.messages import OpResult
from sync.protocol.ops import Act, Op


class Plain(NamedTuple):
    """A record whose changes were taken so: where its row is, and its number there."""

    kind: str
    rowid: int
    ver: int


class _Sent(NamedTuple):
    """What was sent of a record: how many changes, the highest number they got, whether it was made by one."""

    kind: str
    many: int
    ver: int
    made: bool


class _Base(NamedTuple):
    """The server's row below: its number, and whether it is a tombstone."""

    ver: int
    deleted: int


def found(
    store: Store, acked: Sequence[Op], answer: Answer, said: Mapping[int, OpResult]
) -> dict[bytes, Plain]:
    """The records of which nothing else is to be done, by id; every other one goes the general road."""
    sent = _sent(acked, answer, said)
    waiting = _waiting(store, sent)
    bases = _bases(store, sent)
    by_kind: dict[str, list[bytes]] = {}
    for id_, one in sent.items():
        base = bases.get(id_)
        # Below work that is sent once more lies a row of a history that the server has lost.
        known = one.made if base is None else base.ver > FIRST and not (base.deleted or one.made)
        if known and waiting.get(id_) == one.many:
            by_kind.setdefault(one.kind, []).append(id_)
    plain: dict[bytes, Plain] = {}
    for kind, ids in by_kind.items():
        asked = (
            f'SELECT _id, _rowid, _waiting FROM "{store.shapes[kind].table}" WHERE _deleted = 0 AND _id IN '
        )
        for some in chunks(ids):
            for id_, rowid, count in store.db.all(f"{asked}({marks(len(some))})", some):
                if count == sent[id_].many:
                    below = bases[id_].ver if id_ in bases else 0
                    plain[id_] = Plain(kind, rowid, max(below, sent[id_].ver))
    return plain


def write(
    store: Store, plain: Mapping[bytes, Plain], conflicts: Mapping[bytes, int]
) -> list[tuple[str, bytes]]:
    """Write that nothing waits on them; (kind, id) of each, since that is seen. In the transaction of the page."""
    by_kind: dict[str, list[tuple[int, int, int]]] = {}
    for id_, one in plain.items():
        by_kind.setdefault(one.kind, []).append((one.ver, conflicts.get(id_, 0), one.rowid))
    for kind, values in by_kind.items():
        table = store.shapes[kind].table
        store.db.executemany(
            f'UPDATE "{table}" SET _ver = ?, _waiting = 0, _conflicts = ? WHERE _rowid = ?', values
        )
    outbox.drop_bases(store.db, plain)
    return [(one.kind, id_) for id_, one in plain.items()]


def _sent(acked: Sequence[Op], answer: Answer, said: Mapping[int, OpResult]) -> dict[bytes, _Sent]:
    """What was sent of each record of which nothing else was said."""
    others = {change.id for change in answer.changes} | {each.record for each in answer.conflicts}
    sent: dict[bytes, _Sent] = {}
    for op in acked:
        if op.id in others:
            continue
        result = said.get(op.n)
        if not _as_sent(op, result, answer.cursor.care):
            others.add(op.id)
            sent.pop(op.id, None)
            continue
        before = sent.get(op.id) or _Sent(op.kind, 0, 0, op.act is Act.ADD)
        ver = (result.ver if result else 0) or 1
        sent[op.id] = _Sent(op.kind, before.many + 1, max(before.ver, ver), before.made)
    return sent


def _as_sent(op: Op, result: OpResult | None, care: int) -> bool:
    """Whether a change was taken as it was, and is an ordinary one: it makes or edits, and of what is seen here."""
    taken = result is None or (result.outcome is Outcome.OK and result.row is None and not result.conflicts)
    ordinary = op.act in (Act.ADD, Act.SET) and not (op.settles or op.ver or op.origin)
    return taken and ordinary and not sight.sets_hidden(op, care)


def _waiting(store: Store, ids: Iterable[bytes]) -> dict[bytes, int]:
    """How many ops wait on each of these records."""
    found: dict[bytes, int] = {}
    for some in chunks(list(ids)):
        asked = f"SELECT id, count(*) FROM outbox WHERE id IN ({marks(len(some))}) GROUP BY id"
        found.update(store.db.all(asked, some))
    return found


def _bases(store: Store, ids: Iterable[bytes]) -> dict[bytes, _Base]:
    """The server's rows below."""
    found: dict[bytes, _Base] = {}
    for some in chunks(list(ids)):
        asked = f"SELECT id, ver, deleted FROM base WHERE id IN ({marks(len(some))})"
        found.update((id_, _Base(ver, deleted)) for id_, ver, deleted in store.db.all(asked, some))
    return found
