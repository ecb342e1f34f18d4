"""Hands out what has changed: for one device, after its cursor, what its person may see, each record once.

A page is cut by rows and by bytes, those of conflicts too; the cursor stands on the last number that was looked at, so
a page may be cut anywhere. What a device wrote itself is not sent back to it. A record that went out of a person's
sight since the cursor is named as "left". Of each record, the cells go out that the person sees, and masks for others.
When a person's role, team or care class has changed, everything is gone through once more.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from sync.protocol import codec, version
from sync.protocol.errors import Problem
from sync.protocol.fields import Care
from sync.protocol.merge import Conflict
from sync.protocol.messages import PAGE_ROWS, Change, Cursor
from sync.server import access, logs, masks
from sync.server.access import Rights
from sync.server.accounting import accounted
from sync.server.db.base import Transaction
from sync.server.db.kept import Entry, Held, Trace
from sync.server.errors import RequestProblem

PAGE_BYTES: Final = 2**20
TRACED: Final = 200  # records whose way is asked for at once
LOOKED_AT_MAX: Final = 50_000  # rows of others that one page passes over before it stops for breath

_CELLS: Final = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the person's rights now and before, and the device whose own changes it holds already."""

    rights: Rights
    former: tuple[Rights, ...]
    scopes: int
    device: bytes
    incarnation: bytes
    echo_from: int


@dataclass(slots=True)
class Page:
    """What goes out in one answer."""

    cursor: Cursor
    more: bool = False
    changes: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    accounted: int = 0  # of the records that it takes away, those of which the log says why


def begins(cursor: Cursor) -> bool:
    """Whether a device reads from the start: it holds nothing yet, or has gone back to where its history was lost."""
    return not cursor.epoch or cursor.scopes == 0


def check(tx: Transaction, cursor: Cursor) -> None:
    """Refuse a cursor of another history; `expected` is the number up to which both are one. Raises RequestProblem."""
    if not cursor.epoch:
        return
    if cursor.epoch != tx.epoch:
        common = tx.histories.common(cursor.epoch)
        if begins(cursor) and 0 < cursor.seq <= common:
            return  # it was told before, and sends what came after: no restore since then went further back
        raise RequestProblem(Problem.EPOCH, why="other history", expected=common)
    if cursor.seq > tx.records.head():
        # The store was put back without a restore: it gives out numbers once more that stand for something else.
        logs.alarm("history", problem="set_back")
        raise RequestProblem(Problem.EPOCH, why="set back")


def durable_seq(tx: Transaction) -> int:
    """Up to which number the history is safe: what a verified backup holds.

    Where none was ever made, there is nothing to restore from either: what is committed and flushed is all there is.
    """
    durable = tx.histories.durable()
    return tx.records.head() if durable is None else durable.seq


def way_end(tx: Transaction, cursor: Cursor) -> int:
    """The number at which the way of this cursor ends; before the gap that a restore leaves, where the gap begins."""
    common = tx.histories.newest_common()
    return common if common is not None and cursor.seq < common else tx.records.head()


def page(tx: Transaction, reader: Reader, cursor: Cursor, rows: int = 0) -> Page:
    """The next page after `cursor`, which `check` has passed; of so many rows at most, where that is said."""
    most = min(rows or PAGE_ROWS, PAGE_ROWS)
    sweeping = not begins(cursor) and cursor.scopes != reader.scopes
    start = cursor.seq if cursor.epoch and abs(cursor.scopes) == reader.scopes else 0
    found = Page(cursor)
    looked, size, last, passed_over = 0, 0, start, False
    for each, traces in _traced(tx, reader, _since(tx, reader, start), start):
        full = len(found.changes) >= most or size >= PAGE_BYTES or looked >= LOOKED_AT_MAX
        # What has one number goes out together: the cursor stands behind all of it.
        if full and each.ver > last:
            found.more = True
            break
        looked, last = looked + 1, each.ver
        if isinstance(each, Conflict):
            some = [each] if tells(tx, reader, each) else []
        else:
            change = _change(tx, reader, each, traces, sweeping=sweeping)
            if change is None:
                passed_over = True
                continue
            found.changes.append(change)
            size += len(each.cells) + 64
            # Those after `start` have their own place in what is gone through.
            some = [] if change.gone == "left" else _missed(tx, reader, each.id, each.kind, start)
        found.conflicts += some
        size += weight(some)
    else:
        last = tx.records.head()
    if found.more:
        _passed_on(tx, reader, start, last, found, own=begins(cursor))
    if start and passed_over and not sweeping:
        _returned(tx, reader, start, last, found)
    # Rights are others than those that the device has read under, or may be: before its first page, and in a history
    # that is lost.
    unsure = begins(cursor) or tx.histories.newest_common() is not None
    anew = bool(reader.former) and (sweeping or unsure)
    found.accounted = accounted(tx, reader.rights, reader.device, found.changes, start, anew=anew)
    # A negative number says that the going-through has not come to its end.
    scopes = -reader.scopes if sweeping and found.more else reader.scopes
    care = int(reader.rights.care)
    if scopes < 0:
        care = min(care, cursor.care)  # rows that were not gone through yet hold masks
    found.cursor = Cursor(epoch=tx.epoch, seq=last, scopes=scopes, schema=version.SCHEMA, care=care)
    return found


