"""An exchange without a network: a server in memory that checks what it is sent, a replica and a book of orders."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.client.errors import ServerRefused
from sync.client.line import Identity, Line
from sync.client.ports import Answer, Applied, Position, Standing, Stands
from sync.protocol import codec, documents, messages, signing
from sync.protocol.documents import SessionOpen
from sync.protocol.errors import Outcome, Problem
from sync.protocol.messages import (
    Change,
    Cursor,
    ExchangeHead,
    OpResult,
    Paper,
    Person,
    ReplyHead,
    SessionReply,
    Trouble,
)
from sync.protocol.ops import Act, Op

NOW = 1_795_357_800_000
EPOCH = b"epoch..1"
ANN = Person(id=b"p" * 16, email="ann@example.com", role="rep", team="North")
ORG, ENROLMENT, DEVICE = "0a" * 16, "11" * 16, "33" * 16


class Crash(BaseException):
    """The process ends here; nothing may catch it."""


def refusal(problem: Problem, **said: Any) -> ServerRefused:
    """What the transport raises when the server says no."""
    return ServerRefused(Trouble(problem=problem, **said), "No.", "Try again.")


def op(n: int, name: str = "x") -> Op:
    """An edit."""
    return Op(n=n, kind="customer", id=n.to_bytes(16, "big"), act=Act.ADD, hlc=n, set={"name": name}, first=n)


@dataclass
class MemoryServer:
    """The other end of a transport. It believes nothing: signatures, macs and counters are checked."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    now: int = NOW
    acked: dict[bytes, int] = field(default_factory=dict)  # by incarnation
    taken: list[tuple[bytes, Op]] = field(default_factory=list)
    opened: list[SessionOpen] = field(default_factory=list)
    heads: list[ExchangeHead] = field(default_factory=list)
    counters: list[int] = field(default_factory=list)
    session: SessionReply | None = None
    rollback: bool = False
    ops_max: int = 1_000
    extra: list[tuple[str, Any]] = field(default_factory=list)  # frames sent along once
    refusals: dict[str, list[ServerRefused]] = field(default_factory=dict)  # by path, each raised once
    bend: Callable[[str, bytes], bytes] = lambda path, body: body  # what the network does
    more: bool = False
    cursor: dict[str, int] = field(default_factory=dict)  # what it says of a cursor beside its number
    durable_seq: int | None = None
    head: int = 0
    accounted: int = -1  # of what goes, how much it knows why; -1 for a server that does not say

    def get(self, path: str) -> bytes:
        """Nothing is fetched in an exchange."""
        raise AssertionError(path)

    def post(self, path: str, body: bytes, headers: dict[str, str], media: str) -> bytes:
        """One request."""
        if self.refusals.get(path):
            raise self.refusals[path].pop(0)
        if path == messages.SESSION_PATH:
            return self.bend(path, self._open(body, headers, media))
        if path == messages.STILL_PATH:
            raise refusal(Problem.NOT_HERE)
        assert path == messages.EXCHANGE_PATH
        return self.bend(path, self._exchange(path, body, headers, media))

    def begin(self, path: str, body: bytes, headers: dict[str, str], media: str) -> Callable[[], bytes]:
        """The same, once its answer is asked for."""
        return lambda: self.post(path, body, headers, media)

    def forget(self) -> None:
        """The server was restarted: sessions were in its memory alone."""
        self.session = None

    def _open(self, body: bytes, headers: dict[str, str], media: str) -> bytes:
        assert (headers, media) == ({}, "application/json")
        envelope = signing.open_envelope(body, SessionOpen.TYPE)
        assert signing.verifies(envelope, signing.spki_of(self.key))
        asked = documents.parse(envelope.payload, SessionOpen)
        if abs(asked.at - self.now) > 120_000:
            raise refusal(Problem.UNSIGNED, server_time=self.now)
        assert asked.nonce not in {each.nonce for each in self.opened}
        self.opened.append(asked)
        incarnation = bytes.fromhex(asked.incarnation)
        number = len(self.opened)
        self.session = SessionReply(
            session=number.to_bytes(16, "big"),
            key=bytes([number]) * 32,
            epoch=EPOCH,
            acked_n=self.acked.get(incarnation, 0),
            server_time=self.now,
            ops_max=self.ops_max,
            rollback=self.rollback,
        )
        self.counters = []
        self.rollback = False
        return codec.encode([(messages.HEAD, self.session)])

    def _exchange(self, path: str, body: bytes, headers: dict[str, str], media: str) -> bytes:
        assert media == codec.MEDIA_TYPE
        if self.session is None or headers[messages.SESSION_HEADER] != self.session.session.hex():
            raise refusal(Problem.UNSIGNED)
        counter = int(headers[messages.COUNTER_HEADER])
        wanted = messages.request_mac(self.session.key, "POST", path, body, counter)
        assert hmac.compare_digest(wanted, headers[messages.MAC_HEADER])
        assert counter not in self.counters
        self.counters.append(counter)
        frames = codec.decode(body)
        head = codec.read(frames[0][1], ExchangeHead)
        assert head.nonce not in {each.nonce for each in self.heads}
        self.heads.append(head)
        ops = [codec.read(raw, Op) for _tag, raw in frames[1:]]
        assert {tag for tag, _raw in frames[1:]} <= {messages.OP}
        results = [self._take(head.incarnation, each) for each in ops]
        extra, self.extra = self.extra, []
        reply = ReplyHead(
            cursor=msgspec.structs.replace(Cursor(epoch=EPOCH, seq=len(self.taken)), **self.cursor),
            more=self.more,
            acked_n=self.acked.get(head.incarnation, 0),
            durable_seq=len(self.taken) if self.durable_seq is None else self.durable_seq,
            server_time=self.now,
            order_head=0,
            person=ANN,
            head=self.head,
            accounted=self.accounted,
        )
        return codec.encode([(messages.HEAD, reply), *((messages.RESULT, each) for each in results), *extra])

    def _take(self, incarnation: bytes, sent: Op) -> OpResult:
        if sent.n > self.acked.get(incarnation, 0):
            assert sent.n == self.acked.get(incarnation, 0) + 1, "a gap"
            self.acked[incarnation] = sent.n
            self.taken.append((incarnation, sent))
        return OpResult(n=sent.n, outcome=Outcome.OK, ver=len(self.taken))


