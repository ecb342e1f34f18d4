"""The keys of a device turned: another ring key and share under the next epoch, and under names of their own.

    T1  the keyring says that keys of the next epoch may exist
    T2  ring key and share of that epoch are in the keyring, each read back
    T3  `store.hdr.next`: the data key wrapped under both, with the PIN in force
        … the server holds the share, and says so …
    T4  the guarded state carries a mac by either ring key (state.py)
    T5  `store.hdr.next` takes the place of `store.hdr`, at once
    T6  the guarded state carries the mac of the new ring key alone
    T7  the keys of every epoch before are gone from the keyring

Up to T5 the old keys open the store, from then on the new ones; no name is ever written twice. Each step may be
repeated, and until T5 all of it given up. From T7 on, no header of before opens anything.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from app.errors import AppError, KeyringUnreachable, Locked, not_written
from app.keys import epochs, vault
from app.keys import header as headers
from app.keys.header import Header
from app.keys.ring import Keyring, ring_name, share_name
from app.keys.secret import SecretBytes
from app.paths import Profile, remove, sync_folder, write_whole
from sync.protocol.texts import gettext as _

Step = Callable[[str], None]


class Coming(msgspec.Struct, frozen=True):
    """Keys that are ready to take the place of those in force."""

    epoch: int
    share: bytes  # as the keyring holds it


def no_step(name: str) -> None:
    """Called after each step; tests kill the process here."""


def prepare(
    profile: Profile,
    ring: Keyring,
    data_key: SecretBytes,
    pin: SecretBytes | None = None,
    step: Step = no_step,
) -> SecretBytes | None:
    """T1 to T3; what is there already is taken as it is. Gives the reset key that the server is to hold behind the
    share, where there is a PIN.

    Raises Locked where the PIN in force is not given, or the share is not here; Wiped, and as `vault.open_key` does.
    """
    with vault.turn:
        vault.refuse_wiped(profile)
        found = headers.read(profile)
        vault.refuse_stone(profile, found)
        if (found.pin is None) != (pin is None):
            raise Locked(_("This store asks for your PIN."), _("Enter the PIN."))
        _refuse_unless_whole(ring, found)
        epoch = found.epoch + 1
        if epochs.read(ring) < epoch:
            epochs.note(ring, epoch)
        step("T1")
        reset = SecretBytes.random(vault.KEY_BYTES) if pin is not None else None
        with (
            _there_or_made(ring, ring_name(epoch), step) as ring_key,
            _there_or_made(ring, share_name(epoch), step) as share,
        ):
            made = headers.wrap(
                data_key,
                ring_key,
                share,
                org=found.org,
                device=found.device,
                epoch=epoch,
                pin=pin,
                reset=reset,
            )
        try:
            write_whole(profile.header_next, made.to_bytes())
        except OSError as error:
            raise not_written(error) from None
        step("T3")
        return reset


def coming(profile: Profile, ring: Keyring) -> Coming | None:
    """The keys that T1 to T3 have made, whole and after those in force; None where there are none, or not all of them.

    Raises KeyringUnreachable, and as reading the header does.
    """
    with vault.turn:
        found, following = headers.read(profile), _next(profile)
        if following is None or not _follows(found, following):
            return None
        keys = [ring.get(make_name(following.epoch)) for make_name in (ring_name, share_name)]
        if keys[0] is None or keys[1] is None:
            return None
        with headers.key_from(keys[0]) as ring_key, headers.key_from(keys[1]) as share:
            fits = headers.fits(following, ring_key, share)
            return Coming(following.epoch, bytes(share.view)) if fits else None


def switch(profile: Profile, ring: Keyring, step: Step = no_step) -> None:
    """T5. Raises OSError when it is not known to be durable: the state then goes on carrying both macs.

    Raises StoreDamaged when the next header and its keys are not there, Wiped.
    """
    with vault.turn:
        vault.refuse_wiped(profile)
        if coming(profile, ring) is None:
            raise headers.damaged()
        profile.header_next.replace(profile.header)
        sync_folder(profile.folder)
        step("T5")


def give_up(profile: Profile, ring: Keyring) -> None:
    """Leave the keys in force as they are; the next header goes, then its keys. Raises KeyringUnreachable, AppError."""
    with vault.turn:
        epoch = headers.read(profile).epoch + 1
        try:
            remove(profile.header_next)
        except OSError as error:
            raise not_written(error) from None
        for make_name in (ring_name, share_name):
            ring.delete(make_name(epoch))


def forget_before(profile: Profile, ring: Keyring, epoch: int, step: Step = no_step) -> bool:
    """T7: delete the keys of every epoch before this one; True when none is left. Raises KeyringUnreachable."""
    with vault.turn:
        before = [each for each in epochs.known(profile, ring, [epoch]) if each < epoch]
        gone = []
        for name in (make_name(each) for make_name in (ring_name, share_name) for each in before):
            gone.append(ring.delete(name))
            step("T7")
        return all(gone)


def share_of(ring: Keyring, epoch: int) -> bytes | None:
    """The share of an epoch as the keyring holds it. Raises KeyringUnreachable."""
    value = ring.get(share_name(epoch))
    return None if value is None else bytes.fromhex(value)


def _refuse_unless_whole(ring: Keyring, found: Header) -> None:
    """Keys are turned only where those in force open this header. Raises KeyMissing, Locked, StoreDamaged."""
    with vault.ring_key_of(ring, found) as ring_key:
        value = ring.get(share_name(found.epoch))
        if value is None:
            raise vault.by_order()
        with headers.key_from(value) as share:
            if not headers.fits(found, ring_key, share):
                raise headers.damaged()


def _there_or_made(ring: Keyring, name: str, step: Step) -> SecretBytes:
    value = ring.get(name)
    if value is not None:  # of a rotation that was cut short: no name is written twice
        return headers.key_from(value)
    made = SecretBytes.random(vault.KEY_BYTES)
    try:
        vault.keep(ring, name, made)
    except KeyringUnreachable:
        made.wipe()
        raise
    step("T2")
    return made


def _next(profile: Profile) -> Header | None:
    try:
        return headers.read_at(profile.header_next)
    except AppError:
        return None


def _follows(found: Header, following: Header) -> bool:
    return (
        (following.org, following.device, following.epoch) == (found.org, found.device, found.epoch + 1)
    ) and (following.pin is None) == (found.pin is None)
