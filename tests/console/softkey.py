"""A security key in software, behind the very port of python-fido2 that a real one stands behind: CTAP2 in CBOR.

It knows what our command asks: its own description, making a credential, signing. It verifies its person by itself, as
a key with a fingerprint does, or by a PIN over the first PIN protocol. No hardware was tried.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any, Final, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from fido2 import cbor
from fido2.ctap import STATUS, CtapDevice, CtapError
from fido2.hid import CAPABILITY, CTAPHID

_MAKE, _GET, _INFO, _PIN = 0x01, 0x02, 0x04, 0x06
_AGREEMENT, _TOKEN = 0x02, 0x05
_UP, _UV, _BE, _BS, _AT = 0x01, 0x04, 0x08, 0x10, 0x40
_AAGUID: Final = bytes(16)


class SoftSecurityKey(CtapDevice):
    """One key; `touched` says whether somebody touches it, `flags` are those that it claims."""

    def __init__(
        self, *, eddsa: bool = False, touched: bool = True, flags: int = _UP | _UV, pin: str = ""
    ) -> None:
        self.pin = pin
        self.wrong = 0
        self._token = secrets.token_bytes(32)
        self._agreement = ec.generate_private_key(ec.SECP256R1())
        self.eddsa = eddsa
        self.touched = touched
        self.flags = flags
        self.keys: dict[bytes, Any] = {}
        self.asked: list[dict[int, Any]] = []
        self.counter = 0

    @property
    def capabilities(self) -> int:
        """CBOR alone."""
        return int(CAPABILITY.CBOR)

    @classmethod
    def list_devices(cls) -> Iterator[CtapDevice]:
        """None is plugged in by itself."""
        return iter(())

    def call(
        self, cmd: int, data: bytes = b"", event: Event | None = None,
        on_keepalive: Callable[[STATUS], None] | None = None,
    ) -> bytes:  # fmt: skip
        """One command of CTAP2."""
        assert cmd == CTAPHID.CBOR
        asked = cast("dict[int, Any]", cbor.decode(data[1:])) if len(data) > 1 else {}
        if data[0] == _INFO:
            return b"\0" + cbor.encode(self._info())
        if data[0] == _PIN:
            return self._pin_asked(asked)
        quiet = asked.get(5, {}).get("up") is False  # asked whether it has one of these, touched by nobody
        if on_keepalive is not None and not quiet:
            on_keepalive(STATUS.UPNEEDED)
        if not self.touched and not quiet:
            return bytes([CtapError.ERR.USER_ACTION_TIMEOUT])
        if not quiet:
            self.asked.append(asked)
        return self._made(asked) if data[0] == _MAKE else self._signed(asked)

    def _info(self) -> dict[int, Any]:
        kinds = [{"alg": -8 if self.eddsa else -7, "type": "public-key"}]
        verified = {"clientPin": True} if self.pin else {"uv": True}
        return {
            1: ["FIDO_2_0"],
            3: _AAGUID,
            4: {"rk": False, "up": True, **verified},
            5: 2048,
            6: [1],
            10: kinds,
        }

    def _pin_asked(self, asked: dict[int, Any]) -> bytes:
        """The first PIN protocol: a key that both draw, and the token for who knows the PIN."""
        if asked[2] == _AGREEMENT:
            at = self._agreement.public_key().public_numbers()
            cose = {1: 2, 3: -25, -1: 1, -2: at.x.to_bytes(32, "big"), -3: at.y.to_bytes(32, "big")}
            return b"\0" + cbor.encode({1: cose})
        assert asked[2] == _TOKEN
        x, y = (int.from_bytes(asked[3][each], "big") for each in (-2, -3))
        other = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        shared = hashlib.sha256(self._agreement.exchange(ec.ECDH(), other)).digest()
        cipher = Cipher(algorithms.AES(shared), modes.CBC(bytes(16)))
        opener, sealer = cipher.decryptor(), cipher.encryptor()
        told = opener.update(asked[6]) + opener.finalize()
        if told != hashlib.sha256(self.pin.encode()).digest()[:16]:
            self.wrong += 1
            return bytes([CtapError.ERR.PIN_INVALID])
        return b"\0" + cbor.encode({2: sealer.update(self._token) + sealer.finalize()})

    def _knows_pin(self, digest: bytes, auth: bytes) -> bool:
        return not self.pin or auth == hmac.digest(self._token, digest, "sha256")[:16]

    def _made(self, asked: dict[int, Any]) -> bytes:
        if not self._knows_pin(asked[1], asked.get(8, b"")):
            return bytes([CtapError.ERR.PIN_AUTH_INVALID])
        wanted = [each["alg"] for each in asked[4]]
        if (-8 if self.eddsa else -7) not in wanted:
            return bytes([CtapError.ERR.UNSUPPORTED_ALGORITHM])
        id_ = secrets.token_bytes(32)
        key: Any = Ed25519PrivateKey.generate() if self.eddsa else ec.generate_private_key(ec.SECP256R1())
        self.keys[id_] = key
        if self.eddsa:
            cose = {1: 1, 3: -8, -1: 6, -2: key.public_key().public_bytes_raw()}
        else:
            at = key.public_key().public_numbers()
            cose = {1: 2, 3: -7, -1: 1, -2: at.x.to_bytes(32, "big"), -3: at.y.to_bytes(32, "big")}
        head = hashlib.sha256(asked[2]["id"].encode()).digest() + bytes([self.flags | _AT]) + bytes(4)
        data = head + _AAGUID + len(id_).to_bytes(2, "big") + id_ + cbor.encode(cose)
        return b"\0" + cbor.encode({1: "none", 2: data, 3: {}})

    def _signed(self, asked: dict[int, Any]) -> bytes:
        if not self._knows_pin(asked[2], asked.get(6, b"")):
            return bytes([CtapError.ERR.PIN_AUTH_INVALID])
        known = [each["id"] for each in asked.get(3, []) if each["id"] in self.keys]
        if not known:
            return bytes([CtapError.ERR.NO_CREDENTIALS])
        self.counter += 1
        head = hashlib.sha256(asked[1].encode()).digest() + bytes([self.flags])
        data = head + self.counter.to_bytes(4, "big")
        key = self.keys[known[0]]
        told = data + asked[2]
        sig = key.sign(told) if self.eddsa else key.sign(told, ec.ECDSA(hashes.SHA256()))
        return b"\0" + cbor.encode({1: {"id": known[0], "type": "public-key"}, 2: data, 3: sig})
