"""What the admin's desk and the server's office say to each other, by call or over the admin socket."""

from __future__ import annotations

from typing import Any, Final

import msgspec

WORK_MAX: Final = 64 * 2**20  # bytes of one message over the admin socket
WHOLE_TEAM: Final = "*"  # in place of territories: a rep sees all of the team's records


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account; `news` is "added", "changed" or "" as the last call left it."""

    id: str
    email: str
    role: str
    team: str
    territory: str = ""
    devices: int = 0
    news: str = ""
    care: str = ""  # the care class up to which the person sees
    territories: list[str] = []  # those of the team that a rep sees; with none of them, the whole team
    own_alone: bool = False  # a rep who sees own records alone


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """One enrolment of a device, as IT sees it. Times are UTC milliseconds, 0 for never."""

    name: str
    id: str
    enrolment: str
    person: str
    state: str  # "active" | "locked" | "wiping" | "wiped"
    last_seen: int
    receipt: str  # "none" | "verified" | "forged": laid into the store by somebody else
    unsent: int
    platform: str
    app_version: str
    pending: str = ""  # the order that is filed and not yet obeyed
    outbox_records: int = 0  # sealed records that it has handed in
    confirmed: bool = True  # it has said that it let go of what its person may not see any more
    held_back: int = 0  # records that it was to let go of, and keeps, since the server could not say why
    posture: dict[str, Any] = {}  # what it told of itself at its last contact (facts.py)
    wipe_from: int = 0  # of one that is "wiping": when the wipe takes effect; it can be called off until then
    wiped_by: str = ""  # of a wiped one: "order", or "silence" where its policy's own rule did it
    pin_locked: bool = (
        False  # its PIN was wrong too often: it waits for an unlock, and a new PIN is chosen there
    )


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What a device holds of one kind: records, and deleted ones that lie there still.

    `classes` counts, of all of these, those with cells of a care class. `leaving` are among them, which the device has
    to let go of at its next contact; `coming` are those that it gets then, new or changed.
    """

    kind: str
    records: int
    deleted: int
    leaving: int
    coming: int
    classes: dict[str, int]
    ids: list[str] = []


class HoldsView(msgspec.Struct, frozen=True, kw_only=True):
    """What one device holds, by its own word: up to which number it has `read`, of `head`, and up to which class.

    Not `exact` while the device goes through everything anew, or has not said yet how far it is: then `kinds` counts
    whatever its person could ever see.
    """

    device: str
    id: str
    enrolment: str
    person: str
    state: str
    confirmed: bool
    exact: bool
    read: int
    head: int
    care: str
    care_next: str
    kinds: list[Holding]
    role: str = ""
    team: str = ""
    territories: list[str] = []  # of a rep who does not see the whole team
    own_alone: bool = False


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has left: how many records went to whom, and the devices, locked, that are still to be wiped."""

    person: str
    heir: str
    records: int
    devices: list[DeviceView]


class TeamMoved(msgspec.Struct, frozen=True, kw_only=True):
    """How many people went along with a team that was moved, and how many records changed hands or sight."""

    people: int
    records: int


class TerritoryView(msgspec.Struct, frozen=True, kw_only=True):
    """A territory: who was granted it, and how many customers lie in it."""

    territory: str
    people: list[str]
    customers: int


class TerritoryMoved(msgspec.Struct, frozen=True, kw_only=True):
    """Of a territory that was given another name or merged: how many people and customers went along, and how many
    records in all changed."""

    people: int
    customers: int
    records: int


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it stands towards one device."""

    number: int
    id: str
    op: str
    device: str
    enrolment: str
    state: str  # "filed" | "done" | "refused:<rule>" | "expired" | "calling off" | "cancelled" | "too late"
    reason: str
    signers: list[str]
    filed: int
    reported: int
    expires: int
    not_before: int = 0  # from when on it takes effect


class Backed(msgspec.Struct, frozen=True, kw_only=True):
    """A verified backup: of which history, up to which number, when (UTC milliseconds)."""

    epoch: bytes
    seq: int
    made: int


class SafetyView(msgspec.Struct, frozen=True, kw_only=True):
    """How far the history goes, and how much of it a verified backup holds; `made` is 0 where there never was one."""

    head: int
    durable: int
    made: int
    since: int  # changes that no backup holds


class LogProof(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint of the audit table, and the proof that it begins with what it held at the size `since`."""

    type: str = "fieldkeep-log-proof"
    v: int = 1
    root: bytes  # the root envelope in force: whose key signs checkpoints
    checkpoint: bytes
    since: int
    proof: list[bytes]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What an order needs from the server before it is signed."""

    org: str
    root_version: int
    number: int
    now: int


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed outbox that the server holds whole; its bytes are fetched piece by piece."""

    sha256: str
    length: int


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed outboxes of one device, oldest first, and the device that is to have what they hold."""

    source: str  # device id, hex
    source_person: str
    target: str  # enrolment
    target_person: str
    sealing_key: bytes
    outboxes: list[Outbox]


class LostShare(msgspec.Struct, frozen=True):
    """A share of a device that this server has lost, of an epoch of its keys, as it is sealed to the recovery key."""

    epoch: int
    sealed: bytes


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """Recovered ops of one device, sealed to the device that is to have them.

    `batch` is the digest of the ops from among which they are: made again of the same outbox it is the same.
    """

    batch: str  # hex
    ops: int
    data: bytes


class RefusedView(msgspec.Struct, frozen=True, kw_only=True):
    """A change that the server did not take and keeps: of what, whose, by which rule, when; never what it says."""

    kind: str
    record: str
    device: str
    enrolment: str
    person: str
    rule: str  # "forbidden" | "invalid" | "gone" | "schema"
    at: int
    device_id: str = ""
    incarnation: str = ""  # hex
    sealed: bytes = b""  # the op, sealed to the recovery key, where it was asked for
    taken: bool = False  # the same change came again later, and was taken in
