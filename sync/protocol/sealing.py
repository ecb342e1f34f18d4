"""Sealing to a public key (HPKE: X25519, HKDF-SHA256, AES-256-GCM), for work and shares that only one key may open."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)

OUTBOX: Final = b"fieldkeep/outbox/v1"  # one transaction's ops, to the recovery key
SHARE: Final = b"fieldkeep/share/v1"  # a device's share, to the recovery key or back to the device
REFUSED: Final = b"fieldkeep/refused/v1"  # an op that the server did not take, to the recovery key
RECOVERED: Final = b"fieldkeep/recovered/v1"  # recovered ops, to the person's new device


def public_bytes(key: X25519PrivateKey | X25519PublicKey) -> bytes:
    """The raw 32 public bytes of a key."""
    public = key.public_key() if isinstance(key, X25519PrivateKey) else key
    return public.public_bytes_raw()


def seal(public: bytes, purpose: bytes, plain: bytes) -> bytes:
    """`plain` sealed to the raw X25519 key `public`; 48 bytes longer. Raises ValueError on a low-order key."""
    return _SUITE.encrypt(plain, _public_key(public), purpose)


@lru_cache(maxsize=8)
def _public_key(public: bytes) -> X25519PublicKey:
    """An organisation has one recovery key, and every save seals to it."""
    return X25519PublicKey.from_public_bytes(public)


def unseal(private: X25519PrivateKey, purpose: bytes, sealed: bytes) -> bytes:
    """What `seal` sealed. Raises KnownError when the key or the bytes are not the right ones."""
    try:
        return _SUITE.decrypt(sealed, private, purpose)
    except (InvalidTag, ValueError):
        raise KnownError(
            _("This sealed packet cannot be opened with this key."),
            _("Use the key folder of the organisation that sealed it."),
        ) from None
