"""Every message of the wire: request paths, headers of frames, and the signature of a request within a session.

    GET  /v1/root       the root envelope, JSON
    POST /v1/enrol      enrolment envelope, JSON            -> EnrolReply
    POST /v1/session    session envelope, JSON              -> SessionReply
    POST /v1/exchange   ExchangeHead, Op*                   -> ReplyHead, OpResult*, Change*, Conflict*, Paper*
    POST /v1/still      nothing                             -> 16 bytes (still_answer), or none: exchange
    POST /v1/ready      ReadyHead                           -> ReadyReply
    POST /v1/ready/piece ReadyPieceHead                     -> ReadyPieceReply, a sealed piece (ready.py)
    POST /v1/digest     DigestHead                          -> DigestReply
    POST /v1/bucket     BucketHead                          -> BucketReply
    POST /v1/records    RecordsHead                         -> RecordsReply, Change*, Conflict*
    GET  /v1/events     nothing                             -> events, for as long as the line holds
    GET  /v1/events?wait=25                                 -> one event, when there is one
    POST /v1/sealed     PieceHead, SealedPart?              -> PieceReply
    POST /v1/blob/put   PieceHead, a piece of the blob?     -> PieceReply
    POST /v1/blob/get   BlobGet                             -> BlobGetReply, a piece of the blob
    POST /v1/receipt    ReceiptHead, SealedPart*            -> ReceiptReply
    GET  /healthz       "ok"

Replies are frames (codec.py); a failed request answers with its status and one frame, Trouble.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Any, Final

import msgspec

from sync.protocol.errors import Outcome, Problem, Rejection
from sync.protocol.fields import Care

ROOT_PATH: Final = "/v1/root"
ENROL_PATH: Final = "/v1/enrol"
SESSION_PATH: Final = "/v1/session"
EXCHANGE_PATH: Final = "/v1/exchange"
STILL_PATH: Final = "/v1/still"
READY_PATH: Final = "/v1/ready"
READY_PIECE_PATH: Final = "/v1/ready/piece"
DIGEST_PATH: Final = "/v1/digest"
BUCKET_PATH: Final = "/v1/bucket"
RECORDS_PATH: Final = "/v1/records"
EVENTS_PATH: Final = "/v1/events"
RECEIPT_PATH: Final = "/v1/receipt"
SEALED_PATH: Final = "/v1/sealed"
BLOB_PUT_PATH: Final = "/v1/blob/put"
BLOB_GET_PATH: Final = "/v1/blob/get"
HEALTH_PATH: Final = "/healthz"

SESSION_HEADER: Final = "Fieldkeep-Session"
COUNTER_HEADER: Final = "Fieldkeep-Counter"
MAC_HEADER: Final = "Fieldkeep-Mac"
COUNTER_WINDOW: Final = 64  # lines run in parallel: a counter may arrive this far behind the highest seen

OPS_MAX: Final = 1_000  # in one exchange
OPS_BYTES_MAX: Final = 4 * 2**20
PAGE_ROWS: Final = 2_000
RECORDS_MAX: Final = 500  # ids in one request for records
SEALED_PART: Final = 2**20  # bytes of the sealed outbox in one frame, and in one request
BLOB_PIECE: Final = 2**18  # bytes of a blob in one answer: within its deadline on a slow line, too

# Events, as in text/event-stream. A poke says that there is something and never what; one that is lost costs time.
EVENT_END: Final = b"\n\n"
POKE: Final = b"event: poke\ndata:" + EVENT_END
BEAT: Final = b":" + EVENT_END
BEAT_S: Final = 20.0  # between two heartbeats of a line with nothing to say
HELD_BACK: Final = (
    "held_back"  # in the posture of a device: records that it keeps although it was told to let go
)
PIN_LOCKED: Final = (
    "pin_locked"  # likewise: its PIN was wrong too often, or nobody knows it; IT has to unlock it
)
WAIT_S: Final = 25  # the longest that a single event is waited for


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far a device has read: the server's history, its sequence, the rights it was read under, the schema.

    `scopes` is negative while all is gone through anew. `care` is the highest care class that is shown here: what needs
    more is hidden, and whatever stands in its cells is a mask. A server that says none shows every class.
    """

    epoch: bytes = b""
    seq: int = 0
    scopes: int = 0
    schema: int = 0
    care: int = Care.RESTRICTED


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The person a device belongs to."""

    id: bytes
    email: str
    role: str
    team: str
    territory: str = ""
    care: int = Care.RESTRICTED  # the highest care class that its device shows


class EnrolReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a new device gets: who it is, and its first documents as signed envelopes."""

    enrolment: str
    person: Person
    org_name: str
    root: bytes
    policy: bytes
    lease: bytes
    server_time: int


