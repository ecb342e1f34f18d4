"""The enrolment code: server address, digest of the root and a secret for one use, in letters that survive paper.

`FK1-` and groups of base32: version 1, 16 bytes of secret, 32 bytes of root digest, the address, 4 bytes of check.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

SECRET_BYTES: Final = 16
_PREFIX: Final = "FK1"
_GROUP: Final = 5
_CODE_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class EnrolCode:
    """What a code carries; the secret is shown to nobody else."""

    url: str
    root_digest: str  # hex
    secret: bytes

    def __repr__(self) -> str:
        return f"EnrolCode(url={self.url!r}, secret=<redacted>)"


def write(code: EnrolCode) -> str:
    """The code as people pass it on."""
    body = code.secret + bytes.fromhex(code.root_digest) + code.url.encode()
    letters = _letters(body + hashlib.sha256(body).digest()[:4])
    groups = [letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP)]
    return "-".join([_PREFIX, *groups])


def read(text: str) -> EnrolCode:
    """The parts of a code, however it was spaced. Raises KnownError when it is not one."""
    bare = "".join(text.split()).replace("-", "").upper()
    if not bare.startswith(_PREFIX) or len(bare) > _CODE_MAX:
        raise _not_a_code()
    letters = bare[len(_PREFIX) :]
    try:
        data = base64.b32decode(letters + "=" * (-len(letters) % 8))
        body, check = data[:-4], data[-4:]
        url = body[SECRET_BYTES + 32 :].decode()
        parts = urlsplit(url)
    except ValueError:  # letters outside base32, bytes that are no text, a text that is no address
        raise _not_a_code() from None
    whole = hashlib.sha256(body).digest()[:4] == check and letters == _letters(data)
    if not whole or parts.scheme != "https" or not parts.hostname:
        raise _not_a_code()
    return EnrolCode(url, body[SECRET_BYTES : SECRET_BYTES + 32].hex(), body[:SECRET_BYTES])


def _letters(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")


def _not_a_code() -> KnownError:
    return KnownError(
        _("This is not a complete enrolment code."),
        _("Copy the whole code from IT, from FK1 to its last letter."),
    )
