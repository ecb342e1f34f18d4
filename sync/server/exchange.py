"""One exchange: ops in, in one transaction; then results, papers and the page of changes as they stand after it.

Steps, at each of which the server may be killed: read, applied, committed, answered. Before `committed` nothing
has happened; after it a repeat is answered from what was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import codec, messages
from sync.protocol.documents import Policy, Root
from sync.protocol.errors import Problem
from sync.protocol.facts import POLICY_NUMBER
from sync.protocol.fields import Care
from sync.protocol.ids import INCARNATION_BYTES
from sync.protocol.merge import Conflict
from sync.protocol.messages import Change, Cursor, ExchangeHead, OpResult, Paper, ReplyHead
from sync.protocol.ops import Op
from sync.protocol.texts import gettext as _
from sync.server import feed, intake, lease, limits, post, travel
from sync.server.auth import Rest
from sync.server.db.base import Store, Transaction
from sync.server.db.kept import AuditLine, Device, Numbering, Person
from sync.server.enrol import wire_person
from sync.server.errors import RequestProblem
from sync.server.feed import Page, Reader
from sync.server.intake import Author, Taken, Unreadable

ACTIVE: Final = "active"
SEEN_EVERY_MS: Final = 30_000  # a contact that brings nothing is noted this often, not at every poll
OBEYED_MAX: Final = 200
EPOCH_MAX: Final = 10**9  # of a device's keys
POSTURE_MAX: Final = 4_096
NAMED_BYTES: Final = 16 * 2**20  # of conflicts that ops name, in one answer

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What a device sent."""

    head: ExchangeHead
    ops: list[Op | Unreadable]


def read(body: bytes) -> Request:
    """The frames of a request. Raises BadFrames, RequestProblem."""
    frames = codec.decode(body)
    if not frames or frames[0][0] != messages.HEAD:
        raise RequestProblem(Problem.BAD_REQUEST, why="no head")
    head = codec.read(frames[0][1], ExchangeHead)
    size, ops = 0, []
    for tag, raw in frames[1:]:
        if tag != messages.OP:
            raise RequestProblem(
                Problem.UPGRADE,
                _("The server does not know this kind of message yet."),
                _("Your changes are safe on this device; tell IT to update the server."),
                why="unknown tag",
            )
        size += len(bytes(raw))
        ops.append(intake.read_op(raw))
    if len(ops) > messages.OPS_MAX or size > limits.OPS_PLAIN_MAX:
        raise RequestProblem(Problem.TOO_BIG, why="ops")
    counted = (head.unsent, head.order_head, head.policy_version, head.root_version, head.cursor.seq)
    if (
        len(head.incarnation) != INCARNATION_BYTES
        or not 0 < len(head.nonce) <= lease.NONCE_MAX
        or len(head.obeyed) > OBEYED_MAX
        or len(head.recovered) > OBEYED_MAX
        or any(not 0 <= number < 2**53 for number in counted)
        or abs(head.cursor.scopes) >= 2**53
        or not 0 <= head.cursor.care <= Care.RESTRICTED
        or len(head.app_version) > 60
        or not 0 <= head.rows < 2**53
        or not 0 <= head.share_as <= EPOCH_MAX
        or not 0 <= head.share_next <= EPOCH_MAX
    ):
        raise RequestProblem(Problem.BAD_REQUEST, why="head")
    return Request(head, ops)


@dataclass(slots=True)
class Said:
    """What an answer says, frame by frame."""

    reply: ReplyHead
    results: list[OpResult]
    changes: list[Change]
    conflicts: list[Conflict]
    papers: list[Paper]

    @property
    def nothing(self) -> bool:
        """Whether it has no news."""
        return not (self.reply.more or self.results or self.changes or self.conflicts or self.papers)


