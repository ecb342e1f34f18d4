"""The contract of a server store: transactions, and in each the books that the other rooms read and write.

A write transaction holds everything it does back until its end, and gives sequence numbers in the order in which
transactions become visible. A read transaction sees one moment. Stores raise StoreError and nothing foreign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sync.protocol.ids import OpId
from sync.protocol.merge import Conflict, Row
from sync.server.access import Rights, Scope
from sync.server.db.blobs import Blobs
from sync.server.db.consoles import Consoles
from sync.server.db.kept import (
    AuditLine,
    Code,
    Device,
    Durable,
    Entry,
    FiledOrder,
    Held,
    Numbering,
    Packet,
    Person,
    RefusedOp,
    Result,
    Sealed,
    StoredReceipt,
    Trace,
)
from sync.server.db.news import News
from sync.server.db.shares import Shares

# Told of what was committed, in the thread that did it; must not wait for anything.
Heard = Callable[[News], None]


class People(Shares, Protocol):
    """Persons, codes and devices."""

    def person(self, id_: bytes) -> Person | None:
        """The person of that id."""

    def by_email(self, email: str) -> Person | None:
        """The person of that address, however it is written."""

    def persons(self) -> list[Person]:
        """Everyone, by address."""

    def put_person(self, person: Person) -> None:
        """Keep a person, new or changed; former rights are remembered."""

    def former_rights(self, id_: bytes, since: int = 0) -> list[Rights]:
        """The rights this person had before the present ones, from that number of `scopes` on."""

    def code(self, digest: bytes) -> Code | None:
        """The enrolment code with this digest."""

    def drop_codes(self, person: bytes) -> None:
        """Forget the codes of this person that nobody has used."""

    def put_code(self, code: Code) -> None:
        """Keep a code, new or used."""

    def device(self, enrolment: str) -> Device | None:
        """The device of that enrolment."""

    def device_by_key(self, keyid: str) -> Device | None:
        """The device that signs with this key."""

    def device_by_id(self, device: bytes) -> Device | None:
        """The device of that id."""

    def devices(self) -> list[Device]:
        """Every enrolment ever, in order of time."""

    def put_device(self, device: Device) -> None:
        """Keep a device, new or changed."""


class Records(Protocol):
    """Records, their log of changes, conflicts, and what became of ops."""

    def head(self) -> int:
        """The highest sequence number given."""

    def next_seq(self) -> int:
        """A new sequence number; visible to others, with all below it, when the transaction ends."""

    def look_ahead(self, ids: Sequence[bytes], prints: Sequence[bytes]) -> None:
        """These records and prints are asked for in what follows; to be read at once."""

    def held(self, id_: bytes) -> Held | None:
        """The record of that id."""

    def put(self, held: Held, before: Scope | None, now: int) -> None:
        """Keep a record under its row's number, with whose it was before (None for a new one)."""

    def after(self, seq: int) -> Iterator[Entry]:
        """Records changed after `seq`, each once in its newest state, rising."""

    def traces(self, id_: bytes, seq: int) -> list[Trace]:
        """What is remembered of each change of a record after `seq`."""

    def traces_of(self, ids: Sequence[bytes], seq: int) -> dict[bytes, list[Trace]]:
        """The same of many records; those of which nothing is remembered are left out."""

    def passed_on(self, after: int, upto: int, device: bytes, *, own: bool = False) -> list[bytes]:
        """Ids of records changed within these numbers, `after` left out, and once more behind them, that have gone to
        another person, team or territory since, or were written by this device; `own` for these last alone.
        """

    def returned(self, after: int, upto: int, device: bytes) -> list[bytes]:
        """Ids of records that this device wrote last, within these numbers (`after` left out), and that belonged to
        another person, team or territory before somebody else's change among them.
        """

    def owned_by(self, owner: str) -> list[bytes]:
        """Ids of records with this (folded) owner."""

    def of_person(self, person: bytes) -> list[bytes]:
        """Ids of records in this person's scope."""

    def about(self, subject: bytes) -> list[tuple[bytes, str]]:
        """Id and kind of the records that are about this one."""

    def territory(self, id_: bytes) -> str:
        """The territory that a record lies in; "" for none, and for one that is not here."""

    def of_territory(self, territory: str) -> list[bytes]:
        """Ids of records that are about no other and lie in this territory."""

    def territories(self) -> list[tuple[str, int]]:
        """Every territory that records lie in which are about no other, with their number."""

    def unplaced(self, after: int, most: int) -> list[bytes]:
        """Ids of records with a higher number than this whose territory nobody has worked out yet, rising."""

    def is_placed(self, id_: bytes) -> bool:
        """Whether it is known where a record lies; one that is not here lies nowhere."""

    def empty(self, row: Row) -> None:
        """Keep less of a deleted record than stood in it; no change of it."""

    def place(self, id_: bytes, subject: bytes, territory: str) -> None:
        """Note what a record is about and where it lies, of one that was kept before that counted."""

    def put_conflict(self, conflict: Conflict) -> None:
        """Keep a conflict, once."""

    def settle_conflict(self, conflict: Conflict) -> None:
        """Keep what became of a conflict that is kept already: its state, under a new number."""

    def conflicts(self, ids: Sequence[bytes]) -> list[Conflict]:
        """These conflicts."""

    def conflicts_after(self, seq: int) -> Iterator[Conflict]:
        """Conflicts made after `seq`, rising."""

    def conflicts_of(self, record: bytes, *, upto: int | None = None) -> list[Conflict]:
        """Open conflicts of a record, the oldest first; with `upto`, those up to that number."""

    def disputed(self, record: bytes) -> tuple[int, int]:
        """How many open conflicts a record has, and their bytes."""

    def weigh(self, record: bytes | None, conflicts: Sequence[bytes]) -> int:
        """The bytes of that record's cells (None for no record) and of these conflicts."""

    def numbering(self, device: bytes, incarnation: bytes) -> Numbering | None:
        """How far an incarnation's ops are taken in; None for one never seen."""

    def put_numbering(self, device: bytes, incarnation: bytes, numbering: Numbering) -> None:
        """Keep how far it is."""

    def result(self, op_id: OpId) -> Result | None:
        """What became of an op."""

    def put_result(self, op_id: OpId, result: Result, at: int = 0) -> None:
        """Keep what became of an op; only the last `RESULTS_KEPT` of an incarnation stay."""

    def keep_refused(self, op_id: OpId, person: bytes, code: str, op: bytes, at: int) -> None:
        """Keep an op that was not taken: its author may not be able to hold it any longer."""

    def refused_within(self, device: bytes, incarnation: bytes, first: int, upto: int) -> str | None:
        """Why the first op of these numbers (`upto` left out) that was refused was not taken; None where none was."""

    def refused(self, device: bytes | None = None) -> list[RefusedOp]:
        """The ops that were not taken, of one device or of all, the oldest first."""

    def answered(self, print_: bytes) -> bool | None:
        """Whether the op of this print was taken in, from whichever device; None where it was never answered."""

    def put_answered(self, print_: bytes, taken: bool) -> None:
        """Note that an op was answered; one that was taken in stays so. Kept for good."""


