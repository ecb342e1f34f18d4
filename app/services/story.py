"""The story of one record on this device: what was done to it here, what came of that, what met, what the server has.

It tells which fields, by whom and when, and no values: those are the record's, with the masks of whoever looks.
"""

from __future__ import annotations

from app.errors import NotFound
from app.services import comparing, duplicates
from app.services.session import Session
from app.store import chosen, conflicts, joined, lists, outbox, records
from app.store.conflicts import Attention, OpenConflict
from app.store.reader import Reader
from app.store.records import Record
from sync.client.errors import ExchangeError
from sync.protocol import clock
from sync.protocol.kinds import KINDS
from sync.protocol.merge import Conflict
from sync.protocol.messages import Change
from sync.protocol.ops import Op
from sync.protocol.quiet import Quiet

WAITING = "waiting"
TAKEN = "taken"
REFUSED = "refused"


class Deed(Quiet, frozen=True):
    """One op made here, when (UTC ms), and what became of it: the number that the server took it under, or why not.

    Of a refused one whose record left this device the op is None, and the time that of the refusal.
    """

    at_ms: int
    n: int
    op: Op | None
    state: str
    ver: int = 0
    refused: Attention | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields it writes, in the order of the form."""
        if self.op is None:
            return ()
        touched = {cell.partition("/")[0] for cell in self.op.set}
        kind = KINDS.get(self.op.kind)
        known = [name for name in kind.by_name if name in touched] if kind is not None else []
        return (*known, *sorted(touched.difference(known)))


class Kin(Quiet, frozen=True):
    """Other records: the one that it was joined into, those joined into it, those that seem to be one with it."""

    remains: tuple[bytes, str] | None = None
    joined: tuple[bytes, ...] = ()
    pairs: tuple[tuple[bytes, str, str], ...] = ()  # and why


class Story(Quiet, frozen=True):
    """What this device knows of a record; `server` is what the server says now, None where it was not reached."""

    id: bytes
    record: Record | None
    deeds: tuple[Deed, ...]
    open: tuple[OpenConflict, ...]
    settled: tuple[Conflict, ...]
    server: Change | None = None
    problem: ExchangeError | None = None
    kin: Kin = Kin()


def tell(session: Session, id_: bytes) -> Story:
    """All of it; nothing changes on either side. Raises NotFound, Locked, StoreDamaged."""
    known, deeds, met, settled = session.read(_read, id_)
    kin = session.read(_kin, id_) if known is not None and known.kind.alike else Kin()
    server, problem = None, None
    try:
        server = comparing.ask(session, id_)
    except ExchangeError as failed:
        problem = failed
    return Story(id_, known, tuple(deeds), tuple(met), tuple(settled), server, problem, kin)


def _read(store: Reader, id_: bytes) -> tuple[Record | None, list[Deed], list[OpenConflict], list[Conflict]]:
    try:
        known: Record | None = records.get(store, id_)
    except NotFound:
        known = None
    found = [_deed(op, WAITING) for op in outbox.of_records(store.db, [id_]).get(id_, ())]
    found += [_deed(op, TAKEN, ver=ver) for op, ver in outbox.taken(store.db, id_)]
    for each in conflicts.attention(store):
        if each.id == id_:
            at_ms = clock.millis(each.op.hlc) if each.op is not None else each.at_ms
            found.append(Deed(at_ms, each.n, each.op, REFUSED, refused=each))
    if known is None and not found:
        records.get(store, id_)  # which says that there is no such record here
    met, settled = conflicts.open_conflicts(store, record=id_), chosen.told(store, id_)
    return known, sorted(found, key=lambda each: (each.at_ms, each.n)), met, settled


def _kin(store: Reader, id_: bytes) -> Kin:
    remains = joined.remains_of(store, id_)
    found = []
    for seen in duplicates.seen(store, id_):
        other = seen.gone if seen.remains.id == id_ else seen.remains
        found.append((other.id, other.title, seen.why))
    into = (remains, lists.title_of(store, remains) or "") if remains != id_ else None
    return Kin(into, tuple(joined.joined_into(store, id_)), tuple(found))


def _deed(op: Op, state: str, *, ver: int = 0) -> Deed:
    return Deed(clock.millis(op.hlc), op.n, op, state, ver)
