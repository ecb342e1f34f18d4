"""What a server store keeps: persons, devices, records, ops with what became of them, orders, receipts, packets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from sync.protocol.errors import Outcome, Rejection
from sync.protocol.fields import Care
from sync.protocol.merge import Row
from sync.server.access import REP, Rights, Scope, fold_territory

FIRST_SCOPES: Final = 1  # of somebody whose rights were never others
RESULTS_KEPT: Final = 10_000


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account. `scopes` rises whenever role, team, territories or the care class that is seen change.

    `territory` holds a line for each territory: "" for the whole team, an empty line for none (own records alone).
    """

    id: bytes
    email: str
    role: str
    team: str
    territory: str = ""
    scopes: int = FIRST_SCOPES
    granted: str = ""  # the care class up to which the person sees; "" for all that the role can see

    @property
    def rights(self) -> Rights:
        """What this person may see and edit."""
        return Rights(
            self.id, self.role, self.team, self.granted, territories_seen(self.role, self.territory)
        )

    @property
    def territories(self) -> tuple[str, ...]:
        """The territories as they are written; empty for the whole team, and for own records alone."""
        return tuple(filter(None, self.territory.split("\n")))

    @property
    def own_alone(self) -> bool:
        """Whether the person sees own records alone, of those that have a team."""
        return bool(self.territory) and not self.territories


def territories_seen(role: str, territory: str) -> frozenset[str] | None:
    """The territories that somebody with these lines sees, folded; None for the whole team."""
    if role != REP or not territory:
        return None
    return frozenset(fold_territory(each) for each in territory.split("\n") if each)


def territory_lines(names: Iterable[str]) -> str:
    """Territories as they are kept; none of them means own records alone."""
    return "\n".join(names) or "\n"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One enrolment of a device. Times are UTC milliseconds, 0 for never."""

    enrolment: str
    device: bytes
    name: str
    keyid: str
    spki: bytes
    sealing_key: bytes
    person: bytes
    platform: str
    enrolled: int
    app_version: str = ""
    last_seen: int = 0
    unsent: int = 0
    locked: bool = False  # it has reported that it obeys a lock
    wiped: int = 0  # when its receipt was verified
    posture: bytes = b""
    # How far it has read by its own word, under which rights, and up to which care class. What it was told beyond that,
    # it may hold.
    read_seq: int = 0
    read_scopes: int = 0
    read_care: int = int(Care.RESTRICTED)
    travelling: bool = False


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """An enrolment code, by the digest of its secret."""

    digest: bytes
    person: bytes
    issued: int
    expires: int
    enrolment: str = ""  # what it was used for


@dataclass(frozen=True, slots=True)
class Held:
    """A record as the server holds it: the row, whose it is, and who wrote it last on which device."""

    row: Row
    scope: Scope
    owner: str  # the owner field, folded
    creator: bytes
    device: bytes
    incarnation: bytes
    person: str  # the e-mail of who wrote last
    hlc: int
    subject: bytes = b""  # the record whose people also have this one


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as the feed reads it: cells stay packed."""

    id: bytes
    kind: str
    ver: int
    deleted: bool
    cells: bytes
    scope: Scope
    device: bytes
    incarnation: bytes
    person: str
    hlc: int


@dataclass(frozen=True, slots=True)
class Trace:
    """One change of a record: its number, whose the record was before it (None when it was made), and the device that
    made it.
    """

    seq: int
    before: Scope | None
    device: bytes


class Numbering(msgspec.Struct, frozen=True, kw_only=True):
    """How far the ops of one incarnation of a device are taken in."""

    acked_n: int = 0
    echo_from: int = 0  # its own changes up to here are sent to it like anybody's
    retired: bool = False  # two devices used it: take a new one


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of an op, kept so that a repeat is answered alike. `print` tells ops apart that share a number."""

    outcome: Outcome
    print: bytes
    ver: int = 0
    code: Rejection | None = None
    hint: str = ""
    conflicts: list[bytes] = []
    differs: bool = False


class RefusedOp(msgspec.Struct, frozen=True, kw_only=True):
    """An op that was not taken, kept for its author: whose it was, when, why, and its body (msgpack of Op)."""

    device: bytes
    incarnation: bytes
    n: int
    person: bytes
    at: int
    code: str
    op: bytes


class FiledOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order in the book, as it stands towards one device."""

    seq: int
    order_id: str
    op: str
    digest: str
    envelope: bytes
    enrolment: str
    reason: str
    signers: list[str]
    filed: int
    not_before: int
    expires: int
    report: str = ""  # "done" or "refused:<rule>", as the device said
    reported: int = 0


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed outbox that a device hands in: what it comes to, and how much of it is here from its beginning."""

    enrolment: str
    sha256: str
    length: int
    records: int
    begun: int
    held: int = 0
    whole: bool = False  # all of it, and it is what the device said


class StoredReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A verified receipt, with what it says of the sealed outbox."""

    enrolment: str
    receipt_id: str
    envelope: bytes
    received: int
    outbox_bytes: int
    outbox_records: int


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """Recovered ops on their way to a device, sealed to it."""

    id: bytes
    target: str  # enrolment
    source: bytes  # device id
    data: bytes
    ops: int
    filed: int
    taken: int = 0


class Durable(msgspec.Struct, frozen=True, kw_only=True):
    """What a verified backup holds: the history up to `seq`. `made` is when, UTC milliseconds."""

    seq: int
    made: int


# Verbs of lines in the audit table that say who is an admin, and who acts at the console.
ADMIN_ADDED: Final = "admin added"
ADMIN_REMOVED: Final = "admin removed"
CONSOLE_INVITE: Final = "console invite"
CONSOLE_REVOKE: Final = "console revoke"


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to which thing: ids and words of ours, never data."""

    at: int
    actor: str
    verb: str
    object: str
    digest: str = ""


class Blob(msgspec.Struct, frozen=True, kw_only=True):
    """An attached file as a device brings it: encrypted, in pieces, to have this SHA-256 once it is whole."""

    sha256: bytes
    enrolment: str  # the device that brings it
    place: bytes  # under which its pieces lie
    length: int
    begun: int
    held: int = 0
    whole: bool = False  # every byte is here, and the digest holds
    gone: bool = False  # it was here, and nobody named it any longer