class Post(Protocol):
    """Documents, orders, receipts, recovered packets, audit lines."""

    def document(self, type_: str, version: int) -> bytes | None:
        """The envelope of a root or policy."""

    def newest(self, type_: str) -> tuple[int, bytes]:
        """Version and envelope of the newest root or policy. Raises StoreError when there is none."""

    def put_document(self, type_: str, version: int, envelope: bytes) -> None:
        """Keep a root or policy."""

    def next_order_number(self) -> int:
        """A number no order has yet."""

    def last_order_number(self) -> int:
        """The highest number given out."""

    def put_order(self, order: FiledOrder) -> None:
        """File an order for one of its devices."""

    def orders(self) -> list[FiledOrder]:
        """All orders, once per device, by number."""

    def orders_for(self, enrolment: str) -> list[FiledOrder]:
        """The orders for one device, by number."""

    def report(self, order_id: str, enrolment: str, report: str, now: int) -> FiledOrder | None:
        """Keep what a device says of an order; None when there is no such order for it."""

    def receipt(self, enrolment: str) -> StoredReceipt | None:
        """The verified receipt of a device."""

    def put_receipt(self, receipt: StoredReceipt) -> None:
        """Keep a verified receipt."""

    def sealed(self, enrolment: str) -> list[Sealed]:
        """The sealed outboxes of a device, oldest first, the unfinished ones too."""

    def put_sealed(self, sealed: Sealed) -> None:
        """Keep how far a sealed outbox is."""

    def put_piece(self, enrolment: str, sha256: str, begins: int, data: bytes) -> None:
        """Keep a piece of a sealed outbox."""

    def sealed_bytes(self, enrolment: str, sha256: str, at: int) -> bytes:
        """What is kept of a sealed outbox from `at` on, a piece of it at most; b"" behind its end."""

    def drop_sealed(self, enrolment: str, sha256: str) -> None:
        """Forget a sealed outbox and its pieces."""

    def packets_for(self, enrolment: str, most: int) -> list[Packet]:
        """Packets the device has not taken in yet, the oldest ones."""

    def put_packet(self, packet: Packet) -> bool:
        """File a packet; False when it is there already and waits to be taken in."""

    def take_packet(self, id_: bytes, enrolment: str, now: int) -> None:
        """Note that the device has taken a packet in."""

    def audit(self, line: AuditLine) -> None:
        """Append a line."""

    def audit_lines(self) -> list[AuditLine]:
        """Every line, oldest first."""


