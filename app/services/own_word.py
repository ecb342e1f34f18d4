"""A device's own signature over the intent of its wipe, for its stone: what a backup brings back is known by it.

The ring key vouches for the intent as well, but a keyring of before a change of keys holds another one. The signing key
is the device's for good, and goes last: whoever brings back the keyring of any day brings it back, too.
"""

from __future__ import annotations

import contextlib
from typing import Final

from cryptography.exceptions import InvalidSignature

from app.errors import KeyMissing, KeyringUnreachable
from app.keys import device
from app.keys.ring import Keyring

_STONE: Final = b"fieldkeep-stone/v1\n"


def over(ring: Keyring, intent: bytes) -> str:
    """The signature, hex; "" while the key cannot be had."""
    with contextlib.suppress(KeyMissing, KeyringUnreachable):
        return device.load_signing(ring).sign(_STONE + intent).hex()
    return ""


def holds(ring: Keyring, intent: bytes, said: str) -> bool:
    """Whether the device whose keys lie in this keyring has signed this intent. Raises KeyringUnreachable."""
    try:
        device.load_signing(ring).public_key().verify(bytes.fromhex(said), _STONE + intent)
    except (KeyMissing, InvalidSignature, ValueError):
        return False
    return True
