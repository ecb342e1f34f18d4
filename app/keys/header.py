"""The header of a store, `store.hdr`: the data key wrapped, what it takes to unwrap it, and a check value.

Canonical JSON (sorted keys, no spaces). What opens the data key:

    KEK = HKDF(K_ring ‖ K_share ‖ K_pin or 32 zeros, salt, "fieldkeep/kek/v1" ‖ org ‖ device ‖ epoch)
    wrapped = AES-256-GCM(KEK, nonce, data key, "fieldkeep/dek/v1" ‖ org ‖ device ‖ epoch)
    kcv = HMAC(HKDF(K_ring ‖ K_share, salt, "fieldkeep/kcv/v1" ‖ …), the header without kcv)
    reset = the data key once more, under K_ring ‖ K_share ‖ K_reset, where there is a PIN

K_reset is not on this device: the server holds it beside the share, and gives it out once IT has unlocked a device
whose PIN was tried too often. So a new PIN can be chosen, and nobody learns the old one.

The check value needs no PIN. So a damaged header, a key of another store and a wrong PIN can be told apart, which
SQLCipher cannot do ("file is not a database" is all it ever says).
"""

from __future__ import annotations

import hmac
import os
import re
import stat
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.errors import NewerStore, NotEnrolled, StoreDamaged
from app.keys.derive import KEY_BYTES, PinCost, for_purpose, from_pin, mac
from app.keys.secret import SecretBytes
from app.paths import Profile
from sync.protocol.texts import gettext as _

VERSION: Final = 2  # 1: without a way to reset the PIN; written still where there is no PIN
EPOCH_END: Final = 10**9
HEADER_MAX: Final = 4096  # bytes; ours have about 500
_SALT_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_WRAPPED_BYTES: Final = KEY_BYTES + 16
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")


class Reset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data key as the reset key wraps it; hex."""

    nonce: str
    wrapped: str


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `store.hdr` says; bytes are lower-case hex. `share` says that the server's share is part of the key."""

    v: int = 1
    org: str
    device: str
    epoch: int
    salt: str
    pin: PinCost | None = None
    share: bool = True
    nonce: str
    wrapped: str
    reset: Reset | msgspec.UnsetType = msgspec.UNSET
    kcv: str

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return msgspec.json.encode(self, order="sorted")


class WrongKey(Exception):
    """The wrapped key does not open: the PIN is another one. Never leaves the room."""


def read(profile: Profile) -> Header:
    """The header of this profile.

    Raises NotEnrolled where there has never been a store, StoreDamaged, NewerStore.
    """
    found = read_at(profile.header)
    if found is not None:
        return found
    if profile.store.exists():
        raise damaged()
    raise NotEnrolled(
        _("This profile belongs to no organisation yet."), _("Enrol it with a code from IT first.")
    )


def read_at(path: Path) -> Header | None:
    """The header in a file, None where there is none. Raises StoreDamaged, NewerStore."""
    data = read_bounded(path, HEADER_MAX)
    if data is None:
        return None
    try:
        form = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        if "v" in form and msgspec.json.decode(form["v"], type=int) > VERSION:
            raise NewerStore(
                _("This store was made by a newer Fieldkeep."), _("Update Fieldkeep; nothing was changed.")
            )
        found = msgspec.json.decode(data, type=Header, strict=True)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise damaged() from None
    # One header has one spelling, so that no two readers can see two different ones.
    if found.to_bytes() != data or not _sound(found):
        raise damaged()
    return found


def wrap(
    data_key: SecretBytes,
    ring: SecretBytes,
    share: SecretBytes,
    *,
    org: str,
    device: str,
    epoch: int,
    pin: SecretBytes | None = None,
    cost: PinCost | None = None,
    reset: SecretBytes | None = None,
) -> Header:
    """A header, with a salt and a nonce of its own, from which these keys and this PIN give the data key again.

    With `reset`, so does that in the place of the PIN.
    """
    if pin is not None and cost is None:
        cost = PinCost(salt=os.urandom(16).hex())
    blank = Header(
        v=1 if reset is None else VERSION,
        org=org,
        device=device,
        epoch=epoch,
        salt=os.urandom(_SALT_BYTES).hex(),
        pin=cost if pin is not None else None,
        nonce=os.urandom(_NONCE_BYTES).hex(),
        wrapped="",
        kcv="",
    )
    with _kek(blank, ring, share, pin) as kek:
        filled = msgspec.structs.replace(blank, wrapped=_wrapped(kek, blank, blank.nonce, b"dek", data_key))
    if reset is not None:
        nonce = os.urandom(_NONCE_BYTES).hex()
        with _reset_kek(blank, ring, share, reset) as kek:
            beside = Reset(nonce=nonce, wrapped=_wrapped(kek, blank, nonce, b"reset", data_key))
        filled = msgspec.structs.replace(filled, reset=beside)
    return msgspec.structs.replace(filled, kcv=_check_value(filled, ring, share))


