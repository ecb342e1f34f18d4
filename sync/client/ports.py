"""What the engine asks of the world: a replica that holds records, a transport, a book of orders, a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from sync.protocol.merge import Conflict
from sync.protocol.messages import Change, Cursor, OpResult, Paper, Person
from sync.protocol.ops import Op


class Position(msgspec.Struct, frozen=True):
    """Where a replica stands: how far it has read, its incarnation, and the last op number it has given out."""

    cursor: Cursor
    incarnation: bytes
    last_n: int


class Stands(msgspec.Struct, frozen=True):
    """A replica before an exchange: where it stands, how many ops wait, packets that are to be reported."""

    position: Position
    unsent: int = 0
    recovered: list[bytes] = msgspec.field(default_factory=list)


class Answer(msgspec.Struct, frozen=True):
    """One page from the server, whole and checked."""

    cursor: Cursor
    acked_n: int
    durable_seq: int
    more: bool = False
    results: list[OpResult] = msgspec.field(default_factory=list)
    changes: list[Change] = msgspec.field(default_factory=list)
    conflicts: list[Conflict] = msgspec.field(default_factory=list)


class Applied(msgspec.Struct, frozen=True):
    """What a page did to the replica: (kind, id) of every record that looks different now, an own one too.

    `received` counts those that others made or changed, `left` those that this person may not hold any more.
    """

    records: list[tuple[str, bytes]] = msgspec.field(default_factory=list)
    conflicts: int = 0
    rejected: int = 0
    received: int = 0
    left: int = 0


class Replica(Protocol):
    """The device's copy of its records. Every method is one transaction."""

    def stands(self) -> Stands:
        """Where this replica stands, and what there is to say."""

    def position(self) -> Position:
        """Where it stands alone."""

    def take(self, ops_max: int, bytes_max: int, after: int = 0) -> list[Op]:
        """The next waiting ops in order, contiguous from the first unacknowledged, or behind the number `after`; an act
        is never split.
        """

    def apply(self, answer: Answer) -> Applied:
        """Results, rows, conflicts and cursor in one transaction; what still waits is laid on top."""

    def loses(self, changes: list[Change]) -> tuple[int, int]:
        """How many records that are kept here these changes would take away, and how many there are."""

    def renumber(self, incarnation: bytes) -> None:
        """Give all waiting ops new numbers, from 1, under a new incarnation."""

    def restart(self, common: int = 0) -> None:
        """The server's history changed: read again from its start, and send once more, ahead of what waits, what the
        former history took after `common`, up to which both are one (0 where nobody knows).
        """

    def take_in(self, packet: bytes, ops: list[Op], origin: tuple[bytes, bytes]) -> int:
        """Recovered ops of (device, incarnation) into the outbox, once per packet; how many were new."""

    def reported(self, packets: list[bytes]) -> None:
        """The server knows of these packets."""


class Transport(Protocol):
    """Bytes to the server and back, within a total deadline. Raises client errors (sync.client.errors)."""

    def get(self, path: str) -> bytes:
        """The body of a GET."""

    def post(self, path: str, body: bytes, headers: dict[str, str], media: str) -> bytes:
        """The body of the answer to a POST."""

    def begin(self, path: str, body: bytes, headers: dict[str, str], media: str) -> Callable[[], bytes]:
        """Send a POST; what waits for the body of its answer, and raises what `post` would."""


class Standing(msgspec.Struct, frozen=True):
    """What the book of orders says of this device at the start of an exchange."""

    state: str  # "active" | "locked" | "wiped"
    lease_left_ms: int
    policy_version: int
    root_version: int
    order_head: int
    obeyed: dict[str, str]
    ask_share: bool = False
    ask_reset: bool = False  # IT has allowed a new PIN
    share: bytes = b""  # what the server is to hold from now on; "" for what it holds already
    share_sealed: bytes = b""
    share_as: int = 0  # under which epoch the server keeps the share in force
    share_next: int = 0  # the epoch of `share`, where it is another one
    travelling: bool = False
    posture: dict[str, Any] = msgspec.field(default_factory=dict)


class OrderBook(Protocol):
    """Takes papers in through the rules of trust, and says what they mean."""

    def standing(self) -> Standing:
        """How this device stands now."""

    def take_papers(self, papers: list[Paper], nonce: str) -> None:
        """Verify and keep documents; orders are obeyed by the owner of the book after the exchange."""

    def kept_share(self, digest: bytes) -> None:
        """The server holds a share of this digest now, durably."""

    def shares_held(self, epochs: list[int]) -> None:
        """Of which epochs the server holds the share; none from one that keeps a single one."""

    def heard(self, server_time: int, obeyed: dict[str, str], person: Person) -> None:
        """A whole, verified answer came: contact was made, and these reports have arrived."""


class Clock(Protocol):
    """Time in UTC milliseconds, for stamps and deadlines only."""

    def now_ms(self) -> int:
        """Now."""
