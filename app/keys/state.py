"""The guarded small state of a device: stage, floors, clock; sealed with a mac, written whole or not at all.

`state.json` is {"mac": …, "state": …}; the mac is HMAC-SHA256 under HKDF(K_ring, "fieldkeep/state/v1") over the
canonical JSON of the state, and is checked before anything in the state is read. The highest document numbers also
stand in the keyring, so that an old file put back does not lower them: the higher of both counts. A digest of the root
in force and of the enrolment stands there too: a device whose files are damaged still knows whom to believe.

While the keys are turned (turning.py), the file carries a second mac, `next`, under the ring key that is to come:
whichever header is there, its ring key proves the state, and no older file is proven by the new one.

A wiped device has no state: its files `wipe.intent`, `wipe.receipt` and `tombstone.json` speak.
"""

from __future__ import annotations

import hashlib
import hmac
from types import TracebackType
from typing import Final

import msgspec

from app.errors import AppError, KeyringUnreachable, StoreDamaged, not_written
from app.keys import header
from app.keys.derive import for_purpose, mac
from app.keys.device import key_missing
from app.keys.ring import HIGH_WATER, TRUST, Keyring, ring_name
from app.keys.secret import SecretBytes
from app.keys.trusted_time import Anchor, Witness
from app.paths import Profile, write_whole
from sync.protocol.texts import gettext as _
from sync.protocol.trust import ADMIN, POLICY_ROLE, SERVER, Floors, Mark

STATE_MAX: Final = 64 * 2**10  # bytes
_VOUCHED: Final = b"fieldkeep-vouched/v1\n"
_PURPOSE: Final = b"fieldkeep/state/v1"
_TRUSTED: Final = "fieldkeep-trust/v1"

# high water: 4 digits of version, then 12 each for root, policy and the orders of these authorities
_AUTHORITIES: Final = (ADMIN, POLICY_ROLE, SERVER)
_HW_VERSION: Final = "0001"
_HW_DIGITS: Final = 12
_HW_MAX: Final = 16**_HW_DIGITS - 1