def fits(header: Header, ring: SecretBytes, share: SecretBytes) -> bool:
    """Whether header, ring key and share belong together, all bytes of the header included."""
    return hmac.compare_digest(_check_value(header, ring, share), header.kcv)


def unwrap(header: Header, ring: SecretBytes, share: SecretBytes, pin: SecretBytes | None) -> SecretBytes:
    """The data key; the caller has asked `fits`. Raises WrongKey."""
    with _kek(header, ring, share, pin) as kek:
        return _unwrapped(kek, header, header.nonce, header.wrapped, b"dek")


def unwrap_reset(header: Header, ring: SecretBytes, share: SecretBytes, reset: SecretBytes) -> SecretBytes:
    """The data key without the PIN; the caller has asked `fits`. Raises WrongKey."""
    if header.reset is msgspec.UNSET:
        raise WrongKey
    with _reset_kek(header, ring, share, reset) as kek:
        return _unwrapped(kek, header, header.reset.nonce, header.reset.wrapped, b"reset")


def read_bounded(path: Path, limit: int) -> bytes | None:
    """A small file as it is, or None when there is none. Raises StoreDamaged when it is too large or unreadable."""
    try:
        with open(path, "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise damaged()
            data = file.read(limit + 1)
    except FileNotFoundError:
        return None
    except OSError:
        raise damaged() from None
    if len(data) > limit:
        raise damaged()
    return data


def _at_once(name: str, flags: int) -> int:
    """Open without waiting: a pipe that somebody laid there would hold up whoever reads, and with them a wipe."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def key_from(value: str) -> SecretBytes:
    """A key as the keyring holds it. Raises StoreDamaged when it is not one of 32 bytes."""
    if len(value) != 2 * KEY_BYTES:
        raise damaged()
    return SecretBytes(bytearray.fromhex(value))


def damaged() -> StoreDamaged:
    """The store's small files do not hold."""
    return StoreDamaged(
        _("The key file of this store is damaged."),
        _("Nothing was changed. Connect and run: fieldkeep sync"),
    )


def _sound(header: Header) -> bool:
    return (
        header.v in (1, VERSION)
        and (header.v == VERSION) == (header.reset is not msgspec.UNSET)
        and header.share
        and 0 < header.epoch < EPOCH_END
        and _hex_of(header.salt, _SALT_BYTES)
        and _hex_of(header.nonce, _NONCE_BYTES)
        and _hex_of(header.wrapped, _WRAPPED_BYTES)
        and _hex_of(header.kcv, 32)
        and (header.pin is None or (header.pin.sound() and _hex_of(header.pin.salt, 16)))
        and (
            header.reset is msgspec.UNSET
            or (
                header.pin is not None
                and _hex_of(header.reset.nonce, _NONCE_BYTES)
                and _hex_of(header.reset.wrapped, _WRAPPED_BYTES)
            )
        )
    )


def _hex_of(text: str, length: int) -> bool:
    return len(text) == 2 * length and _HEX.fullmatch(text) is not None


def _about(header: Header, purpose: bytes) -> bytes:
    """What a key is for, and of which store; ids hold no NUL, so it cannot be read two ways."""
    parts = (
        b"fieldkeep/" + purpose + b"/v1",
        header.org.encode(),
        header.device.encode(),
        b"%d" % header.epoch,
    )
    return b"\0".join(parts)


def _kek(header: Header, ring: SecretBytes, share: SecretBytes, pin: SecretBytes | None) -> SecretBytes:
    third = (
        from_pin(pin, header.pin)
        if pin is not None and header.pin is not None
        else SecretBytes(bytes(KEY_BYTES))
    )
    with third:
        return for_purpose(ring, share, third, info=_about(header, b"kek"), salt=bytes.fromhex(header.salt))


def _reset_kek(header: Header, ring: SecretBytes, share: SecretBytes, reset: SecretBytes) -> SecretBytes:
    return for_purpose(ring, share, reset, info=_about(header, b"reset-kek"), salt=bytes.fromhex(header.salt))


def _wrapped(kek: SecretBytes, header: Header, nonce: str, purpose: bytes, data_key: SecretBytes) -> str:
    made = bytearray(_WRAPPED_BYTES)
    AESGCM(kek.view).encrypt_into(bytes.fromhex(nonce), data_key.view, _about(header, purpose), made)
    return made.hex()


def _unwrapped(kek: SecretBytes, header: Header, nonce: str, wrapped: str, purpose: bytes) -> SecretBytes:
    made = bytearray(KEY_BYTES)
    try:
        AESGCM(kek.view).decrypt_into(
            bytes.fromhex(nonce), bytes.fromhex(wrapped), _about(header, purpose), made
        )
    except InvalidTag:
        raise WrongKey from None
    return SecretBytes(made)


def _check_value(header: Header, ring: SecretBytes, share: SecretBytes) -> str:
    bare = msgspec.structs.replace(header, kcv="")
    with for_purpose(ring, share, info=_about(header, b"kcv"), salt=bytes.fromhex(header.salt)) as key:
        return mac(key, bare.to_bytes())
