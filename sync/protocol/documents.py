"""The documents that are signed: root, policy, lease, order, receipt, and what a device signs to enrol and sign in.

Each is a JSON object in an envelope (signing.py). Times are UTC milliseconds, keys are SPKI DER, ids are hex.
Unknown fields are passed over, unless the document names them in `crit`: then it is refused.
"""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar, Final, TypeVar

import msgspec

from sync.protocol.errors import Refused
from sync.protocol.policy_parts import KeyRule, TravelRule
from sync.protocol.strict import scan
from sync.protocol.texts import gettext as _

LOCK: Final = "lock"
UNLOCK: Final = "unlock"
WIPE: Final = "wipe"
CANCEL: Final = "cancel"  # of a wipe that waits for its time


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What all signed documents share; `type` must equal the envelope's."""

    TYPE: ClassVar[str] = ""
    type: str = ""
    v: int = 1
    crit: list[str] = []

    def to_bytes(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces, UTF-8; the bytes that are signed."""
        return msgspec.json.encode(msgspec.structs.replace(self, type=self.TYPE), order="sorted")


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A public key of a role."""

    alg: str  # "ed25519"
    spki: bytes


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """Keys, of which `threshold` distinct ones must sign."""

    keys: list[Key]
    threshold: int = 1


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """One key of an admin: a key file (`ed25519`) or a passkey or security key (`webauthn`)."""

    alg: str  # "ed25519" | "webauthn"
    spki: bytes
    purpose: str = "order"
    label: str = ""
    credential_id: str = ""  # base64url, webauthn only
    backup_eligible: bool = False


class Admin(msgspec.Struct, frozen=True, kw_only=True):
    """A person who may sign orders, with all keys he or she holds; counted once, however many sign."""

    admin_id: str
    credentials: list[Credential]


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Where a passkey signs: its relying party and the exact origins."""

    rp_id: str
    origins: list[str]


class WipeRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a wipe needs: distinct admins for one device and for more, the most devices, delay and witnesses."""

    threshold: int = 1
    threshold_many: int = 2
    max_devices: int = 25
    delay_ms: int = 0
    witnesses: int = 0


class Root(Document, frozen=True, kw_only=True):
    """Whom an organisation trusts for what. Version n+1 is signed by the thresholds of n and of n+1."""

    TYPE: ClassVar[str] = "root"
    version: int
    org: str  # 32 hex digits
    org_name: str
    issued: int
    expires: int
    root: Role
    policy: Role
    lease: Role
    admins: list[Admin]
    recovery: bytes  # raw X25519 public key
    tls_ca: list[str]  # PEM certificates: the only ones a device trusts
    server_urls: list[str]
    wipe: WipeRule = WipeRule()
    console: Site | None = None  # passkeys here sign for exactly one device
    signer: Site | None = None  # the admin's own machine


class Offline(msgspec.Struct, frozen=True, kw_only=True):
    """What silence does: warn, then lock, then wipe, counted from the last contact with the server."""

    warn_h: int = 336
    lock_h: int = 504
    wipe_d: int = 60


class PinRule(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a PIN is asked, how long it is and how often it may be wrong; off until policy asks."""

    required: bool = False
    min_len: int = 6
    max_attempts: int = 10


class UseRules(msgspec.Struct, frozen=True, kw_only=True):
    """What may be done with records beyond the program: "allow" or "block" each (uses.py).

    `screenshot_unknown` is the action on a system that cannot keep screenshots away. What was copied leaves the
    clipboard after so many seconds, never where it is 0, and at every lock.
    """

    export: str = "allow"
    print: str = "allow"
    copy: str = "allow"
    open_outside: str = "allow"
    attach: str = "allow"
    screenshot: str = "allow"
    screenshot_unknown: str = "warn"
    clear_clipboard_s: int = 0


class Policy(Document, frozen=True, kw_only=True):
    """What IT wants of devices. An expired one stays in force and warns; only the lease locks.

    `rules` are rows of signals (ladder.py); they stay as they are written, so that a newer program's are carried.
    """

    TYPE: ClassVar[str] = "policy"
    version: int
    org: str
    issued: int
    expires: int
    prev_hash: str = ""
    offline: Offline = Offline()
    pin: PinRule = PinRule()
    inactivity_min: int = 10
    outbox_escrow: str = "required"
    rules: list[dict[str, Any]] = []
    use: UseRules = UseRules()
    keys: KeyRule = KeyRule()
    travel: TravelRule = TravelRule()


class Lease(Document, frozen=True, kw_only=True):
    """The server's word that a device is known and up to date; may shorten, never stretch, what policy says."""

    TYPE: ClassVar[str] = "lease"
    org: str
    enrolment: str
    seq: int
    nonce: str
    server_time: int
    valid_ms: int
    policy_version: int
    root_version: int
    order_head: int  # the highest order number filed for this device
    share_held: bool = False  # the server holds this device's share: a lock can be undone


class Checkpoint(Document, frozen=True, kw_only=True):
    """The server's word of how long its audit table is, and of its hash tree's root (tree.py), signed as leases are."""

    TYPE: ClassVar[str] = "checkpoint"
    org: str
    size: int
    root: str  # hex
    at: int


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One device of an order; the name is for people, the enrolment decides."""

    enrolment: str
    name: str = ""


class Order(Document, frozen=True, kw_only=True):
    """Lock, unlock or wipe, for devices named one by one; no wildcards."""

    TYPE: ClassVar[str] = "order"
    order_id: str
    seq: int
    op: str
    org: str
    root_version: int
    devices: list[Target]
    reason: str
    issued: int
    not_before: int
    expires: int
    cancels: str = ""  # the id of the wipe that is not to be


class Destroyed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one keyring entry."""

    name: str
    destroyed: bool
    verified_absent: bool


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the files: a count, and the names of those that would not go."""

    removed: int = 0
    failed: list[str] = []


class SealedOutbox(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed outbox as a whole: bytes, their digest, and how many records they hold."""

    length: int
    sha256: str
    records: int


class Receipt(Document, frozen=True, kw_only=True):
    """A device's own account of a wipe, signed with its device key."""

    TYPE: ClassVar[str] = "receipt"
    receipt_id: str  # the order's id
    order_sha256: str
    org: str
    enrolment: str
    device: str
    policy_version: int
    started: int
    finished: int
    keys: list[Destroyed]
    files: Files
    outbox: SealedOutbox
    app_version: str
    result: str  # "wiped" | "wiped_keyring_unreachable"
    because: str = ""  # "silence": no order, but the rule of the policy whose digest stands in `order_sha256`
    silent_since: int = 0  # then: when the server was last met


class SealedPiece(Document, frozen=True, kw_only=True):
    """One piece of a sealed outbox on its way to the server, signed with the device key; an empty one only asks."""

    TYPE: ClassVar[str] = "sealed_piece"
    org: str
    enrolment: str
    device: str
    whole: SealedOutbox  # what it is a piece of
    offset: int  # where in the whole it begins
    length: int
    sha256: str  # over this piece alone


class BlobPiece(Document, frozen=True, kw_only=True):
    """A piece of an attached file's blob on its way up, signed with the device key; an empty one only asks."""

    TYPE: ClassVar[str] = "blob_piece"
    org: str
    enrolment: str
    device: str
    blob: str  # SHA-256 of the whole blob, hex
    of: int  # its length
    offset: int  # where in it the piece begins
    length: int
    sha256: str  # over this piece alone


class Enrolment(Document, frozen=True, kw_only=True):
    """A device's wish to be enrolled, signed with the key it has just made."""

    TYPE: ClassVar[str] = "enrolment"
    code: str  # the secret of the enrolment code, hex
    device: str
    name: str
    spki: bytes
    sealing_key: bytes  # raw X25519 public key
    share: bytes
    share_sealed: bytes  # the share sealed to the recovery key
    platform: str
    app_version: str
    nonce: str
    at: int


class SessionOpen(Document, frozen=True, kw_only=True):
    """A device signs in: `last_n` is the last op number it has given out."""

    TYPE: ClassVar[str] = "session"
    org: str
    enrolment: str
    device: str
    incarnation: str
    last_n: int
    protocols: list[int]
    schema: int
    state: str  # "active" | "locked" | "wiped"
    nonce: str
    at: int


D = TypeVar("D", bound=Document)


def parse(payload: bytes, document: type[D]) -> D:
    """A payload as the document it claims to be. Only verified bytes come here.

    Raises Refused for anything but exact JSON of that document: doubled keys, floats, NaN, wrong types, depth.
    """
    scan(payload)
    try:
        parsed = msgspec.json.decode(payload, type=document, strict=True)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise _not_a(document.TYPE) from None
    if parsed.type != document.TYPE or parsed.v != 1:
        raise _not_a(document.TYPE)
    unknown = set(parsed.crit) - set(document.__struct_fields__)
    if unknown:
        raise Refused(
            "crit",
            _("This document needs a newer version of Fieldkeep."),
            _("Update Fieldkeep; until then the last document stays in force."),
        )
    return parsed


def digest(payload: bytes) -> str:
    """The SHA-256 of a payload, hex: how documents are compared."""
    return hashlib.sha256(payload).hexdigest()


def _not_a(name: str) -> Refused:
    return Refused("form", _("This is not a valid document of the type “{type}”.").format(type=name))
