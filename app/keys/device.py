"""The device's own keys: one signs requests and receipts, the other opens what is sealed to this device."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.errors import AppError, KeyMissing, StoreDamaged
from app.keys.ring import DEV, ENC, Keyring
from app.keys.secret import SecretBytes
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _

_KEY_BYTES = 32


class DeviceKeys(Quiet, frozen=True):
    """The private keys of one device; neither is ever shown or written anywhere but to the keyring."""

    sign: Ed25519PrivateKey
    seal: X25519PrivateKey

    def __repr__(self) -> str:
        return "DeviceKeys(<redacted>)"


def make(ring: Keyring) -> DeviceKeys:
    """New keys for a device that has none, kept in the keyring and read back.

    Raises AppError when there are keys already (they are never replaced), KeyringUnreachable.
    """
    if ring.get(DEV) is not None or ring.get(ENC) is not None:
        raise AppError(
            _("This device has keys already; they were not replaced."), _("Enrol it as a new device.")
        )
    for name in (ENC, DEV):  # the signing key last: where it is, both are
        with SecretBytes.random(_KEY_BYTES) as seed:
            ring.set(name, seed.to_hex().decode())
    return load(ring)


def load(ring: Keyring) -> DeviceKeys:
    """This device's keys. Raises KeyMissing (nothing is made in its place), KeyringUnreachable, StoreDamaged."""
    with _seed(ring, DEV) as sign, _seed(ring, ENC) as seal:
        return DeviceKeys(
            Ed25519PrivateKey.from_private_bytes(sign.view), X25519PrivateKey.from_private_bytes(seal.view)
        )


def load_signing(ring: Keyring) -> Ed25519PrivateKey:
    """The signing key alone: all that a wiped device still has. Raises as `load` does."""
    with _seed(ring, DEV) as sign:
        return Ed25519PrivateKey.from_private_bytes(sign.view)


def _seed(ring: Keyring, name: str) -> SecretBytes:
    value = ring.get(name)
    if value is None:
        raise key_missing()
    if len(value) != 2 * _KEY_BYTES:
        raise StoreDamaged(
            _("A key of this device is damaged."), _("Nothing was changed. Ask IT to enrol the device again.")
        )
    return SecretBytes(bytearray.fromhex(value))


def key_missing() -> KeyMissing:
    """The keyring answers, and has no such key."""
    return KeyMissing(
        _("The key of this device is not in the keyring of your system."),
        _("Nothing was changed. Restore your keyring, or ask IT to enrol the device again."),
    )