class SessionReply(msgspec.Struct, frozen=True, kw_only=True):
    """A session: its id and the key for the macs of its requests, both gone when it ends."""

    session: bytes
    key: bytes
    epoch: bytes
    acked_n: int  # the highest op of this incarnation that the server holds
    server_time: int
    protocol: int = 1
    ops_max: int = OPS_MAX
    page_rows: int = PAGE_ROWS
    rollback: bool = False  # the server holds newer ops of this incarnation: take a new one


class ExchangeHead(msgspec.Struct, frozen=True, kw_only=True):
    """The first frame of an exchange; ops follow, unless the device is locked."""

    incarnation: bytes
    cursor: Cursor
    state: str  # "active" | "locked"
    nonce: str  # for the lease
    lease_left_ms: int
    policy_version: int
    root_version: int
    order_head: int  # the highest order number this device has taken in
    obeyed: dict[str, str] = {}  # order id -> "done" | "refused:<rule>" since the last exchange
    unsent: int = 0
    app_version: str = ""
    posture: dict[str, Any] = {}
    ask_share: bool = False
    recovered: list[bytes] = []  # recovered packets this device has taken into its outbox
    ask_reset: bool = False  # beside the share: what a new PIN takes, once IT has unlocked this device
    share: bytes = (
        b""  # of this device, to be held from now on: the share, and behind it the reset key of a PIN
    )
    share_sealed: bytes = b""  # the same, sealed to the recovery key; alone, where nothing else is left of it
    share_as: int = 0  # under which epoch the server keeps the share in force; 0 for the one of the enrolment
    share_next: int = 0  # the epoch of `share`, where it is to take that one's place
    travelling: bool = (
        False  # what needs more care than policy lets travel stays at home, and leaves this device
    )
    rows: int = 0  # of the page at most, where the device wants to show something soon; 0 for as many as fit


class ReplyHead(msgspec.Struct, frozen=True, kw_only=True):
    """The first frame of the answer."""

    cursor: Cursor
    more: bool  # ask again at once
    acked_n: int
    durable_seq: int  # acknowledged and safe up to here: kept copies may go
    server_time: int
    order_head: int
    person: Person
    head: int = (
        0  # the highest number there is: so long is the way of the cursor; 0 from a server that does not say
    )
    accounted: int = (
        -1
    )  # of the records that this answer's changes take away, those of which the log says why
    share_kept: bytes = b""  # SHA-256 of the share that came, once it is held
    shares: list[int] = []  # epochs of which the share is held; none from a server that keeps one alone


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record as the device may see it; `gone` is "deleted" or "left" (out of scope: every trace goes)."""

    kind: str
    id: bytes
    ver: int
    cells: dict[str, msgspec.Raw] = {}
    gone: str = ""
    person: str = ""  # who wrote last
    hlc: int = 0


class OpResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of op `n`; `row` comes when the device's own row differs from the server's."""

    n: int
    outcome: Outcome
    ver: int = 0
    code: Rejection | None = None
    hint: str = ""
    conflicts: list[bytes] = []
    row: Change | None = None


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A document for the device: kind "root", "policy", "lease", "order", "share" (sealed), "recovered" (sealed)."""

    kind: str
    data: bytes
    id: bytes = b""


class ReadyHead(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for a ready part for a store that is laid out so, and has just been begun."""

    layout: bytes


class ReadyReply(msgspec.Struct, frozen=True, kw_only=True):
    """A ready part: its id and one-time key, how long each of its pieces is, and where who has it stands; or none."""

    part: bytes = b""
    key: bytes = b""
    lengths: list[int] = []
    rows: int = 0
    cursor: Cursor = Cursor()


