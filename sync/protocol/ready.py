"""A ready part: all that a person sees of the server at one moment, as a device would have it, in sealed pieces.

What is inside is the file of a store, of which only devices know the form: pages of its file without what SQLCipher
adds to each, some hundred of them a piece, packed by zstd and sealed by AES-256-GCM. The key is new for each part, so
that the number of a piece may be its nonce. Who makes a part hears pages over a pipe, as a device does in exchanges.
"""

from __future__ import annotations

import struct
from typing import IO, Final, TypeVar

import msgspec
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.protocol.errors import BadFrames
from sync.protocol.merge import Conflict
from sync.protocol.messages import Change, Cursor
from sync.protocol.texts import gettext as _

KEY_BYTES: Final = 32
PART_BYTES: Final = 16
LAYOUT_BYTES: Final = 32
PIECE_MAX: Final = 4 * 2**20  # bytes of a piece, sealed; and unpacked
_LABEL: Final = b"fieldkeep-ready/v1\n"
_FRAME: Final = struct.Struct(">I")
_FRAME_MAX: Final = 64 * 2**20

T = TypeVar("T")


class Making(msgspec.Struct, frozen=True):
    """The first word to who makes a part: where the pieces go, and under which id. The key follows as bare bytes."""

    folder: str
    part: bytes


class Fed(msgspec.Struct, frozen=True):
    """A page of what the person sees; the last one says that there is no more."""

    cursor: Cursor
    more: bool
    changes: list[Change]
    conflicts: list[Conflict]


class Made(msgspec.Struct, frozen=True):
    """What came of it: the layout of the store in it, its rows, and how long each sealed piece is."""

    layout: bytes
    rows: int
    lengths: list[int]


def seal_piece(key: bytes, part: bytes, number: int, plain: bytes) -> bytes:
    """One piece, packed and sealed."""
    packed = zstandard.ZstdCompressor(level=3).compress(plain)
    return AESGCM(key).encrypt(_nonce(number), packed, _LABEL + part)


def open_piece(key: bytes, part: bytes, number: int, sealed: bytes) -> bytes:
    """What `seal_piece` sealed. Raises BadFrames."""
    try:
        packed = AESGCM(key).decrypt(_nonce(number), sealed, _LABEL + part)
        if not 0 <= zstandard.frame_content_size(packed) <= PIECE_MAX:
            raise _damaged()
        return zstandard.ZstdDecompressor().decompress(packed, allow_extra_data=False)
    except (InvalidTag, zstandard.ZstdError, ValueError):
        raise _damaged() from None


def send(stream: IO[bytes], message: msgspec.Struct) -> None:
    """One message over a pipe. Raises OSError."""
    data = msgspec.msgpack.encode(message)
    stream.write(_FRAME.pack(len(data)) + data)
    stream.flush()


def heard(stream: IO[bytes], type_: type[T]) -> T:
    """The next message of a pipe. Raises BadFrames where there is none."""
    head = stream.read(_FRAME.size)
    length = _FRAME.unpack(head)[0] if len(head) == _FRAME.size else _FRAME_MAX
    data = stream.read(length) if length < _FRAME_MAX else b""
    try:
        return msgspec.msgpack.decode(data, type=type_)
    except msgspec.MsgspecError:
        raise _damaged() from None


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _damaged() -> BadFrames:
    return BadFrames(
        _("A message arrived damaged and was not used."), _("It is asked for again at the next exchange.")
    )