STAGES: Final = (
    "enrolling",
    "active",
    "lock_ui",
    "lock_crypto",
    "wipe_intent",
    "keys_gone",
    "files_gone",
    "receipted",
    "acked",
)


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A document that did not hold: which rule refused it, and when, in UTC milliseconds."""

    rule: str
    at: int
    two_histories: bool = False  # it carried the number of another one


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What a device must remember and nobody may turn back. Ids are hex, times UTC milliseconds."""

    v: int = 1
    stage: str = "enrolling"
    org: str
    device: str
    enrolment: str
    epoch: int
    incarnation: str
    floors: Floors = Floors()
    t_floor: int = 0
    anchor: Anchor | None = None
    last_contact: int = 0
    lease_until: int = 0
    order_head: int = 0
    obeyed: dict[str, str] = {}
    locked_because: str = ""
    locked_why: str = ""  # what IT said to a lock by order
    pin_fail: int = 0  # tries since the last right PIN; written down before each
    pin_reset: str = (
        ""  # "asked" once IT has unlocked a device whose PIN nobody knew; "here" once a new one may be chosen
    )
    reset_ack: bool = False  # the server holds the reset key of the PIN in force
    share_ack: bool = False  # the server holds the share: a lock can be undone
    ask_share: bool = False
    waiting: dict[str, str] = {}  # verified orders that are not obeyed yet: order id -> digest of its payload
    unsent: int = 0  # as counted when the store was last closed: what the lock screen may say
    policy_held: str = ""  # digest of the policy in force: it stays so when a new root takes its signer away
    order_taken: int = 0  # the highest order number ever taken in; a new root does not lower it
    alarm: Alarm | None = None  # the last document that did not hold
    witness: Witness | None = None  # how long this machine ran since the last contact
    locked_in: str = ""  # the boot in which the share was taken away
    travelling: bool = False  # what policy keeps at home is not to be on this device
    keys_made: int = 0  # when the keys in force were made; 0 where nobody wrote it down
    keys_asked: bool = False  # a person or IT wants other keys, whatever their age
    share_as: int = 0  # under which epoch the server keeps the share in force; 0 for the one of the enrolment
    keys_before: int = 0  # keys before this epoch may still be in the keyring
    sealed_shares: dict[
        str, str
    ] = {}  # by epoch: share, and reset key behind it, sealed to the recovery key; hex


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: each mac covers the bytes of `state` as they stand."""

    mac: str
    next: str | msgspec.UnsetType = msgspec.UNSET
    state: msgspec.Raw


class StateFile:
    """The state of one profile. Reads the ring key once and keeps it until `close`.

    `epoch` names the ring key where the header, which names it otherwise, does not hold; the mac tells a wrong one.
    """

    def __init__(self, profile: Profile, ring: Keyring, epoch: int | None = None) -> None:
        self._profile = profile
        self._ring = ring
        self._epoch = epoch
        self._key: SecretBytes | None = None
        self._named = epoch or 0  # the epoch of that key
        self._next: SecretBytes | None = None  # beside it, while the keys are turned
        self._next_epoch = 0
        self._high_water: str | None = None  # as the keyring holds it
        self._trusted = ""  # as the keyring holds it, by what the file says
        self.root_on_file = Mark()  # as `load` found it; the keyring may be a step ahead

    def load(self) -> State:
        """The state, its floors raised to the keyring's.

        Raises NotEnrolled, KeyMissing, KeyringUnreachable, and StoreDamaged when file or numbers are gone or altered:
        no state is ever made anew in its place.
        """
        key = self._mac_key()
        data = header.read_bounded(self._profile.state, STATE_MAX)
        if data is None:
            raise _tampered()
        try:
            file = msgspec.json.decode(data, type=_File, strict=True)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            raise _tampered() from None
        made = mac(key, bytes(file.state)).encode()
        said = [file.mac, "" if file.next is msgspec.UNSET else file.next]
        if not any([hmac.compare_digest(made, each.encode()) for each in said]):  # noqa: C419 - each is compared
            raise _tampered()
        try:
            state = msgspec.json.decode(file.state, type=State, strict=True)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            raise _tampered() from None
        self._high_water = self._ring.get(HIGH_WATER)
        if self._high_water is None:  # it is written before the first state, so somebody took it away
            raise _tampered()
        filed, kept = state.floors, _floors(self._high_water)
        self.root_on_file = filed.root
        self._trusted = trusted(filed.root.digest, state.enrolment)
        # A new root can lower the other floors: where the file alone knows of it, the keyring's are of yesterday.
        floors = filed if filed.root.number > kept.root.number else filed.highest(kept)
        return msgspec.structs.replace(state, floors=floors)

    def create(self, state: State) -> None:
        """The first state of a profile. Raises AppError when there is one already, and as `save` does."""
        if self._profile.state.exists():
            raise AppError(
                _("This profile has a state already; it was not replaced."), _("Enrol into an empty folder.")
            )
        self._mac_key()
        self._ring.set(HIGH_WATER, _numbers(state.floors))
        self._high_water = _numbers(state.floors)
        self.save(state)

    def save(self, state: State) -> None:
        """Keep a state: the numbers in the keyring first when they changed, then the file, whole.

        A keyring that does not answer does not hold back the file, which carries the floors as well; then
        KeyringUnreachable comes after it is written. Raises NoSpace or AppError when the file cannot be, KeyMissing.
        """
        key = self._mac_key()
        if state.stage not in STAGES:
            raise ValueError("no such stage")
        problem: KeyringUnreachable | None = None
        numbers, trust = _numbers(state.floors), trusted(state.floors.root.digest, state.enrolment)
        try:
            if numbers != self._high_water:
                self._ring.set(HIGH_WATER, numbers)
                self._high_water = numbers
            if state.floors.root.digest and trust != self._trusted:
                self._ring.set(TRUST, trust)
                self._trusted = trust
        except KeyringUnreachable as error:
            problem = error
        payload = msgspec.json.encode(state, order="sorted")
        beside = msgspec.UNSET if self._next is None else mac(self._next, payload)
        file = _File(mac=mac(key, payload), next=beside, state=msgspec.Raw(payload))
        data = msgspec.json.encode(file, order="sorted")
        try:
            write_whole(self._profile.state, data)
        except OSError as error:
            raise not_written(error) from None
        if problem is not None:
            raise problem

    def vouch(self, data: bytes) -> str:
        """A mac that only this device's ring key makes; `vouched` knows it again as long as that key is there."""
        return mac(self._mac_key(), _VOUCHED + data)

    @property
    def epoch(self) -> int:
        """The epoch of the ring key that vouches. Raises as `save` does."""
        self._mac_key()
        return self._named

    def both(self, epoch: int) -> None:
        """From now on each state carries a mac by the ring key of this epoch, too. Raises KeyMissing,
        KeyringUnreachable."""
        self._mac_key()
        if self._next is None or self._next_epoch != epoch:
            following = self._read_key(epoch)
            self._drop_next()
            self._next, self._next_epoch = following, epoch

    def turned(self) -> None:
        """The keys were turned: the ring key to come is the one in force, and the one before proves nothing."""
        if self._next is not None:
            self._drop_key()
            self._key, self._named, self._next = self._next, self._next_epoch, None

    def close(self) -> None:
        """Wipe the keys; a later call reads that of the header again."""
        self._drop_key()
        self._drop_next()

    def __enter__(self) -> StateFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _mac_key(self) -> SecretBytes:
        if self._key is None:
            epoch = self._epoch or header.read(self._profile).epoch
            self._key, self._named = self._read_key(epoch), epoch
        return self._key

    def _read_key(self, epoch: int) -> SecretBytes:
        value = self._ring.get(ring_name(epoch))
        if value is None:
            raise key_missing()
        with header.key_from(value) as ring_key:
            return for_purpose(ring_key, info=_PURPOSE)

    def _drop_key(self) -> None:
        if self._key is not None:
            self._key.wipe()
            self._key = None

    def _drop_next(self) -> None:
        if self._next is not None:
            self._next.wipe()
            self._next = None