def answer(
    store: Store, key: Ed25519PrivateKey, enrolment: str, request: Request, now: int, step: Step
) -> tuple[bytes, Rest | None]:
    """The body of the answer, and what to remember where it leaves nothing to say. Raises RequestProblem."""
    said = _said(store, key, enrolment, request, now, step)
    frames = [
        (messages.HEAD, said.reply),
        *((messages.RESULT, each) for each in said.results),
        *((messages.CHANGE, each) for each in said.changes),
        *((messages.CONFLICT, each) for each in said.conflicts),
        *((messages.PAPER, each) for each in said.papers),
    ]
    body = codec.encode(frames)
    step("answered")
    head = request.head
    quiet = head.state == ACTIVE and not (request.ops or head.obeyed or head.recovered or head.unsent)
    return body, Rest(head, said.reply, now) if quiet and said.nothing else None


def still(
    store: Store, key: Ed25519PrivateKey, enrolment: str, rest: Rest, now: int, step: Step
) -> Rest | None:
    """What to remember where the device says what it said then, and would be told nothing but the time and how far it
    has read; None where there is more to say. Raises RequestProblem.
    """
    left = max(0, rest.head.lease_left_ms - max(0, now - rest.at))
    head = msgspec.structs.replace(rest.head, cursor=rest.reply.cursor, lease_left_ms=left)
    said = _said(store, key, enrolment, Request(head, []), now, step)
    reply, before = said.reply, rest.reply
    as_before = msgspec.structs.replace(
        before,
        cursor=msgspec.structs.replace(before.cursor, seq=reply.cursor.seq),
        server_time=reply.server_time, durable_seq=reply.durable_seq, head=reply.head,
    )  # fmt: skip
    return Rest(head, reply, now) if said.nothing and reply == as_before else None


def _said(
    store: Store, key: Ed25519PrivateKey, enrolment: str, request: Request, now: int, step: Step
) -> Said:
    head = request.head
    step("read")
    with store.read() as tx:
        whose = who(tx, enrolment)
        numbering = tx.records.numbering(whose[0].device, head.incarnation)
        # A locked device holds no records: it sends an empty cursor and a number of ops that mean nothing.
        beginning = head.state == ACTIVE and (numbering is None or feed.begins(head.cursor))
        if not (request.ops or beginning or _has_news(tx, whose[0], head, now)):
            acked_n = numbering.acked_n if numbering else 0
            return _told(tx, key, whose, head, Taken(acked_n), now)
    try:
        taken = _take(
            store, enrolment, request, now, step, from_here=beginning or _set_back(request.ops, numbering)
        )
    except RequestProblem as problem:
        if problem.trouble.problem is Problem.ROLLBACK:
            _retire(store, enrolment, head.incarnation, now)
        raise
    with store.read() as tx:
        return _told(tx, key, who(tx, enrolment), head, taken, now)


def _told(
    tx: Transaction,
    key: Ed25519PrivateKey,
    whose: tuple[Device, Person],
    head: ExchangeHead,
    taken: Taken,
    now: int,
) -> Said:
    """What the device is told, as it stands after its ops."""
    device, person = whose
    root, policy = post.root_and_policy(tx)
    stands = post.standing(tx, device)
    reader = reader_of(tx, device, person, head.incarnation)
    page, told = Page(head.cursor), wire_person(person)
    closed = stands.closed(now)
    if head.state == ACTIVE and not closed:
        feed.check(tx, head.cursor)
        # Rows come behind results: where some were left out, the page waits for the exchange that brings them.
        page = (
            feed.put_off(reader, head.cursor)
            if taken.stopped
            else feed.page(tx, reader, head.cursor, head.rows)
        )
        # What a device shows goes by its rows, which may not have been gone through yet.
        told = msgspec.structs.replace(told, care=page.cursor.care)
    papers, held = post.papers(tx, device, head, root, policy, now), tx.people.shares(device.enrolment)
    if not (stands.wipe_due(now) or stands.defied) and lease.due(head, policy):
        due = post.order_head(tx, device, now)
        papers.append(_lease(key, root, policy, device, head, due, now, share_held=head.share_as in held))
    reply = ReplyHead(
        cursor=page.cursor,
        more=page.more or sum(each.kind == "recovered" for each in papers) >= post.PACKETS_AT_ONCE,
        acked_n=taken.acked_n,
        durable_seq=feed.durable_seq(tx),
        server_time=now,
        order_head=stands.order_head,
        person=told,
        head=feed.way_end(tx, page.cursor),
        accounted=page.accounted,
        share_kept=post.share_kept(tx, device, head) if head.share else b"",
        shares=held,
    )
    results = _results(tx, reader, taken, closed=closed)
    conflicts = [] if closed else _conflicts(tx, reader, taken, page)
    return Said(reply, results, page.changes, conflicts, papers)


