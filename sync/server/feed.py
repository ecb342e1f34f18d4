"""Hands out what has changed: for one device, after its cursor, what its person may see, each record once.

A page is cut by rows and by bytes; the cursor stands on the last number that was looked at, so a page may be cut
anywhere. What a device wrote itself is not sent back to it. A record that went out of a person's sight since the
cursor is named as "left". When a person's role or team has changed, everything is gone through once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from sync.protocol import codec, version
from sync.protocol.errors import Problem
from sync.protocol.merge import Conflict
from sync.protocol.messages import PAGE_ROWS, Change, Cursor
from sync.server import access, masks
from sync.server.access import Rights
from sync.server.db.base import Transaction
from sync.server.db.kept import Entry
from sync.server.errors import RequestProblem

PAGE_BYTES: Final = 2**20
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


def check(tx: Transaction, cursor: Cursor) -> None:
    """Refuse a cursor of another history. Raises RequestProblem."""
    if cursor.epoch and (cursor.epoch != tx.epoch or cursor.seq > tx.records.head()):
        raise RequestProblem(Problem.EPOCH, why="other history")


def page(tx: Transaction, reader: Reader, cursor: Cursor) -> Page:
    """The next page after `cursor`, which `check` has passed."""
    sweeping = bool(cursor.epoch) and cursor.scopes != reader.scopes
    start = cursor.seq if cursor.epoch and abs(cursor.scopes) == reader.scopes else 0
    found = Page(cursor)
    looked, size, last = 0, 0, start
    for entry in tx.records.after(start):
        if len(found.changes) >= PAGE_ROWS or size >= PAGE_BYTES or looked >= LOOKED_AT_MAX:
            found.more = True
            break
        looked, last = looked + 1, entry.ver
        change = _change(tx, reader, entry, start, sweeping=sweeping)
        if change is not None:
            found.changes.append(change)
            size += len(entry.cells) + 64
    else:
        last = tx.records.head()
    found.conflicts = list(_conflicts(tx, reader, found, start, last))
    # A negative number says that the going-through has not come to its end.
    scopes = -reader.scopes if sweeping and found.more else reader.scopes
    found.cursor = Cursor(epoch=tx.epoch, seq=last, scopes=scopes, schema=version.SCHEMA)
    return found


def shown(tx: Transaction, reader: Reader, record: bytes) -> Change | None:
    """One record as this reader may see it now; "left" when it may not; None when there is none."""
    held = tx.records.held(record)
    if held is None:
        return None
    row = held.row
    if not access.sees(reader.rights, row.kind, held.scope):
        return Change(kind=row.kind, id=row.id, ver=row.ver, gone="left")
    cells = _CELLS.decode(codec.pack(dict(row.cells)))
    return Change(
        kind=row.kind,
        id=row.id,
        ver=row.ver,
        cells={} if row.deleted else cells,
        gone="deleted" if row.deleted else "",
        person=held.person,
        hlc=held.hlc,
    )


def _change(tx: Transaction, reader: Reader, entry: Entry, start: int, *, sweeping: bool) -> Change | None:
    if not access.sees(reader.rights, entry.kind, entry.scope):
        if had(tx, reader, entry, start, sweeping=sweeping):
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
    hidden = access.masked(rights)
    return Change(
        kind=entry.kind,
        id=entry.id,
        ver=entry.ver,
        cells=_masked(entry) if hidden else _CELLS.decode(entry.cells),
        person="" if hidden else entry.person,
        hlc=entry.hlc,
    )


def had(tx: Transaction, reader: Reader, entry: Entry, start: int, *, sweeping: bool) -> bool:
    """Whether the device may hold this record, which its person does not see any more."""
    rights = [reader.rights, *(reader.former if sweeping else ())]
    traces = tx.records.traces(entry.id, start)
    if any(trace.device == reader.device for trace in traces):
        return True  # it made the record for somebody else, or gave it away
    scopes = [trace.before for trace in traces if trace.before is not None]
    if sweeping:
        scopes.append(entry.scope)
    return any(access.sees(each, entry.kind, scope) for each in rights for scope in scopes)


def _masked(entry: Entry) -> dict[str, msgspec.Raw]:
    plain = msgspec.msgpack.decode(entry.cells, type=dict[str, object])
    return _CELLS.decode(codec.pack(masks.mask(entry.kind, plain)))


def _conflicts(tx: Transaction, reader: Reader, found: Page, start: int, last: int) -> Iterator[Conflict]:
    """Conflicts of the rows on this page, and new ones about rows that did not change; never of rows unseen."""
    if access.masked(reader.rights):
        return
    told: set[bytes] = set()
    for change in found.changes:
        if not change.gone:
            for conflict in tx.records.conflicts_of(change.id):
                told.add(conflict.id)
                yield conflict
    for conflict in tx.records.conflicts_after(start, last):
        if conflict.id not in told and visible(tx, reader, conflict.record):
            yield conflict


def visible(tx: Transaction, reader: Reader, record: bytes) -> bool:
    """Whether this reader sees the record now."""
    held = tx.records.held(record)
    return held is not None and access.sees(reader.rights, held.row.kind, held.scope)
