"""The bytes of an attached file as they lie on a disk and travel: under a key of its own, in pieces that fit no other.

    blob    = "FKB1", 7 random bytes, piece*
    piece   = AES-256-GCM of at most 64 KiB of the file, 16 bytes longer; the last one is shorter, or says so
    nonce   = the 7 random bytes, u32 big-endian number of the piece, 1 for the last piece or 0

The key is random and used for this one blob. It stands in the record that names the blob, by the SHA-256 of these
bytes: so a server and a disk hold what nobody can read who does not hold the record, and with the record goes the key.
Pieces that were cut off, doubled or exchanged do not open.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from typing import IO, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

KEY_BYTES: Final = 32
PIECE: Final = 64 * 2**10
SIZE_MAX: Final = 100 * 2**20  # bytes of a file that is attached
_MAGIC: Final = b"FKB1"
_PREFIX: Final = 7
_TAG: Final = 16
_HEAD: Final = len(_MAGIC) + _PREFIX
_NONCE: Final = struct.Struct(">IB")
BLOB_MAX: Final = SIZE_MAX + _HEAD + _TAG * (SIZE_MAX // PIECE + 1)  # bytes of a blob


class Readable(Protocol):
    """What gives bytes."""

    def read(self, most: int, /) -> bytes:
        """At most so many; b"" at the end."""


class TooLarge(KnownError):
    """A file is larger than what is attached to a record."""


class BlobDamaged(KnownError):
    """The bytes are not what was attached, or not under this key."""


def seal(source: Readable, target: IO[bytes], key: bytes) -> tuple[bytes, int]:
    """Write the blob of all that `source` has left; its SHA-256, and the size of the file.

    Raises TooLarge, and what reading and writing raise.
    """
    cipher, prefix = AESGCM(key), os.urandom(_PREFIX)
    digest, size, at = hashlib.sha256(), 0, 0
    head = _MAGIC + prefix

    def put(data: bytes) -> None:
        digest.update(data)
        target.write(data)

    put(head)
    piece = _read(source)
    while True:
        after = _read(source) if len(piece) == PIECE else b""
        size += len(piece)
        if size > SIZE_MAX:
            raise TooLarge(
                _("The file is too large to be attached."),
                _("At most {size} MB: make it smaller, or keep it elsewhere and note where.").format(
                    size=SIZE_MAX // 2**20
                ),
            )
        put(cipher.encrypt(_nonce(prefix, at, last=not after), piece, head))
        if not after:
            return digest.digest(), size
        piece, at = after, at + 1


def opened(source: IO[bytes], key: bytes) -> Iterator[bytes]:
    """The file that a blob holds, piece by piece. Raises BlobDamaged: what came before it is of the file, too."""
    head = source.read(_HEAD)
    if len(head) != _HEAD or not head.startswith(_MAGIC):
        raise _damaged()
    cipher, prefix, at = AESGCM(key), head[len(_MAGIC) :], 0
    piece = source.read(PIECE + _TAG)
    while True:
        after = source.read(PIECE + _TAG) if len(piece) == PIECE + _TAG else b""
        try:
            yield cipher.decrypt(_nonce(prefix, at, last=not after), piece, head)
        except (InvalidTag, ValueError):
            raise _damaged() from None
        if not after:
            return
        piece, at = after, at + 1


def blob_size(size: int) -> int:
    """How many bytes the blob of a file of this size has."""
    return _HEAD + size + _TAG * max(1, -(-size // PIECE))


def _read(source: Readable) -> bytes:
    """A whole piece, less only at the end: a pipe may give less at once."""
    piece = bytearray()
    while len(piece) < PIECE and (some := source.read(PIECE - len(piece))):
        piece += some
    return bytes(piece)


def _nonce(prefix: bytes, at: int, *, last: bool) -> bytes:
    return prefix + _NONCE.pack(at, last)


def _damaged() -> BlobDamaged:
    return BlobDamaged(
        _("This attachment is damaged here."), _("Open it again: it is fetched from the server anew.")
    )