class ReadyPieceHead(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for one piece of a ready part."""

    part: bytes
    number: int


class ReadyPieceReply(msgspec.Struct, frozen=True, kw_only=True):
    """The piece follows, in one frame."""

    length: int


class DigestHead(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the sums of the buckets over what this person sees, of records with `after` < ver <= `cursor.seq`."""

    cursor: Cursor
    after: int = 0


class DigestReply(msgspec.Struct, frozen=True, kw_only=True):
    """The sums (digest.py) over the records up to `upto`; with `more`, ask again behind it and add them up."""

    sums: bytes
    upto: int
    more: bool
    scopes: int  # the rights that this was read under: those of the cursor, or nothing can be compared
    head: int  # the number up to which the server's history goes


class BucketHead(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the records of these buckets (a byte each) with ver > `after`."""

    cursor: Cursor
    buckets: bytes
    after: int = 0


class BucketReply(msgspec.Struct, frozen=True, kw_only=True):
    """Id, number and digest of each record (digest.py) up to `upto`; with `more`, ask again behind it."""

    entries: bytes
    upto: int
    more: bool
    scopes: int
    head: int


class RecordsHead(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for these records as they are now."""

    cursor: Cursor
    ids: list[bytes]


class RecordsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The first `told` of the records that were asked for, a change each, in their order, with their conflicts.

    One that this person does not see and one that there never was are the same: "left", with the number 0, or that
    of the change by which it left since the cursor.
    """

    told: int
    scopes: int
    head: int


class PieceHead(msgspec.Struct, frozen=True, kw_only=True):
    """The signed account of a piece of a sealed outbox or a blob; the piece follows, or nothing where it only asks."""

    piece: bytes


class PieceReply(msgspec.Struct, frozen=True, kw_only=True):
    """How much of that whole the server holds from its beginning, durably; `whole` once its digest holds."""

    held: int
    whole: bool = False


class BlobGet(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the blob that this record names, from `offset` on, at most so many bytes."""

    record: bytes
    sha256: bytes
    offset: int
    most: int = BLOB_PIECE


class BlobGetReply(msgspec.Struct, frozen=True, kw_only=True):
    """How long the whole blob is; what was asked for follows."""

    length: int


class ReceiptHead(msgspec.Struct, frozen=True, kw_only=True):
    """A wipe's receipt envelope; the sealed outbox follows, or has gone before, piece by piece, and `parts` is 0.

    `order` is the signed order that was obeyed: a server that was restored may have lost it.
    """

    receipt: bytes
    parts: int
    order: bytes = b""


class ReceiptReply(msgspec.Struct, frozen=True, kw_only=True):
    """The server holds receipt and outbox, durably; the device may forget both."""

    receipt_id: str
    stored: bool = True


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request failed, with what the client needs to go on."""

    problem: Problem
    title: str = ""
    hint: str = ""
    expected: int = 0
    retry_after: int = 0
    server_time: int = 0


# Tags of frames, one per struct; a tag that is not here refuses the page.
HEAD: Final = "head"
OP: Final = "op"
RESULT: Final = "result"
CHANGE: Final = "change"
CONFLICT: Final = "conflict"
PAPER: Final = "paper"
PART: Final = "part"
TROUBLE: Final = "trouble"


def request_mac(key: bytes, method: str, target: str, body: bytes, counter: int) -> str:
    """The mac of a request within a session, hex: over method, path and query, body digest and counter."""
    text = f"fieldkeep-request/v1\n{method}\n{target}\n{hashlib.sha256(body).hexdigest()}\n{counter}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


_STILL: Final = struct.Struct(">QQ")


def still_answer(seq: int, server_time: int) -> bytes:
    """The answer to a device that has nothing to say but what it said last: nor has the server, up to this number."""
    return _STILL.pack(seq, server_time)


def read_still(body: bytes) -> tuple[int, int] | None:
    """(number, server time) of such an answer; None where there is something, or nobody of ours has answered."""
    return _STILL.unpack(body) if len(body) == _STILL.size else None
