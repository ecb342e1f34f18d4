"""The data key of a store: made, opened, put out of reach for a lock, and destroyed for a wipe.

    K_ring   keyring `ring.<epoch>`                          gone: the store is wiped
    K_share  keyring `share.<epoch>`, and on the server      gone: the store is locked, and the server can lift it
    PIN      in a head                                       where policy asks for one, or a person wants one
    K_reset  on the server alone, where there is a PIN       in the PIN's place, once IT allows a new one

All of them open the header (header.py), which holds the data key. Nothing here ever makes a key in the place of one
that is missing: absent, unreachable and damaged are three answers, and each leaves every byte as it is.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from app.errors import AppError, KeyMissing, KeyringUnreachable, Locked, StoreDamaged, Wiped, not_written
from app.keys import epochs
from app.keys import header as headers
from app.keys.header import Header
from app.keys.ring import ENC, HIGH_WATER, RESET, Keyring, ring_name, service_name, share_name
from app.keys.secret import SecretBytes, wipe_buffer
from app.paths import Profile, remove, write_whole
from sync.protocol.documents import Destroyed
from sync.protocol.texts import gettext as _

KEY_BYTES: Final = 32
_EPOCHS_TRIED: Final = 64
_STONE_MAX: Final = 64 * 2**10  # bytes

_log = logging.getLogger(__name__)

# A rotation in the engine's thread, a lock or a new PIN in another: of what they make and delete, one at a time.
turn: Final = threading.RLock()


class WrongPin(Locked):
    """Another PIN opens this store."""


class WrongReset(Exception):
    """No reset key of the PIN in force is here: the PIN is asked for."""


def create(
    profile: Profile, ring: Keyring, *, org: str, device: str, pin: SecretBytes | None = None
) -> tuple[SecretBytes, SecretBytes]:
    """A data key for a profile that has no store, and the share that the server is to hold.

    The keyring holds both keys before the header is written. An entry left by a creation that was cut short is not
    replaced: the next epoch is taken. Raises AppError when there is a store, Wiped, KeyringUnreachable, NoSpace.
    """
    service_name(org, device)  # ids that could be read two ways raise ValueError here
    refuse_wiped(profile)
    if profile.header.exists() or profile.store.exists():
        raise AppError(
            _("This folder holds a store already; it was not replaced."), _("Enrol into an empty folder.")
        )
    profile.make()
    epoch = _free_epoch(ring)
    data_key, ring_key, share = (SecretBytes.random(KEY_BYTES) for _each in range(3))
    with ring_key:
        for name, key in ((ring_name(epoch), ring_key), (share_name(epoch), share)):
            keep(ring, name, key)
        made = headers.wrap(data_key, ring_key, share, org=org, device=device, epoch=epoch, pin=pin)
    try:
        write_whole(profile.header, made.to_bytes())
    except OSError as error:
        data_key.wipe()
        share.wipe()
        for name in (ring_name(epoch), share_name(epoch)):
            with contextlib.suppress(KeyringUnreachable):  # they open nothing; a wipe looks for them, too
                ring.delete(name)
        raise not_written(error) from None
    return data_key, share


def open_key(profile: Profile, ring: Keyring, *, pin: SecretBytes | None = None) -> SecretBytes:
    """The data key; changes no byte anywhere.

    Raises Wiped, NotEnrolled, KeyMissing (the ring key is not there), Locked (`by_order` when only the share is not
    there; otherwise a PIN is asked, or this one is wrong), StoreDamaged, NewerStore, KeyringUnreachable.
    A caller who counts wrong PINs writes the count down before it calls.
    """
    refuse_wiped(profile)
    found = headers.read(profile)
    refuse_stone(profile, found)
    with ring_key_of(ring, found) as ring_key:
        value = ring.get(share_name(found.epoch))
        if value is None:
            raise by_order()
        with headers.key_from(value) as share:
            return _opened(found, ring_key, share, pin)


def has_pin(profile: Profile) -> bool:
    """Whether this store asks for a PIN. Raises NotEnrolled, StoreDamaged, NewerStore."""
    return headers.read(profile).pin is not None


def set_pin(
    profile: Profile, ring: Keyring, data_key: SecretBytes, new: SecretBytes | None
) -> SecretBytes | None:
    """Wrap the data key of this store anew with another PIN, or with none; a crash leaves the old header or the new.

    Gives the reset key that the server is to hold, where there is a PIN. A next header (turning.py) goes first: it is
    of another PIN. Raises as `open_key` does, and NoSpace.
    """
    with turn:
        found = headers.read(profile)
        reset = SecretBytes.random(KEY_BYTES) if new is not None else None
        with ring_key_of(ring, found) as ring_key:
            value = ring.get(share_name(found.epoch))
            if value is None:
                raise by_order()
            with headers.key_from(value) as share:
                made = headers.wrap(
                    data_key,
                    ring_key,
                    share,
                    org=found.org,
                    device=found.device,
                    epoch=found.epoch,
                    pin=new,
                    reset=reset,
                )
        try:
            remove(profile.header_next)
            write_whole(profile.header, made.to_bytes())
        except OSError as error:
            raise not_written(error) from None
        return reset


def change_pin(
    profile: Profile, ring: Keyring, *, pin: SecretBytes | None, new: SecretBytes | None
) -> SecretBytes | None:
    """As `set_pin`, for who knows the PIN that is in force. Raises as `open_key` does, and NoSpace."""
    with open_key(profile, ring, pin=pin) as data_key:
        return set_pin(profile, ring, data_key, new)


def open_with_reset(profile: Profile, ring: Keyring) -> SecretBytes:
    """The data key, without the PIN, by the reset key that the keyring holds once IT has allowed a new PIN.

    Raises as `open_key` does; WrongReset when there is none, or it is of a PIN that is in force no longer.
    """
    refuse_wiped(profile)
    found = headers.read(profile)
    refuse_stone(profile, found)
    value, given = ring.get(share_name(found.epoch)), ring.get(RESET)
    if value is None:
        raise by_order()
    if given is None:
        raise WrongReset
    with (
        ring_key_of(ring, found) as ring_key,
        headers.key_from(value) as share,
        headers.key_from(given) as reset,
    ):
        if not headers.fits(found, ring_key, share):
            raise headers.damaged()
        try:
            return headers.unwrap_reset(found, ring_key, share, reset)
        except headers.WrongKey:
            raise WrongReset from None


def keep_reset(ring: Keyring, reset: bytes) -> None:
    """Keep the reset key that the server gave. Raises StoreDamaged, KeyringUnreachable."""
    if len(reset) != KEY_BYTES:
        raise _not_fitting()
    with SecretBytes(reset) as given:
        keep(ring, RESET, given)


def for_server(profile: Profile, ring: Keyring, reset: SecretBytes) -> bytes | None:
    """What the server is to hold of this device: the share and behind it the reset key; None without a share."""
    value = ring.get(share_name(headers.read(profile).epoch))
    return None if value is None else bytes.fromhex(value) + bytes(reset.view)


def drop_share(profile: Profile, ring: Keyring, also: Iterable[int] = ()) -> bool:
    """Take the shares of every epoch away; True when they are verified absent: the store cannot be opened until one is
    back. `also` names epochs that no file may name.

    Only for a share that the server holds (`State.share_ack`), or the lock is a wipe. Raises KeyringUnreachable.
    """
    with turn:
        found = reversed(epochs.known(profile, ring, also))
        gone = [ring.delete(share_name(epoch)) for epoch in found]
        return all(gone)


def restore_share(profile: Profile, ring: Keyring, share: bytes) -> None:
    """Put the share back that the server gave, after checking that it belongs to this header and ring key.

    Raises StoreDamaged when it does not (nothing is changed), Wiped, NotEnrolled, KeyMissing, KeyringUnreachable.
    """
    refuse_wiped(profile)
    found = headers.read(profile)
    refuse_stone(profile, found)
    if len(share) != KEY_BYTES:
        raise _not_fitting()
    with turn, ring_key_of(ring, found) as ring_key, SecretBytes(share) as given:
        if not headers.fits(found, ring_key, given):
            raise _not_fitting()
        keep(ring, share_name(found.epoch), given)


def destroy(profile: Profile, ring: Keyring, vouching: int = 0) -> list[Destroyed]:
    """Delete the ring keys first, then shares, sealing key and high-water numbers; what became of each.

    Of every epoch that header or state name, and of those beside them that the keyring knows; of the ring keys, that of
    the epoch `vouching` last, since it vouches for the intent until then. The device's signing key stays for the
    receipt. Never raises for a keyring that does not answer: that entry is not verified absent, and the call may be
    repeated.
    """
    with turn:
        known = epochs.known(profile, ring, [vouching])
        rings = sorted(known, key=lambda epoch: epoch == vouching)
        names = [*map(ring_name, rings), *map(share_name, known)]
        return [_destroyed(ring, name) for name in (*names, RESET, ENC, HIGH_WATER)]


def shred_header(profile: Profile) -> None:
    """Overwrite, flush and unlink the header, the next one, and those that were being written; absent is well. Raises
    OSError.
    """
    for path in (profile.header, profile.header_next):
        _shred(path)
        _shred(path.with_name(path.name + ".tmp"))


def ring_key_of(ring: Keyring, found: Header) -> SecretBytes:
    """The ring key that a header names. Raises KeyMissing, StoreDamaged, KeyringUnreachable."""
    value = ring.get(ring_name(found.epoch))
    if value is None:
        raise KeyMissing(
            _("The key of this store is not in the keyring of your system."),
            _("Nothing was changed. Restore your keyring, or ask IT: unsent work can be recovered."),
        )
    return headers.key_from(value)


def _opened(found: Header, ring_key: SecretBytes, share: SecretBytes, pin: SecretBytes | None) -> SecretBytes:
    if not headers.fits(found, ring_key, share):
        raise headers.damaged()
    if found.pin is not None and pin is None:
        raise Locked(_("This store asks for your PIN."), _("Enter the PIN."))
    try:
        return headers.unwrap(found, ring_key, share, pin)
    except headers.WrongKey:
        if found.pin is None:
            raise headers.damaged() from None
        raise WrongPin(
            _("This PIN is not right."), _("Try again; after too many tries IT has to unlock.")
        ) from None


def keep(ring: Keyring, name: str, key: SecretBytes) -> None:
    """Keep a key under a name, and read it back. Raises KeyringUnreachable."""
    digits = key.to_hex()
    try:
        ring.set(name, digits.decode("ascii"))
    finally:
        wipe_buffer(digits)


def _free_epoch(ring: Keyring) -> int:
    for epoch in range(1, _EPOCHS_TRIED + 1):
        if ring.get(ring_name(epoch)) is None and ring.get(share_name(epoch)) is None:
            return epoch
    raise AppError(
        _("The keyring of your system holds keys of too many cut-off enrolments."),
        _("Enrol this computer as a new device."),
    )


def _destroyed(ring: Keyring, name: str) -> Destroyed:
    try:
        there = ring.get(name) is not None
    except KeyringUnreachable:
        there = True  # perhaps it gives back rubbish; it is deleted all the same
    try:
        absent = ring.delete(name)
    except KeyringUnreachable:
        absent = False
    if not absent:
        _log.info("a keyring entry could not be verified absent")
    return Destroyed(name=name, destroyed=there and absent, verified_absent=absent)


def _shred(path: Path) -> None:
    try:
        if not stat.S_ISREG(
            path.lstat().st_mode
        ):  # laid there: nothing of ours, and it must not hold up a wipe
            remove(path)
            return
        handle = os.open(path, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(os.urandom(os.fstat(file.fileno()).st_size))
        file.flush()
        os.fsync(file.fileno())
    remove(path)


def refuse_wiped(profile: Profile) -> None:
    """From the first byte of the intent on, nothing opens or takes the place of the store."""
    if profile.wipe_intent.exists() or profile.wipe_receipt.exists():
        raise _wiped()


class _Stone(msgspec.Struct, frozen=True):
    org: str
    device: str


def refuse_stone(profile: Profile, found: Header) -> None:
    """A backup put back beside the tombstone of its own device stays shut; a new enrolment is another device."""
    data = headers.read_bounded(profile.tombstone, _STONE_MAX) or b"{}"
    with contextlib.suppress(msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        stone = msgspec.json.decode(data, type=_Stone)
        if (stone.org, stone.device) == (found.org, found.device):
            raise _wiped()


def _wiped() -> Wiped:
    return Wiped(
        _("This device was wiped by your organisation."),
        _("Ask IT to enrol this device again."),
    )


def by_order() -> Locked:
    """The share is not here."""
    return Locked(
        _("This store is locked by your organisation."),
        _("Your work is safe. Go online to see whether IT has unlocked it, or ask IT."),
        by_order=True,
    )


def _not_fitting() -> StoreDamaged:
    return StoreDamaged(
        _("The key part from the server does not belong to this store."),
        _("Nothing was changed. Ask IT: work that was not sent yet can be recovered."),
    )