def _take(store: Store, enrolment: str, request: Request, now: int, step: Step, *, from_here: bool) -> Taken:
    """Ops and reports, in one transaction."""
    head, active = request.head, request.head.state == ACTIVE
    with store.write() as tx:
        tx.news.by = enrolment
        device, person = author(tx, enrolment)
        feed.check(tx, head.cursor)
        if from_here:
            # From the start of the history on it needs its own changes too; from here on it holds them.
            _echo_from_here(tx, device, head.incarnation)
        taken = Taken(0)
        if active:
            taken = intake.take(tx, Author(device, person, head.incarnation), request.ops, now)
            if taken.forgotten or (request.ops and post.standing(tx, device).closed(now)):
                # It is not shown what became of its ops; once it may look again, it needs those rows too.
                # So does one that is answered so late that the results are not kept any more.
                _echo_from_here(tx, device, head.incarnation)
        device = post.take_reports(tx, device, head, now)
        post.keep_share(tx, device, head, now)
        tx.people.put_device(
            msgspec.structs.replace(
                device,
                last_seen=now,
                unsent=max(0, head.unsent - len(taken.results)) if active else device.unsent,
                app_version=head.app_version,
                posture=_posture(head),
                travelling=head.travelling,
                **(_read(head) if active else {}),
            )
        )
        step("applied")
    step("committed")
    return taken


def _set_back(ops: Sequence[Op | intake.Unreadable], numbering: Numbering | None) -> bool:
    """Whether a device sends what it had got answers for, and has not come to the last of it: its disk was put back,
    and it will read past its own changes that it does not hold any more before its numbers are found to be taken.
    """
    return bool(ops) and numbering is not None and ops[-1].n < numbering.acked_n


def _echo_from_here(tx: Transaction, device: Device, incarnation: bytes) -> None:
    """Send the device its own changes up to this moment as if they were anybody's."""
    known = tx.records.numbering(device.device, incarnation) or Numbering()
    fresh = msgspec.structs.replace(known, echo_from=tx.records.head())
    tx.records.put_numbering(device.device, incarnation, fresh)


def _has_news(tx: Transaction, device: Device, head: ExchangeHead, now: int) -> bool:
    return bool(
        head.obeyed
        or head.recovered
        or head.share_sealed
        or not 0 <= now - device.last_seen < SEEN_EVERY_MS  # a clock that was set back counts as well
        or (head.state == ACTIVE and head.unsent != device.unsent)
        or head.app_version != device.app_version
        or head.travelling != device.travelling
        or _posture(head) != device.posture
        # What must go from a device is asked after by people: it is noted at once that it has gone.
        or (head.state == ACTIVE and _sight(head.cursor) != (device.read_scopes, device.read_care))
        or post.forgets(tx.people.shares(device.enrolment), head)
    )


def _sight(cursor: Cursor) -> tuple[int, int]:
    return cursor.scopes, int(cursor.care)


def _read(head: ExchangeHead) -> dict[str, int]:
    """How far the device has read, by its own word."""
    scopes, care = _sight(head.cursor)
    return {"read_seq": head.cursor.seq, "read_scopes": scopes, "read_care": care}


