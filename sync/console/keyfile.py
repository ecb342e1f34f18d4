"""Key files: private keys that stay with people, as small JSON files, protected by a passphrase where there is one.

    {"type", "v", "purpose", "alg", "admin_id", "public", "protection", "nonce", "secret"}

With a passphrase the secret is AES-256-GCM under Argon2id, and everything else in the file is authenticated.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

ED25519: Final = "ed25519"
X25519: Final = "x25519"
P256: Final = "p256"

PASSPHRASE_MIN: Final = 8
_FILE_MAX: Final = 16 * 2**10
_MEMORY_KIB: Final = 64 * 2**10
_ROUNDS: Final = 3
_LANES: Final = 4
# What a file may ask of this machine, whoever wrote it.
_MEMORY_MAX: Final = 1024 * 2**10
_ROUNDS_MAX: Final = 20

PrivateKey = Ed25519PrivateKey | X25519PrivateKey | ec.EllipticCurvePrivateKey


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """How the passphrase becomes a key: Argon2id with salt, memory in KiB, rounds and lanes."""

    alg: str = "argon2id"
    salt: bytes
    m: int = _MEMORY_KIB
    t: int = _ROUNDS
    p: int = _LANES


class KeyFile(msgspec.Struct, frozen=True, kw_only=True):
    """A key file as it is written; `secret` is the key itself or, with `protection`, its sealed form."""

    type: str = "fieldkeep-key"
    v: int = 1
    purpose: str
    alg: str
    admin_id: str = ""
    public: bytes  # SPKI DER
    protection: Protection | None = None
    nonce: bytes = b""
    secret: bytes = b""


@dataclass(frozen=True, slots=True)
class OpenKey:
    """An opened key file."""

    purpose: str
    admin_id: str
    key: PrivateKey = field(repr=False)

    @property
    def signing(self) -> Ed25519PrivateKey:
        """The key for signatures. Raises KnownError when it is not one."""
        if isinstance(self.key, Ed25519PrivateKey):
            return self.key
        raise _unusable(self.purpose)

    @property
    def opening(self) -> X25519PrivateKey:
        """The key that opens what was sealed to it. Raises KnownError when it is not one."""
        if isinstance(self.key, X25519PrivateKey):
            return self.key
        raise _unusable(self.purpose)

    @property
    def authority(self) -> ec.EllipticCurvePrivateKey:
        """The key that signs certificates. Raises KnownError when it is not one."""
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key
        raise _unusable(self.purpose)


def write(purpose: str, key: PrivateKey, *, admin_id: str = "", passphrase: str = "") -> bytes:
    """The bytes of a key file; without a passphrase the key stands in it in clear. Raises KnownError."""
    if passphrase and len(passphrase) < PASSPHRASE_MIN:
        raise KnownError(
            _("The passphrase is too short."), _("Use {n} letters or more.").format(n=PASSPHRASE_MIN)
        )
    alg, secret = _raw(key)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    file = KeyFile(purpose=purpose, alg=alg, admin_id=admin_id, public=public)
    if not passphrase:
        file = msgspec.structs.replace(file, secret=secret)
    else:
        nonce, protection = os.urandom(12), Protection(salt=os.urandom(16))
        file = msgspec.structs.replace(file, protection=protection, nonce=nonce)
        sealed = AESGCM(_derive(protection, passphrase)).encrypt(nonce, secret, _covered(file))
        file = msgspec.structs.replace(file, secret=sealed)
    return msgspec.json.encode(file, order="sorted") + b"\n"


def read(path: Path, passphrase: Callable[[], str]) -> OpenKey:
    """The key in a file; the passphrase is asked for only where the file needs one. Raises KnownError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_FILE_MAX + 1)
    except OSError:
        raise _missing(path.name) from None
    return opened(data, path.name, passphrase)


def opened(data: bytes, name: str, passphrase: Callable[[], str]) -> OpenKey:
    """The key in the bytes of a key file of this name. Raises KnownError."""
    try:
        file = msgspec.json.decode(data[:_FILE_MAX], type=KeyFile)
    except msgspec.MsgspecError:
        raise _missing(name) from None
    if (file.type, file.v) != ("fieldkeep-key", 1):
        raise _unusable(file.purpose)
    secret = file.secret
    if file.protection is not None:
        try:
            key = _derive(file.protection, passphrase())
            secret = AESGCM(key).decrypt(file.nonce, file.secret, _covered(file))
        except (InvalidTag, ValueError):
            raise KnownError(
                _("The passphrase does not open the key file “{name}”.").format(name=name),
                _("Try again; a forgotten passphrase cannot be replaced."),
            ) from None
    found = _key(file.alg, secret)
    if found is None or _raw(found)[0] != file.alg:
        raise _unusable(file.purpose)
    return OpenKey(file.purpose, file.admin_id, found)


def is_protected(path: Path) -> bool:
    """Whether a key file needs a passphrase. Raises KnownError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeyFile).protection is not None
    except (OSError, msgspec.MsgspecError):
        raise _unusable(path.stem) from None


def purpose_of(path: Path) -> str:
    """What a key file says it is for; "" where it is no key file of ours."""
    found = _looked_at(path)
    return found.purpose if found else ""


def admin_of(path: Path) -> str:
    """Whose key a file says it is; "" where it is nobody's or no key file of ours."""
    found = _looked_at(path)
    return found.admin_id if found else ""


def _looked_at(path: Path) -> KeyFile | None:
    try:
        return msgspec.json.decode(path.read_bytes()[:_FILE_MAX], type=KeyFile)
    except (OSError, msgspec.MsgspecError):
        return None


def _raw(key: PrivateKey) -> tuple[str, bytes]:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        plain = serialization.NoEncryption()
        return P256, key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain)
    return (ED25519 if isinstance(key, Ed25519PrivateKey) else X25519), key.private_bytes_raw()


def _key(alg: str, secret: bytes) -> PrivateKey | None:
    try:
        if alg == ED25519:
            return Ed25519PrivateKey.from_private_bytes(secret)
        if alg == X25519:
            return X25519PrivateKey.from_private_bytes(secret)
        found = serialization.load_der_private_key(secret, password=None)
    except (ValueError, TypeError):
        return None
    return found if isinstance(found, ec.EllipticCurvePrivateKey) else None


def _derive(protection: Protection, passphrase: str) -> bytes:
    if protection.m > _MEMORY_MAX or protection.t > _ROUNDS_MAX or not 0 < protection.p <= 16:
        raise ValueError("too costly")
    return Argon2id(
        salt=protection.salt,
        length=32,
        iterations=protection.t,
        lanes=protection.p,
        memory_cost=protection.m,
    ).derive(passphrase.encode())


def _covered(file: KeyFile) -> bytes:
    """Everything beside the secret, so that no part of a protected file can be exchanged."""
    return msgspec.json.encode(msgspec.structs.replace(file, secret=b""), order="sorted")


def _missing(name: str) -> KnownError:
    return KnownError(
        _("The key file “{name}” is missing or damaged.").format(name=name),
        _("Name the folder of the organisation's keys with --keys."),
    )


def _unusable(purpose: str) -> KnownError:
    return KnownError(_("The key file for “{purpose}” cannot be used here.").format(purpose=purpose[:40]))