@dataclass
class MemoryReplica:
    """A replica that keeps its ops in a list and notes what it is told."""

    waiting: list[Op] = field(default_factory=list)
    cursor: Cursor = field(default_factory=Cursor)
    incarnation: bytes = b"incarn.1"
    last_n: int = 0
    applied: list[Answer] = field(default_factory=list)
    restarts: list[int] = field(default_factory=list)
    packets: list[bytes] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list)
    asked_for: tuple[int, int] = (0, 0)
    kept: int = 0  # records here, all of which the server may take away

    def position(self) -> Position:
        """Where this replica stands."""
        return Position(self.cursor, self.incarnation, self.last_n)

    def save(self, name: str = "x") -> None:
        """A person saves an edit."""
        self.last_n += 1
        self.waiting.append(op(self.last_n, name))

    def take(self, ops_max: int, bytes_max: int, after: int = 0) -> list[Op]:
        """The next waiting ops."""
        self.asked_for = (ops_max, bytes_max)
        return [each for each in self.waiting if each.n > after][:ops_max]

    def apply(self, answer: Answer) -> Applied:
        """Keep a page."""
        self.applied.append(answer)
        self.waiting = [each for each in self.waiting if each.n > answer.acked_n]
        self.cursor = answer.cursor
        return Applied([(change.kind, change.id) for change in answer.changes], len(answer.conflicts))

    def loses(self, changes: list[Change]) -> tuple[int, int]:
        """What these take away, as if all of it were here."""
        return min(self.kept, sum(bool(each.gone) for each in changes)), self.kept

    def renumber(self, incarnation: bytes) -> None:
        """Number what waits anew."""
        self.incarnation = incarnation
        self.waiting = [op(n, each.set["name"]) for n, each in enumerate(self.waiting, 1)]
        self.last_n = len(self.waiting)

    def restart(self, common: int = 0) -> None:
        """Read again from the start."""
        self.restarts.append(common)
        self.cursor = Cursor()

    def take_in(self, packet: bytes, ops: list[Op], origin: tuple[bytes, bytes]) -> int:
        """Not part of an exchange."""
        raise AssertionError(packet)

    def stands(self) -> Stands:
        """Where it stands, how many ops wait, packets taken in and not yet reported."""
        return Stands(self.position(), self.unsent(), list(self.packets))

    def unsent(self) -> int:
        """How many ops wait."""
        return len(self.waiting)

    def reported(self, packets: list[bytes]) -> None:
        """The server knows of these."""
        self.told += packets
        self.packets = [each for each in self.packets if each not in packets]


@dataclass
class MemoryBook:
    """A book of orders that notes what it is given."""

    state: str = "active"
    obeyed: dict[str, str] = field(default_factory=dict)
    ask_share: bool = False
    papers: list[Paper] = field(default_factory=list)
    nonces: list[str] = field(default_factory=list)
    contacts: list[tuple[int, dict[str, str], Person]] = field(default_factory=list)
    refuse: Exception | None = None

    def standing(self) -> Standing:
        """How this device stands."""
        return Standing(
            state=self.state, lease_left_ms=5, policy_version=2, root_version=3, order_head=4,
            obeyed=dict(self.obeyed), ask_share=self.ask_share,
        )  # fmt: skip

    def take_papers(self, papers: list[Paper], nonce: str) -> None:
        """Keep papers."""
        self.nonces.append(nonce)
        if self.refuse is not None:
            raise self.refuse
        self.papers += papers

    def shares_held(self, epochs: list[int]) -> None:
        """Nothing is turned here."""

    def kept_share(self, digest: bytes) -> None:
        """Nothing is given to the server here."""

    def heard(self, server_time: int, obeyed: dict[str, str], person: Person) -> None:
        """Contact was made."""
        self.contacts.append((server_time, obeyed, person))
        self.obeyed = {order: word for order, word in self.obeyed.items() if obeyed.get(order) != word}


def line_to(server: MemoryServer, clock: Callable[[], int] = lambda: NOW) -> Line:
    """A fresh line, as after a start of the program."""
    identity = Identity(ORG, ENROLMENT, DEVICE, lambda document: signing.sign(document, ("", server.key)))
    return Line(server, identity, clock)


def change(n: int, **cells: Any) -> tuple[str, Change]:
    """A frame with a changed record."""
    raw = {cell: codec.Raw(codec.pack(value)) for cell, value in cells.items()}
    return messages.CHANGE, Change(kind="customer", id=n.to_bytes(16, "big"), ver=n, cells=raw)


def leaving(count: int, first: int = 1) -> list[tuple[str, Change]]:
    """Frames by which so many records go out of sight."""
    return [
        (messages.CHANGE, Change(kind="customer", id=n.to_bytes(16, "big"), ver=n, gone="left"))
        for n in range(first, first + count)
    ]
