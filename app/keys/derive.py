"""Keys made from keys: HKDF-SHA256 for purposes, Argon2id for a PIN, HMAC-SHA256 over files.

Keys come in buffers that can be wiped, and none passes through an immutable value.
"""

from __future__ import annotations

from typing import Final

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.keys.secret import SecretBytes

KEY_BYTES: Final = 32
MEMORY_MAX_KIB: Final = 1_048_576
TIME_MAX: Final = 64
LANES_MAX: Final = 64
ARGON2ID: Final = "argon2id"


class PinCost(msgspec.Struct, frozen=True, kw_only=True):
    """How a PIN is stretched: 148 ms on two cores with these figures. `m` is in KiB, `salt` in hex."""

    alg: str = ARGON2ID
    salt: str
    m: int = 65_536
    t: int = 3
    p: int = 4

    def sound(self) -> bool:
        """Whether the figures are ones that we would ever have written."""
        return (
            self.alg == ARGON2ID
            and len(self.salt) == 32
            and 8 * self.p <= self.m <= MEMORY_MAX_KIB
            and 0 < self.t <= TIME_MAX
            and 0 < self.p <= LANES_MAX
        )


def for_purpose(*parts: SecretBytes, info: bytes, salt: bytes | None = None) -> SecretBytes:
    """32 bytes for one purpose, from one key of 32 bytes or from several, joined in this order."""
    joined = bytearray(KEY_BYTES * len(parts))
    made = bytearray(KEY_BYTES)
    with SecretBytes(joined):
        for at, part in enumerate(parts):
            if len(part) != KEY_BYTES:  # parts of other lengths could be split in two ways
                raise ValueError("keys have 32 bytes")
            joined[at * KEY_BYTES : (at + 1) * KEY_BYTES] = part.view
        HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=info).derive_into(joined, made)
    return SecretBytes(made)


def mac(key: SecretBytes, message: bytes) -> str:
    """HMAC-SHA256, hex."""
    made = HMAC(key.view, SHA256())
    made.update(message)
    return made.finalize().hex()


def from_pin(pin: SecretBytes, cost: PinCost) -> SecretBytes:
    """32 bytes from a PIN or passphrase. Raises ValueError for a cost that is not sound."""
    if not cost.sound():
        raise ValueError("these Argon2id parameters are not ours")
    made = bytearray(KEY_BYTES)
    stretch = Argon2id(
        salt=bytes.fromhex(cost.salt), length=KEY_BYTES, iterations=cost.t, lanes=cost.p, memory_cost=cost.m
    )
    stretch.derive_into(pin.view, made)  # type: ignore[arg-type] # it takes any buffer; its types say bytes
    _overwrite(len(pin), cost)
    return SecretBytes(made)


def _overwrite(length: int, cost: PinCost) -> None:
    """OpenSSL hands its parameters on in memory that it frees as it is, the PIN in it: the same memory is taken for
    the next ones of that size. So nothing is asked for once more, at next to no cost. A test looks for what is left.
    """
    for _time in range(2):
        again = Argon2id(
            salt=bytes.fromhex(cost.salt), length=KEY_BYTES, iterations=1, lanes=1, memory_cost=8
        )
        again.derive_into(bytes(length), bytearray(KEY_BYTES))