def trusted(root: str, enrolment: str) -> str:
    """What the keyring's entry `trust` holds for a root, by its digest, and an enrolment."""
    return hashlib.sha256(f"{_TRUSTED}\n{root}\n{enrolment}".encode()).hexdigest()


def high_water(ring: Keyring) -> Floors:
    """The floors that the keyring alone knows; none when it knows of none. Raises KeyringUnreachable, StoreDamaged."""
    value = ring.get(HIGH_WATER)
    return Floors() if value is None else _floors(value)


def vouched(ring: Keyring, epoch: int, data: bytes, said: str) -> bool | None:
    """Whether `said` is what the ring key of this epoch vouches for; None when there is no such key.

    Raises KeyringUnreachable.
    """
    value = ring.get(ring_name(epoch))
    if value is None:
        return None
    with header.key_from(value) as ring_key, for_purpose(ring_key, info=_PURPOSE) as key:
        return hmac.compare_digest(mac(key, _VOUCHED + data).encode(), said.encode())


def epoch_hint(profile: Profile) -> int:
    """The epoch that the state file names, unproven, or 0: to know what to delete when no key is left to prove it."""
    try:
        data = header.read_bounded(profile.state, STATE_MAX) or b""
        epoch = msgspec.json.decode(data, type=_Hint).state.epoch
    except (StoreDamaged, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return 0
    return epoch if 0 < epoch < header.EPOCH_END else 0


def unproven(profile: Profile) -> State | None:
    """The state as its file says it, the mac not looked at, for when the keyring is away; None where it says none."""
    try:
        data = header.read_bounded(profile.state, STATE_MAX) or b""
        file = msgspec.json.decode(data, type=_File, strict=True)
        return msgspec.json.decode(file.state, type=State, strict=True)
    except (StoreDamaged, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def device_hint(profile: Profile) -> tuple[str, str] | None:
    """Organisation and device that the state file names, unproven; None where it names none."""
    try:
        data = header.read_bounded(profile.state, STATE_MAX) or b""
        named = msgspec.json.decode(data, type=_Named).state
    except (StoreDamaged, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return named.org, named.device


class _NamedState(msgspec.Struct, frozen=True):
    org: str
    device: str


class _Named(msgspec.Struct, frozen=True):
    state: _NamedState


class _HintState(msgspec.Struct, frozen=True):
    epoch: int


class _Hint(msgspec.Struct, frozen=True):
    state: _HintState


def _numbers(floors: Floors) -> str:
    """The numbers of floors as one keyring value; a number too high for its place counts as the highest."""
    marks = [floors.root, floors.policy, *(floors.orders.get(name, Mark()) for name in _AUTHORITIES)]
    return _HW_VERSION + "".join(f"{min(max(0, mark.number), _HW_MAX):0{_HW_DIGITS}x}" for mark in marks)


def _floors(value: str) -> Floors:
    """The floors that a keyring value names; without digests, which a document brings along again."""
    if len(value) != len(_HW_VERSION) + _HW_DIGITS * (2 + len(_AUTHORITIES)) or not value.startswith(
        _HW_VERSION
    ):
        raise _tampered()
    digits = value[len(_HW_VERSION) :]
    marks = [Mark(int(digits[at : at + _HW_DIGITS], 16)) for at in range(0, len(digits), _HW_DIGITS)]
    return Floors(root=marks[0], policy=marks[1], orders=dict(zip(_AUTHORITIES, marks[2:], strict=True)))


def _tampered() -> StoreDamaged:
    return StoreDamaged(
        _("What this device remembers of its organisation is missing or was altered."),
        _("Nothing was changed. Connect and run: fieldkeep sync"),
    )
