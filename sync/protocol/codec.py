"""Bytes of a body: msgpack frames with lengths, a count and a hash at the end, in one zstd frame.

    body    = zstd( frame* end ), one zstd frame that states its size
    frame   = u32 big-endian length, msgpack of [tag, value]
    end     = frame ["end", {"count": n, "sha256": over all bytes before the end frame}]

A body without a valid end is refused whole. Unknown tags are left to the reader, which must refuse the page;
unknown fields inside records are carried. All sizes are bounded before anything is allocated for them.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

import msgspec
import zstandard

from sync.protocol.errors import BadFrames
from sync.protocol.texts import gettext as _

BODY_MAX: Final = 16 * 2**20  # compressed
PLAIN_MAX: Final = 64 * 2**20  # decompressed
FRAME_MAX: Final = 8 * 2**20
ROW_MAX: Final = 256 * 2**10  # one record's cells, as msgpack
MEDIA_TYPE: Final = "application/vnd.fieldkeep.frames"

Raw = msgspec.Raw
T = TypeVar("T")

_LENGTH: Final = struct.Struct(">I")
_ENCODER: Final = msgspec.msgpack.Encoder()
_FRAME: Final = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])


class End(msgspec.Struct, frozen=True):
    """The last frame of a body."""

    count: int
    sha256: bytes


def encode(frames: Iterable[tuple[str, Any]]) -> bytes:
    """The body of these (tag, value) frames. Raises BadFrames when one is too large to be read back."""
    plain = io.BytesIO()
    count = 0
    for tag, value in frames:
        count += 1
        frame = _ENCODER.encode((tag, value))
        if len(frame) > FRAME_MAX:
            raise BadFrames(_("A message is too large to be sent."))
        plain.write(_LENGTH.pack(len(frame)))
        plain.write(frame)
    body = plain.getvalue()
    end = _ENCODER.encode(("end", End(count, hashlib.sha256(body).digest())))
    return zstandard.ZstdCompressor(level=3).compress(body + _LENGTH.pack(len(end)) + end)


def decode(body: bytes) -> list[tuple[str, msgspec.Raw]]:
    """The (tag, raw value) frames of a body, its end checked and taken off.

    Raises BadFrames when it is cut, altered, too large, or carries anything behind its end.
    """
    plain = _inflate(body)
    frames: list[tuple[str, msgspec.Raw]] = []
    for start, frame in _split(plain):
        try:
            tag, value = _FRAME.decode(frame)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            raise _bad() from None
        if tag == "end":
            end = read(value, End)
            if end.count != len(frames) or hashlib.sha256(plain[:start]).digest() != end.sha256:
                raise _bad()
            if start + _LENGTH.size + len(frame) != len(plain):
                raise _bad()
            return frames
        frames.append((tag, value))
    raise _bad()


def read(value: msgspec.Raw, type_: type[T]) -> T:
    """One raw value as the struct `type_`; unknown fields are passed over. Raises BadFrames."""
    try:
        return msgspec.msgpack.decode(value, type=type_)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise _bad() from None


def pack(value: Any) -> bytes:
    """One value as msgpack, as it is kept in a store."""
    return _ENCODER.encode(value)


def unpack(data: bytes) -> Any:
    """A value that `pack` made. Raises BadFrames."""
    try:
        return msgspec.msgpack.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise _bad() from None


def _inflate(body: bytes) -> bytes:
    """The plain bytes, never more than PLAIN_MAX of them, whatever the body claims."""
    if len(body) > BODY_MAX:
        raise BadFrames(_("A message is too large."))
    try:
        size = zstandard.frame_content_size(body)
        if size > PLAIN_MAX:
            raise BadFrames(_("A message is too large."))
        if size < 0:
            raise _bad()
        # A frame that holds more than it states fails, and so does a byte behind it.
        return zstandard.ZstdDecompressor().decompress(body, allow_extra_data=False)
    except zstandard.ZstdError:
        raise _bad() from None


def _split(plain: bytes) -> Iterator[tuple[int, bytes]]:
    """(start, bytes) of each frame; stops silently at a cut, which the missing end then tells."""
    at = 0
    while at + _LENGTH.size <= len(plain):
        (length,) = _LENGTH.unpack_from(plain, at)
        if length > FRAME_MAX or at + _LENGTH.size + length > len(plain):
            return
        yield at, plain[at + _LENGTH.size : at + _LENGTH.size + length]
        at += _LENGTH.size + length


def _bad() -> BadFrames:
    return BadFrames(
        _("A message arrived damaged and was not used."), _("It is asked for again at the next exchange.")
    )