def put_off(reader: Reader, cursor: Cursor) -> Page:
    """No page yet: the device asks again from where it is. The rows beside its results hold the masks of today."""
    care = min(int(reader.rights.care), cursor.care)
    return Page(msgspec.structs.replace(cursor, care=care), more=True)


def _passed_on(tx: Transaction, reader: Reader, start: int, last: int, found: Page, *, own: bool) -> None:
    """What went out of sight, or came into it, within a page that was cut and has changed again behind it: the next
    page begins after the change by which it did, and nothing there would tell of that. `own` asks for the device's own
    changes alone: one that reads from the start may hold those that it sends once more, since its disk was put back.
    """
    told_of = {change.id for change in found.changes}
    for id_ in tx.records.passed_on(start, last, reader.device, own=own):
        held = tx.records.held(id_)
        if held is None or id_ in told_of:
            continue
        kind = held.row.kind
        if access.sees(reader.rights, kind, held.scope):
            found.conflicts += _missed(tx, reader, id_, kind, start)
            if _is_own(reader, held) and _came(tx, reader, id_, kind, start):
                found.changes += filter(None, [shown(tx, reader, id_)])
        elif ver := left_by(reader, kind, tx.records.traces(id_, start), reader.former):
            found.changes.append(Change(kind=kind, id=id_, ver=ver, gone="left"))


def _returned(tx: Transaction, reader: Reader, start: int, last: int, found: Page) -> None:
    """What came into sight within a page and was written by this very device behind that, out of what had waited there
    since before it left: as its own it is not sent back, and what the device held of it went when it left.
    """
    told_of = {change.id for change in found.changes}
    for id_ in tx.records.returned(start, last, reader.device):
        held = tx.records.held(id_)
        if held is None or id_ in told_of or not access.sees(reader.rights, held.row.kind, held.scope):
            continue
        if _came(tx, reader, id_, held.row.kind, start):
            found.changes += filter(None, [shown(tx, reader, id_)])
            found.conflicts += _missed(tx, reader, id_, held.row.kind, start)


def _is_own(reader: Reader, held: Held) -> bool:
    return (held.device, held.incarnation) == (reader.device, reader.incarnation)


def shown(tx: Transaction, reader: Reader, record: bytes) -> Change | None:
    """One record as this reader may see it now; "left" when it may not; None when there is none."""
    held = tx.records.held(record)
    if held is None:
        return None
    row = held.row
    if not access.sees(reader.rights, row.kind, held.scope):
        # Not its number of today: what happens to it is the business of those who see it.
        return Change(kind=row.kind, id=row.id, ver=0, gone="left")
    cells = _as_seen(reader.rights, row.kind, codec.pack(dict(row.cells)))
    return Change(
        kind=row.kind,
        id=row.id,
        ver=row.ver,
        cells={} if row.deleted else cells,
        gone="deleted" if row.deleted else "",
        person="" if access.nameless(reader.rights) else held.person,
        hlc=held.hlc,
    )


def _change(
    tx: Transaction, reader: Reader, entry: Entry, traces: Sequence[Trace], *, sweeping: bool
) -> Change | None:
    if not access.sees(reader.rights, entry.kind, entry.scope):
        # A device may hold what it saw in a history that is lost, under rights that its person has had.
        if had(reader, entry, traces, sweeping=sweeping or tx.histories.newest_common() is not None):
            return Change(kind=entry.kind, id=entry.id, ver=entry.ver, gone="left")
        return None
    own = (entry.device, entry.incarnation) == (reader.device, reader.incarnation)
    if own and entry.ver > reader.echo_from and not sweeping:
        return None
    return as_seen(reader.rights, entry)