class Histories(Protocol):
    """Which history this is, which it came from, and how much of it a backup holds."""

    def durable(self) -> Durable | None:
        """What the newest verified backup holds; None where there never was one."""

    def put_durable(self, durable: Durable) -> None:
        """Note a verified backup."""

    def common(self, epoch: bytes) -> int:
        """Up to which number that former history is this one's beginning; 0 for one that is not known."""

    def ends(self) -> list[int]:
        """The same for every former history."""

    def folded(self) -> tuple[int, int]:
        """Up to which number the log is folded, and when a run came to its end last."""

    def put_folded(self, upto: int, at: int) -> None:
        """Note how far the log is folded."""

    def changes(self, after: int, most: int) -> list[tuple[int, bytes, int]]:
        """Number, record and time of the next entries of the log."""

    def fold(self, record: bytes, upto: int) -> int:
        """Keep, of a record's entries up to a number that say the same, the newest; how many went."""

    def drop_results(
        self, after: tuple[bytes, bytes, int], before: int, now: int, most: int
    ) -> tuple[int, tuple[bytes, bytes, int] | None]:
        """Drop what is older than a time of the next results; how many went, and where to go on. Those of which nobody
        knows when they came count from now."""

    def newest_common(self) -> int | None:
        """The same for the history before this one; None where there was none: this server was never restored."""

    def given_after(self, seq: int) -> int:
        """How many changes have a number above `seq`."""

    def begin(self, epoch: bytes, head: int, order_number: int) -> None:
        """End the history and go on with a new one behind these numbers. A transaction that does so gives no number."""


class Transaction(Protocol):
    """One transaction: everything in it happens, or nothing."""

    news: News  # what others are told of it, once it has happened

    @property
    def epoch(self) -> bytes:
        """The id of this server's history."""

    @property
    def people(self) -> People:
        """Persons, codes and devices."""

    @property
    def records(self) -> Records:
        """Records and ops."""

    @property
    def post(self) -> Post:
        """Documents, orders, receipts."""

    @property
    def blobs(self) -> Blobs:
        """Attached files."""

    @property
    def histories(self) -> Histories:
        """This history and those before it."""

    @property
    def consoles(self) -> Consoles:
        """The web console."""


class Store(Protocol):
    """A server store; every method may be called from any thread."""

    heard: Heard

    def read(self) -> AbstractContextManager[Transaction]:
        """A read transaction."""

    def write(self) -> AbstractContextManager[Transaction]:
        """A write transaction: kept, durably, when the block ends, and undone when it raises."""

    def room(self) -> int:
        """Bytes that are free on the disk the store lies on."""

    def close(self) -> None:
        """Wait for what runs and close."""
