"""ONE exchange: take ops, send, verify papers, apply the page, say what was heard; pure but for the ports.

Numbered steps, each of which a crash may follow without loss:

1.  ops are taken from the outbox (they stay in it)
2.  the request is sent
3.  the answer is here, whole, its count and hash checked
4.  papers are verified and kept
5.  results, rows, conflicts and cursor are applied in one transaction
6.  the book of orders notes the contact
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

import msgspec

from sync.client import ahead
from sync.client.ahead import Asked
from sync.client.errors import ServerRefused, Unreachable
from sync.client.holding_back import HoldingBack
from sync.client.line import Line, Rest, whole
from sync.client.ports import Answer, Applied, OrderBook, Position, Replica, Standing, Stands
from sync.protocol import codec, messages, version
from sync.protocol.errors import BadFrames, Problem, UpgradeNeeded
from sync.protocol.fields import Care
from sync.protocol.ids import new_incarnation
from sync.protocol.merge import Conflict
from sync.protocol.messages import Change, Cursor, ExchangeHead, OpResult, Paper, ReplyHead
from sync.protocol.ops import Op
from sync.protocol.texts import gettext as _

ACTIVE = "active"
NOTHING_HELD = Position(Cursor(), b"\0" * 8, 0)

NUMBER_END: Final = 2**53
FIRST_ROWS: Final = 200  # of the first page of all: whoever waits sees a list at once
TIME_END: Final = 4_102_444_800_000  # the year 2100, in UTC milliseconds
Step = Callable[[int], None]


class Page(msgspec.Struct, frozen=True):
    """What one exchange brought."""

    more: bool
    sent: int
    applied: Applied = msgspec.field(default_factory=Applied)
    papers: int = 0
    begin: int = (
        0  # where the cursor stood, where it stands now, and the end of its way; 0 from an older server
    )
    at: int = 0
    end: int = 0
    held_back: int = 0  # records that the server would take away and cannot say why


def exchange(
    replica: Replica | None,
    book: OrderBook,
    line: Line,
    step: Step = lambda n: None,
    back: HoldingBack | None = None,
) -> Page:
    """Exchange once. Without a replica (locked, wiped) only papers travel. `back` holds back what would take too much.

    Raises ExchangeError and UpgradeNeeded; then nothing has changed on the device but what a whole answer brought.
    """
    standing = book.standing()
    replica = replica if standing.state == ACTIVE else None
    stands = replica.stands() if replica else Stands(NOTHING_HELD)
    position = _opened(replica, line, stands.position, standing.state)
    head = _head(standing, position, stands, back.count if back is not None else 0)
    if (page := _still(line, book, head)) is not None:
        return page
    session = line.open(position, standing.state)  # the server may have forgotten it
    if session.ops_max < 1:
        raise _unfit()
    asked = _asked(replica, line, head, stands, session.ops_max)
    head, ops = asked.head, asked.ops
    step(1)
    step(2)
    try:
        frames = whole(_post(line, asked, position, standing.state))
    except ServerRefused as refusal:
        if replica and refusal.problem is Problem.EPOCH:
            # Whatever it says: a number beyond the own cursor would be refused from then on, by every server.
            replica.restart(max(0, min(refusal.trouble.expected, position.cursor.seq)))
        raise
    step(3)
    reply, answer, papers = _read(frames)
    _plausible(reply, answer, ops, position)
    # A disk that was put back may hold more of what the server has taken than goes up at once: what was not sent now
    # stays in the outbox until the server has answered for it.
    sent_n = max((op.n for op in ops), default=0 if stands.unsent else position.last_n)
    # More than there is cannot be safe. (Before the gap that a restore leaves, the way's end is less than what is.)
    durable = min(reply.durable_seq, reply.head) if reply.head else reply.durable_seq
    answer = msgspec.structs.replace(answer, acked_n=min(reply.acked_n, sent_n), durable_seq=durable)
    book.take_papers(papers, head.nonce)
    news = bool(answer.results or answer.changes or answer.conflicts or papers)
    if replica and back is not None:
        answer = back.judge(replica, reply, answer, position)
    held = back.count if back is not None else 0
    step(4)
    if replica and not held:
        ahead.ask(replica, line, asked, reply, answer, papers, session.ops_max)
    applied = replica.apply(answer) if replica else Applied()
    if replica and head.recovered:
        replica.reported(head.recovered)
    step(5)
    _note(book, head, reply)
    step(6)
    line.rest = _rest(head, reply, news)
    begin, at = position.cursor.seq, answer.cursor.seq
    if at < begin:  # the history is gone through from its start
        begin = 0
    return Page(reply.more and not held, len(ops), applied, len(papers), begin, at, reply.head, held)


def _note(book: OrderBook, head: ExchangeHead, reply: ReplyHead) -> None:
    if reply.share_kept:
        book.kept_share(reply.share_kept)
    book.shares_held(reply.shares)
    book.heard(reply.server_time, head.obeyed, reply.person)


def _opened(replica: Replica | None, line: Line, position: Position, state: str) -> Position:
    """Where the replica stands, once there is a session. Raises ExchangeError."""
    if not (line.open(position, state).rollback and replica):
        return position
    # A restored copy or a clone: the numbers we would give are taken. Unsent ops get new ones.
    replica.renumber(bytes(new_incarnation()))
    line.forget()
    position = replica.position()
    line.open(position, state)
    return position


def _still(line: Line, book: OrderBook, head: ExchangeHead) -> Page | None:
    """A page without anything, where neither side has anything to say: contact was made, and the cursor moves with the
    next page. None where there is something. Raises ExchangeError.
    """
    rest = line.rest
    if rest is None or _alike(head) != rest.head or (told := line.still()) is None:
        return None
    number, server_time = told
    _refuse_unlikely([number, server_time], server_time)
    book.heard(server_time, {}, rest.person)
    line.rest = rest
    return Page(more=False, sent=0, begin=head.cursor.seq, at=number, end=number)


def _asked(replica: Replica | None, line: Line, head: ExchangeHead, stands: Stands, most: int) -> Asked:
    """The request: one that ran ahead and is still what this device would ask, or one with the ops that wait."""
    asked, line.ahead = line.ahead, None
    if asked is not None and replica is not None and asked.fits(stands):
        return asked
    ops = replica.take(most, messages.OPS_BYTES_MAX) if replica else []
    return Asked(head, ops, codec.encode([(messages.HEAD, head), *((messages.OP, op) for op in ops)]))


def _plausible(reply: ReplyHead, answer: Answer, ops: list[Op], position: Position) -> None:
    """Refuse an answer that acknowledges what was never given out, or holds a number no honest server gives."""
    sent = {op.n for op in ops}
    numbers = [
        reply.acked_n, reply.durable_seq, reply.server_time, reply.order_head, reply.cursor.seq, reply.head,
        *(change.ver for change in answer.changes), *(result.ver for result in answer.results),
    ]  # fmt: skip
    _refuse_unlikely(numbers, reply.server_time)
    if (
        reply.acked_n > position.last_n
        or not 0 <= reply.cursor.care <= Care.RESTRICTED
        or abs(reply.cursor.scopes) >= NUMBER_END
        or not {result.n for result in answer.results} <= sent
    ):
        raise _unfit()


def _refuse_unlikely(numbers: list[int], server_time: int) -> None:
    """Refuse numbers and times that no honest server gives."""
    if not all(0 <= number < NUMBER_END for number in numbers) or server_time > TIME_END:
        raise _unfit()


def _unfit() -> Unreachable:
    return Unreachable(
        _("The server's answer does not fit what was sent and was not used."),
        _("Your changes are safe on this device. Tell IT if this goes on."),
    )


def _rest(head: ExchangeHead, reply: ReplyHead, news: bool) -> Rest | None:
    """What the next exchange need not say again, where this one left nothing to say."""
    said = (
        head.obeyed
        or head.recovered
        or head.unsent
        or head.ask_share
        or head.share_sealed
        or head.state != ACTIVE
    )
    if news or said or reply.more or not head.lease_left_ms:
        return None
    return Rest(_alike(msgspec.structs.replace(head, cursor=reply.cursor)), reply.person)


def _alike(head: ExchangeHead) -> ExchangeHead:
    """A head without what is another one each time: the server reckons how long the lease holds by itself."""
    return msgspec.structs.replace(head, nonce="", lease_left_ms=int(head.lease_left_ms > 0))


def _post(line: Line, asked: Asked, position: Position, state: str) -> bytes:
    """The answer; when the server has forgotten our session, as after a restart, that of a new session."""
    try:
        return asked.answer() if asked.answer else line.post(messages.EXCHANGE_PATH, asked.body)
    except ServerRefused as refusal:
        if refusal.problem is not Problem.UNSIGNED:
            raise
        if line.open(position, state).rollback:
            raise
    return line.post(messages.EXCHANGE_PATH, asked.body)


def _head(standing: Standing, position: Position, stands: Stands, held_back: int) -> ExchangeHead:
    posture: dict[str, Any] = dict(standing.posture)
    if held_back:
        posture[messages.HELD_BACK] = held_back
    return ExchangeHead(
        incarnation=position.incarnation,
        cursor=position.cursor,
        state=standing.state,
        nonce=secrets.token_hex(16),
        lease_left_ms=standing.lease_left_ms,
        policy_version=standing.policy_version,
        root_version=standing.root_version,
        order_head=standing.order_head,
        obeyed=standing.obeyed,
        unsent=stands.unsent,
        app_version=version.APP_VERSION,
        posture=posture,
        ask_share=standing.ask_share,
        ask_reset=standing.ask_reset,
        share=standing.share,
        share_sealed=standing.share_sealed,
        share_as=standing.share_as,
        share_next=standing.share_next,
        travelling=standing.travelling,
        recovered=stands.recovered,
        rows=0 if position.cursor.epoch else FIRST_ROWS,
    )


def _read(frames: list[tuple[str, codec.Raw]]) -> tuple[ReplyHead, Answer, list[Paper]]:
    """The answer's parts. An entry we do not know refuses the page: passing over it would lose it for ever."""
    results: list[OpResult] = []
    changes: list[Change] = []
    conflicts: list[Conflict] = []
    papers: list[Paper] = []
    try:
        head = codec.read(frames[0][1], ReplyHead)
        for tag, value in frames[1:]:
            if tag == messages.CHANGE:
                changes.append(codec.read(value, Change))
            elif tag == messages.RESULT:
                results.append(codec.read(value, OpResult))
            elif tag == messages.CONFLICT:
                conflicts.append(codec.read(value, Conflict))
            elif tag == messages.PAPER:
                papers.append(codec.read(value, Paper))
            else:
                raise UpgradeNeeded(
                    _("The server sends something this version of Fieldkeep does not know."),
                    _("Update Fieldkeep. Your changes are safe on this device."),
                )
    except BadFrames as damage:
        raise Unreachable(damage.title, damage.hint) from None
    answer = Answer(
        cursor=head.cursor,
        acked_n=head.acked_n,
        durable_seq=head.durable_seq,
        more=head.more,
        results=results,
        changes=changes,
        conflicts=conflicts,
    )
    return head, answer, papers