def as_seen(rights: Rights, entry: Entry) -> Change:
    """A record as a person sees it who may see it."""
    if entry.deleted:
        return Change(kind=entry.kind, id=entry.id, ver=entry.ver, gone="deleted", hlc=entry.hlc)
    return Change(
        kind=entry.kind,
        id=entry.id,
        ver=entry.ver,
        cells=_as_seen(rights, entry.kind, entry.cells),
        person="" if access.nameless(rights) else entry.person,
        hlc=entry.hlc,
    )


def had(reader: Reader, entry: Entry, traces: Sequence[Trace], *, sweeping: bool) -> bool:
    """Whether the device may hold this record, which its person does not see any more."""
    former = reader.former if sweeping else ()
    if left_by(reader, entry.kind, traces, former):
        return True
    return sweeping and any(access.sees(each, entry.kind, entry.scope) for each in (reader.rights, *former))


def left_by(reader: Reader, kind: str, traces: Sequence[Trace], former: tuple[Rights, ...] = ()) -> int:
    """The number of the change, of these, by which a record went out of sight, whatever became of it since; 0 for one
    that was not in sight. Its own device's last word is such a change: it made the record for somebody else.
    """
    rights = (reader.rights, *former)
    found = 0
    for trace in traces:
        scope = trace.before
        in_sight = scope is not None and any(access.sees(each, kind, scope) for each in rights)
        if in_sight or trace.device == reader.device:
            found = max(found, trace.seq)
    return found


def _as_seen(rights: Rights, kind: str, cells: bytes) -> dict[str, msgspec.Raw]:
    if rights.care >= Care.RESTRICTED:
        return _CELLS.decode(cells)
    plain = msgspec.msgpack.decode(cells, type=dict[str, object])
    return _CELLS.decode(codec.pack(masks.seen(rights, kind, plain)))


def _since(tx: Transaction, reader: Reader, start: int) -> Iterator[Entry | Conflict]:
    """Records and conflicts after a number, rising: a conflict need not have changed its row."""
    entries = tx.records.after(start)
    if access.nameless(reader.rights):
        return entries
    both: tuple[Iterator[Entry | Conflict], ...] = (entries, tx.records.conflicts_after(start))
    return heapq.merge(*both, key=lambda each: each.ver)


def _traced(
    tx: Transaction, reader: Reader, entries: Iterator[Entry | Conflict], start: int
) -> Iterator[tuple[Entry | Conflict, Sequence[Trace]]]:
    """Each with what is remembered of it since, where it is out of sight: asked for some at a time, since to who sees
    little nearly all is."""
    while some := list(itertools.islice(entries, TRACED)):
        unseen = [
            each.id
            for each in some
            if isinstance(each, Entry) and not access.sees(reader.rights, each.kind, each.scope)
        ]
        traces = tx.records.traces_of(unseen, start) if unseen else {}
        for each in some:
            yield each, traces.get(each.id, ())


def conflicts_of(
    tx: Transaction, reader: Reader, record: bytes, *, upto: int | None = None
) -> list[Conflict]:
    """The open conflicts of a record that this reader sees, as far as they are about cells that it sees; with `upto`,
    those up to that number.
    """
    if access.nameless(reader.rights):
        return []
    return [each for each in tx.records.conflicts_of(record, upto=upto) if _cell_seen(reader, each)]


def _missed(tx: Transaction, reader: Reader, id_: bytes, kind: str, start: int) -> list[Conflict]:
    """Open conflicts up to `start` of a record that came into sight since: they were passed over."""
    # A first download passes over none.
    found = conflicts_of(tx, reader, id_, upto=start) if start else []
    return found if found and _came(tx, reader, id_, kind, start) else []


def _came(tx: Transaction, reader: Reader, id_: bytes, kind: str, start: int) -> bool:
    """Whether a record was out of sight after that number."""
    befores = (trace.before for trace in tx.records.traces(id_, start))
    return any(before is not None and not access.sees(reader.rights, kind, before) for before in befores)


def weight(conflicts: list[Conflict]) -> int:
    """About how many bytes these take in an answer."""
    return sum(len(codec.pack(conflict)) + 64 for conflict in conflicts)


def tells(tx: Transaction, reader: Reader, conflict: Conflict) -> bool:
    """Whether this reader is told of a conflict: it sees the record now, and the cell."""
    if access.nameless(reader.rights) or not _cell_seen(reader, conflict):
        return False
    held = tx.records.held(conflict.record)
    return held is not None and access.sees(reader.rights, held.row.kind, held.scope)


def _cell_seen(reader: Reader, conflict: Conflict) -> bool:
    return access.sees_cell(reader.rights, conflict.kind, conflict.cell)
