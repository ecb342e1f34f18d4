"""Splits a key file into shares, of which some bring it back and fewer tell nothing, and joins them again.

Shamir's scheme splits a key of 128 random bits (PyCryptodome); that key seals the key file, and the sealed file lies in
every share. A share is a small JSON file: who holds it keeps it as a key file is kept.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from Crypto.Protocol.SecretSharing import Shamir
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

SHARES_MAX: Final = 16
_SECRET_BYTES: Final = 16
_FILE_MAX: Final = 64 * 2**10
_INFO: Final = b"fieldkeep/share/v1"


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One share: number `n` of `of`, any `need` of which open `sealed`; `set` names the split that it is of."""

    type: str = "fieldkeep-share"
    v: int = 1
    set: str
    purpose: str
    n: int
    of: int
    need: int
    share: bytes
    nonce: bytes
    sealed: bytes
    check: str = ""  # the beginning of the SHA-256 of the share, which tells a slip

    def to_bytes(self) -> bytes:
        """The file."""
        return msgspec.json.encode(self, order="sorted") + b"\n"


def split(key_file: bytes, purpose: str, shares: int, need: int) -> list[Share]:
    """A key file as shares. Raises KnownError."""
    if not 2 <= need <= shares <= SHARES_MAX:
        raise KnownError(
            _("A key cannot be split like this."),
            _("At least two shares bring it back, out of {n} at most, as in: --shares 3 --need 2").format(
                n=SHARES_MAX
            ),
        )
    secret, nonce, set_ = os.urandom(_SECRET_BYTES), os.urandom(12), secrets.token_hex(8)
    made = [
        Share(set=set_, purpose=purpose, n=n, of=shares, need=need, share=piece, nonce=nonce, sealed=b"")
        for n, piece in Shamir.split(need, shares, secret)
    ]
    sealed = AESGCM(_key(secret)).encrypt(nonce, key_file, _covered(made[0]))
    return [msgspec.structs.replace(each, sealed=sealed, check=_check(each.n, each.share)) for each in made]


def join(found: Sequence[Share]) -> bytes:
    """The key file that these shares are of. Raises KnownError, and says which share does not fit."""
    by_number = {each.n: each for each in found}
    first = found[0]
    for each in found:
        if (each.set, each.nonce, each.sealed, each.need) != (
            first.set,
            first.nonce,
            first.sealed,
            first.need,
        ):
            raise KnownError(_("These shares are of different keys."), _("Take those of one split."))
        if each.check != _check(each.n, each.share):
            raise KnownError(_("Share {n} is damaged.").format(n=each.n), _("Take another one in its place."))
    if len(by_number) < first.need:
        raise KnownError(
            _("These are too few shares."),
            ngettext(
                "{need} are needed, and {have} is here. Name more of them.",
                "{need} are needed, and {have} are here. Name more of them.",
                len(by_number),
            ).format(need=first.need, have=len(by_number)),
        )
    pieces = [(each.n, each.share) for each in list(by_number.values())[: first.need]]
    try:
        secret = Shamir.combine(pieces)
        return AESGCM(_key(secret)).decrypt(first.nonce, first.sealed, _covered(first))
    except (InvalidTag, ValueError):
        raise KnownError(_("These shares do not open the key."), _("Take others in their place.")) from None


def read(path: Path) -> Share:
    """The share in a file. Raises KnownError."""
    try:
        with path.open("rb") as stream:
            share = msgspec.json.decode(stream.read(_FILE_MAX), type=Share, strict=True)
        if (share.type, share.v) != ("fieldkeep-share", 1) or len(share.share) != _SECRET_BYTES:
            raise ValueError
        if not 2 <= share.need <= share.of <= SHARES_MAX or not 1 <= share.n <= share.of:
            raise ValueError
    except (OSError, msgspec.MsgspecError, ValueError):
        raise KnownError(_("“{name}” holds no share of a key.").format(name=path.name)) from None
    return share


def _key(secret: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_INFO).derive(secret)


def _covered(share: Share) -> bytes:
    """What is vouched for beside the key itself."""
    return msgspec.json.encode([share.set, share.purpose, share.of, share.need])


def _check(n: int, share: bytes) -> str:
    return hashlib.sha256(b"%d:%s" % (n, share)).hexdigest()[:8]