def _posture(head: ExchangeHead) -> bytes:
    """What a device says of itself; what policy rules there by its documents, where it does not say."""
    packed = codec.pack({POLICY_NUMBER: head.policy_version, **head.posture})
    return packed if len(packed) <= POSTURE_MAX else b""


def _retire(store: Store, enrolment: str, incarnation: bytes, now: int) -> None:
    """Two copies of a device give out the same numbers: each must take numbers of its own, and IT is to see it once."""
    with store.write() as tx:
        device, _person = who(tx, enrolment)
        numbering = tx.records.numbering(device.device, incarnation) or Numbering()
        if numbering.retired:
            return
        tx.records.put_numbering(device.device, incarnation, msgspec.structs.replace(numbering, retired=True))
        tx.post.audit(AuditLine(at=now, actor=enrolment, verb="two copies", object=enrolment))


def who(tx: Transaction, enrolment: str) -> tuple[Device, Person]:
    """Device and person as they are now, who may see from here what they may: rights are those of this moment, not of
    the session's start."""
    device, person = author(tx, enrolment)
    return device, travel.seen_from(device, person, post.root_and_policy(tx)[1])


def author(tx: Transaction, enrolment: str) -> tuple[Device, Person]:
    """The same for what they write, which they may from wherever they are."""
    device = tx.people.device(enrolment)
    person = tx.people.person(device.person) if device else None
    if device is None or person is None or device.wiped:
        raise RequestProblem(Problem.UNKNOWN_DEVICE, why="gone")
    return device, person


def may_read(tx: Transaction, enrolment: str, now: int) -> Person:
    """The person of a device that may hold records now. Raises RequestProblem."""
    device, person = who(tx, enrolment)
    if post.standing(tx, device).closed(now):
        raise RequestProblem(Problem.NOT_HERE, why="closed")
    return person


def reader_of(tx: Transaction, device: Device, person: Person, incarnation: bytes) -> Reader:
    """Who reads, and what of it the device has written itself."""
    numbering = tx.records.numbering(device.device, incarnation) or Numbering()
    return Reader(
        rights=person.rights,
        former=tuple(tx.people.former_rights(person.id)),
        scopes=person.scopes,
        device=device.device,
        incarnation=incarnation,
        echo_from=numbering.echo_from,
    )


def _lease(
    key: Ed25519PrivateKey,
    root: Root,
    policy: Policy,
    device: Device,
    head: ExchangeHead,
    order_head: int,
    now: int,
    *,
    share_held: bool,
) -> Paper:
    data = lease.make(
        key,
        root,
        policy,
        enrolment=device.enrolment,
        nonce=head.nonce,
        order_head=order_head,
        share_held=share_held,
        now=now,
    )
    return Paper(kind="lease", data=data)


def _results(tx: Transaction, reader: Reader, taken: Taken, *, closed: bool) -> list[OpResult]:
    """Results, each with its record where the device's own copy differs."""
    rows: dict[bytes, Change | None] = {}
    found = []
    for result, record in zip(taken.results, taken.shown, strict=True):
        if record is not None and not closed:
            if record not in rows:
                rows[record] = feed.shown(tx, reader, record)
            if (row := rows[record]) is not None:
                result = msgspec.structs.replace(result, row=row)
        found.append(result)
    return found


def _conflicts(tx: Transaction, reader: Reader, taken: Taken, page: Page) -> list[Conflict]:
    """Conflicts of the page, and those that these ops made."""
    told = {conflict.id for conflict in page.conflicts}
    fresh = [
        each for each in tx.records.conflicts(list(dict.fromkeys(taken.conflicts))) if each.id not in told
    ]
    return [*page.conflicts, *_within(each for each in fresh if feed.tells(tx, reader, each))]


def _within(conflicts: Iterable[Conflict]) -> Iterator[Conflict]:
    """As many as fit into an answer beside everything else; those of honest ops always do."""
    size = 0
    for each in conflicts:
        size += feed.weight([each])
        if size > NAMED_BYTES:
            return
        yield each
