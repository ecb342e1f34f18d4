"""What the server does for a device, request by request: bytes in, bytes out, in the caller's thread."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import codec, messages
from sync.protocol.documents import Enrolment, Root
from sync.protocol.errors import Problem
from sync.protocol.messages import (
    ReadyHead,
    ReadyPieceHead,
    ReadyPieceReply,
    ReadyReply,
    ReceiptHead,
    ReceiptReply,
)
from sync.server import (
    access,
    auth,
    blobs,
    comparing,
    enrol,
    exchange,
    handin,
    lease,
    limits,
    logs,
    post,
    receipts,
)
from sync.server.db.base import Store, Transaction
from sync.server.db.kept import Device
from sync.server.errors import RequestProblem, StoreError
from sync.server.events import Audience
from sync.server.exchange import Step
from sync.server.ready import Ready

T = TypeVar("T")


def system_now() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


class Service:
    """Holds what the requests share: the store, the running sessions, the lease key, the clock."""

    def __init__(self, store: Store, lease_key: Ed25519PrivateKey) -> None:
        self.store = store
        self.sessions = auth.Sessions()
        self.now = system_now
        self.step: Step = lambda name: None
        self.ready: Ready | None = None  # where ready parts are made
        self._lease_key = lease_key
        self._guesses = limits.Tries(limits.GUESSES)
        self._looks = limits.Tries(limits.LOOKS)
        self._looking = threading.BoundedSemaphore(limits.LOOKS_AT_ONCE)
        self._tidying = threading.Lock()
        self._tidied = 0
        self._guesses_all = limits.Tries(limits.GUESSES_ALL)

    def root(self) -> bytes:
        """The root envelope, for a device that has only its code."""
        with self.store.read() as tx:
            return tx.post.newest(Root.TYPE)[1]

    def enrol(self, body: bytes, address: str) -> bytes:
        """Let a device in. Raises RequestProblem, Refused."""
        now = self.now()
        if self._guesses.exhausted(address, now) or self._guesses_all.exhausted("", now):
            logs.alarm("enrol", problem="guessing")
            raise RequestProblem(Problem.BUSY, why="guessing", retry_after=60)
        wish = enrol.read_wish(body)
        try:
            with self.store.write() as tx:
                device, person = enrol.let_in(tx, wish, now)
                reply = enrol.reply(tx, device, person, self._first_lease(tx, device, wish, now), now)
        except RequestProblem as problem:
            if problem.trouble.problem is Problem.BAD_CODE:
                self._guesses.failed(address, now)
                self._guesses_all.failed("", now)
            raise
        logs.note("enrol", device=device.enrolment)
        return codec.encode([(messages.HEAD, reply)])

    def session(self, body: bytes) -> bytes:
        """Open a session. Raises RequestProblem, Refused."""
        now = self.now()
        with self.store.read() as tx:
            reply = auth.open_session(tx, self.sessions, body, now)
        self._tidy(now)
        return codec.encode([(messages.HEAD, reply)])

    def exchange(self, headers: Mapping[str, str], target: str, body: bytes) -> bytes:
        """One exchange. Raises RequestProblem, BadFrames."""
        session = self.sessions.authenticate(headers, "POST", target, body, self.now())
        request = exchange.read(body)
        began = time.monotonic()
        session.rest = None
        answer, session.rest = exchange.answer(
            self.store, self._lease_key, session.enrolment, request, self.now(), self.step
        )
        took = int((time.monotonic() - began) * 1000)
        logs.note("exchange", device=session.enrolment, ops=len(request.ops), bytes=len(answer), ms=took)
        return answer

    def still(self, headers: Mapping[str, str], target: str, body: bytes) -> bytes:
        """The answer to a device that has nothing to say but what it said last in this session; none where there is
        something for it, or nothing is remembered: it exchanges. Raises RequestProblem.
        """
        session = self.sessions.authenticate(headers, "POST", target, body, self.now())
        rest, session.rest = session.rest, None
        if rest is not None:
            rest = exchange.still(self.store, self._lease_key, session.enrolment, rest, self.now(), self.step)
            session.rest = rest
        return messages.still_answer(rest.reply.cursor.seq, rest.reply.server_time) if rest else b""

    def listens(self, headers: Mapping[str, str], target: str) -> auth.Session:
        """The session of a device that wants to hold a line. Raises RequestProblem."""
        return self.sessions.authenticate(headers, "GET", target, b"", self.now())

    def audience(self, enrolment: str) -> Audience:
        """What of the news concerns a device, as it is now: nothing but its papers while it is locked.

        Raises RequestProblem for one that is wiped.
        """
        with self.store.read() as tx:
            device, person = exchange.who(tx, enrolment)
            shut = post.standing(tx, device).closed(self.now())
        rights = person.rights
        return Audience(enrolment, person.id, frozenset() if shut else access.circles(rights))

    def runs(self, session: auth.Session) -> bool:
        """Whether this session has not ended."""
        return self.sessions.runs(session, self.now())

    def compare(self, headers: Mapping[str, str], target: str, body: bytes) -> bytes:
        """Digests, or records by id, for a device that compares what it holds. Raises RequestProblem, BadFrames."""
        now = self.now()
        session = self.sessions.authenticate(headers, "POST", target, body, now)
        if self._looks.exhausted(session.enrolment, now):
            raise RequestProblem(Problem.BUSY, why="looks too often", retry_after=limits.MINUTE_MS // 1000)
        if not self._looking.acquire(blocking=False):
            raise RequestProblem(Problem.BUSY, why="others look", retry_after=1)
        try:
            self._looks.failed(session.enrolment, now)
            began = time.monotonic()
            answer = comparing.answer(self.store, session.enrolment, target, body, now)
        finally:
            self._looking.release()
        took = int((time.monotonic() - began) * 1000)
        logs.note("compare", device=session.enrolment, path=target, bytes=len(answer), ms=took)
        return answer

    def offer(self, headers: Mapping[str, str], target: str, body: bytes) -> bytes:
        """A ready part, or the word that there is none. Raises RequestProblem, BadFrames."""
        session = self.sessions.authenticate(headers, "POST", target, body, self.now())
        asked = _only(body, ReadyHead)
        with self.store.read() as tx:
            person = exchange.may_read(tx, session.enrolment, self.now())
            head = tx.records.head()
        part = self.ready.offered(person, asked.layout, head) if self.ready is not None else None
        reply = ReadyReply()
        if part is not None:
            reply = ReadyReply(
                part=part.id, key=part.key, lengths=part.made.lengths, rows=part.made.rows, cursor=part.cursor
            )
        logs.note("ready", device=session.enrolment, rows=reply.rows)
        return codec.encode([(messages.HEAD, reply)])

    def ready_piece(self, headers: Mapping[str, str], target: str, body: bytes) -> bytes:
        """A piece of a ready part. Raises RequestProblem, BadFrames."""
        session = self.sessions.authenticate(headers, "POST", target, body, self.now())
        asked = _only(body, ReadyPieceHead)
        with self.store.read() as tx:
            person = exchange.may_read(tx, session.enrolment, self.now())
        if self.ready is None:
            raise RequestProblem(Problem.NOT_HERE, why="no parts")
        piece = self.ready.piece(person, asked.part, asked.number)
        return codec.encode([(messages.HEAD, ReadyPieceReply(length=len(piece))), (messages.PART, piece)])

    def sealed(self, body: bytes) -> bytes:
        """Store a piece of a sealed outbox, durably. Raises RequestProblem, Refused, BadFrames, StoreError."""
        envelope, data = handin.read(body)
        self.step("piece read")
        reply = handin.take(self.store, envelope, data, self.now(), self.step)
        return codec.encode([(messages.HEAD, reply)])

    def blob_put(self, body: bytes) -> bytes:
        """Store a piece of an attached file, durably. Raises RequestProblem, Refused, BadFrames, StoreError."""
        envelope, data = handin.read(body)
        self.step("blob piece read")
        reply = blobs.take(self.store, envelope, data, self.now(), self.step)
        return codec.encode([(messages.HEAD, reply)])

    def blob_get(self, headers: Mapping[str, str], target: str, body: bytes) -> bytes:
        """A piece of an attached file, for whoever sees its record. Raises RequestProblem, BadFrames."""
        session = self.sessions.authenticate(headers, "POST", target, body, self.now())
        return blobs.give(self.store, session.enrolment, body, self.now())

    def _tidy(self, now: int) -> None:
        """Once in a while: what nobody has named for long goes. A store that cannot is asked again next time."""
        with self._tidying:
            if now - self._tidied < limits.TIDY_EVERY_MS:
                return
            self._tidied = now
        with contextlib.suppress(StoreError):
            blobs.forget(self.store, now)

    def receipt(self, body: bytes) -> bytes:
        """Store a wipe's receipt, durably, with its sealed outbox. Raises RequestProblem, Refused, BadFrames."""
        frames = codec.decode(body)
        if not frames or frames[0][0] != messages.HEAD:
            raise RequestProblem(Problem.BAD_REQUEST, why="no head")
        head = codec.read(frames[0][1], ReceiptHead)
        if len(frames) - 1 != head.parts or any(tag != messages.PART for tag, _raw in frames[1:]):
            raise RequestProblem(Problem.BAD_REQUEST, why="parts")
        along = b"".join(codec.read(raw, bytes) for _tag, raw in frames[1:])
        self.step("receipt read")
        with self.store.write() as tx:
            receipt_id = receipts.take_receipt(tx, head.receipt, along, self.now(), order=head.order)
            self.step("receipt applied")
        self.step("receipt committed")
        logs.note("receipt", along=len(along))
        return codec.encode([(messages.HEAD, ReceiptReply(receipt_id=receipt_id))])

    def _first_lease(self, tx: Transaction, device: Device, wish: Enrolment, now: int) -> bytes:
        root, policy = post.root_and_policy(tx)
        return lease.make(
            self._lease_key,
            root,
            policy,
            enrolment=device.enrolment,
            nonce=wish.nonce,
            order_head=0,
            share_held=True,
            now=now,
        )


def _only(body: bytes, type_: type[T]) -> T:
    """The head that is all of a request. Raises BadFrames, RequestProblem."""
    frames = codec.decode(body)
    if len(frames) != 1 or frames[0][0] != messages.HEAD:
        raise RequestProblem(Problem.BAD_REQUEST, why="no head")
    return codec.read(frames[0][1], type_)


def trouble(problem: messages.Trouble) -> bytes:
    """A failed request's body."""
    return codec.encode([(messages.TROUBLE, problem)])
