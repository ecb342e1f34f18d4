"""Tells a device how what it holds compares with what its person sees: digests by bucket, and records by id.

Nothing is kept for it: each request goes through a stretch of the records in the order of their numbers, in bounded
memory, and the device asks again behind it. Whatever is told is of records that this person sees now, with masks in
place of what needs more care; of all others nothing is told, not even whether they are there. A restored server alone
says, of a record that a device names, that it has it for others: the device may hold it since the history that is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sync.protocol import codec, digest, messages
from sync.protocol.digest import Entry as Told
from sync.protocol.errors import Problem
from sync.protocol.ids import ID_BYTES
from sync.protocol.merge import Conflict
from sync.protocol.messages import (
    BucketHead,
    BucketReply,
    Change,
    Cursor,
    DigestHead,
    DigestReply,
    RecordsHead,
    RecordsReply,
)
from sync.server import access, exchange, feed, masks, post
from sync.server.db.base import Store, Transaction
from sync.server.db.kept import Entry
from sync.server.errors import RequestProblem
from sync.server.feed import Reader

STRETCH: Final = 10_000  # records that one request goes through: some tenths of a second of one processor

_CELLS: Final = msgspec.msgpack.Decoder(dict[str, Any])


@dataclass(slots=True)
class _Stretch:
    """How far one request came."""

    upto: int
    more: bool = False


def answer(store: Store, enrolment: str, path: str, body: bytes, now: int) -> bytes:
    """The body of the answer to a request for digests or records. Raises RequestProblem, BadFrames."""
    frames = codec.decode(body)
    if len(frames) != 1 or frames[0][0] != messages.HEAD:
        raise RequestProblem(Problem.BAD_REQUEST, why="no head")
    raw = frames[0][1]
    with store.read() as tx:
        if path == messages.DIGEST_PATH:
            asked = codec.read(raw, DigestHead)
            found: list[tuple[str, Any]] = [
                (messages.HEAD, sums(tx, _reader(tx, enrolment, asked.cursor, now), asked))
            ]
        elif path == messages.BUCKET_PATH:
            listed = codec.read(raw, BucketHead)
            found = [(messages.HEAD, entries(tx, _reader(tx, enrolment, listed.cursor, now), listed))]
        else:
            wanted = codec.read(raw, RecordsHead)
            found = _records(tx, _reader(tx, enrolment, wanted.cursor, now), wanted)
    return codec.encode(found)


def _reader(tx: Transaction, enrolment: str, cursor: Cursor, now: int) -> Reader:
    """Who asks, under today's rights. Raises RequestProblem."""
    device, person = exchange.who(tx, enrolment)
    post.refuse_closed(tx, device, now)
    if feed.begins(cursor):
        raise RequestProblem(Problem.EPOCH, why="no history yet")
    feed.check(tx, cursor)
    return exchange.reader_of(tx, device, person, b"")


def sums(tx: Transaction, reader: Reader, asked: DigestHead) -> DigestReply:
    """The sums of one stretch, up to the cursor."""
    found, stretch = digest.Sums(), _Stretch(_number(asked.after))
    for entry in _stretch(tx, stretch, asked.cursor.seq):
        if access.sees(reader.rights, entry.kind, entry.scope):
            found.add(entry.id, _digest(reader, entry))
    return DigestReply(
        sums=found.packed(),
        upto=stretch.upto,
        more=stretch.more,
        scopes=reader.scopes,
        head=tx.records.head(),
    )


def entries(tx: Transaction, reader: Reader, asked: BucketHead) -> BucketReply:
    """The entries of one stretch; those changed after the cursor too, so that nobody takes them for strays."""
    wanted, stretch = frozenset(asked.buckets), _Stretch(_number(asked.after))
    told = [
        Told(entry.id, entry.ver, _digest(reader, entry))
        for entry in _stretch(tx, stretch, tx.records.head())
        if digest.bucket_of(entry.id) in wanted and access.sees(reader.rights, entry.kind, entry.scope)
    ]
    return BucketReply(
        entries=digest.pack_entries(told),
        upto=stretch.upto,
        more=stretch.more,
        scopes=reader.scopes,
        head=tx.records.head(),
    )


def _number(said: int) -> int:
    """A number of the history as a device says it. Raises RequestProblem."""
    if not 0 <= said < 2**53:
        raise RequestProblem(Problem.BAD_REQUEST, why="head")
    return said


def _stretch(tx: Transaction, stretch: _Stretch, end: int) -> Iterator[Entry]:
    """The next records in the order of their numbers, up to `end`; at the end `stretch` says how far it went."""
    for looked, entry in enumerate(tx.records.after(stretch.upto)):
        if entry.ver > end:
            return
        if looked >= STRETCH:
            stretch.more = True
            return
        stretch.upto = entry.ver
        yield entry


def _digest(reader: Reader, entry: Entry) -> int:
    if entry.deleted:
        return digest.digest_of(entry.id, entry.ver, None)
    cells = _CELLS.decode(entry.cells)
    return digest.digest_of(entry.id, entry.ver, masks.seen(reader.rights, entry.kind, cells))


def _records(tx: Transaction, reader: Reader, asked: RecordsHead) -> list[tuple[str, Any]]:
    """As many as fit into a page, each with all of its conflicts."""
    if len(asked.ids) > messages.RECORDS_MAX or any(len(id_) != ID_BYTES for id_ in asked.ids):
        raise RequestProblem(Problem.TOO_BIG, why="ids")
    if len(set(asked.ids)) != len(asked.ids):
        raise RequestProblem(Problem.BAD_REQUEST, why="ids")
    changes: list[Change] = []
    conflicts: list[Conflict] = []
    size = 0
    for id_ in asked.ids:
        if size >= feed.PAGE_BYTES:
            break
        change, weighs = _record(tx, reader, id_, asked.cursor)
        size += weighs
        changes.append(change)
        if not change.gone:
            of_it = feed.conflicts_of(tx, reader, id_)
            conflicts += of_it
            size += feed.weight(of_it)
    head = RecordsReply(told=len(changes), scopes=reader.scopes, head=tx.records.head())
    return [
        (messages.HEAD, head),
        *((messages.CHANGE, change) for change in changes),
        *((messages.CONFLICT, conflict) for conflict in conflicts),
    ]


def _record(tx: Transaction, reader: Reader, id_: bytes, cursor: Cursor) -> tuple[Change, int]:
    """One record as this person sees it, and about how many bytes it takes."""
    held = tx.records.held(id_)
    if held is None:
        return Change(kind="", id=id_, ver=0, gone="left"), 64
    row = held.row
    entry = Entry(
        row.id, row.kind, row.ver, row.deleted, codec.pack(dict(row.cells)), held.scope, held.device, held.incarnation,
        held.person, held.hlc,
    )  # fmt: skip
    if access.sees(reader.rights, row.kind, held.scope):
        return feed.as_seen(reader.rights, entry), len(entry.cells) + 64
    # Not its number of today: what happened to it since is the business of those who see it.
    ver = feed.left_by(reader, row.kind, tx.records.traces(id_, cursor.seq))
    kind = row.kind if tx.histories.newest_common() is not None else ""
    return Change(kind=kind, id=id_, ver=ver, gone="left"), 64
