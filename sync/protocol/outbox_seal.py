"""The sealed outbox as bytes: unsent ops that only the recovery key opens, in frames that a torn end cannot spoil.

    file    = frame*
    frame   = u32 big-endian length, HPKE seal of msgpack {device, incarnation, ops}

A frame is written before its ops are committed, so the file may hold more than the outbox and never less. Of an
op number that stands in several frames, the last one counts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.protocol import sealing
from sync.protocol.codec import pack
from sync.protocol.errors import BadFrames
from sync.protocol.ops import Op
from sync.protocol.texts import gettext as _

FRAME_MAX: Final = 32 * 2**20  # sealed bytes of one frame
PART_MAX: Final = 4 * 2**20  # plain bytes after which a frame is closed and the next begun
LENGTH: Final = struct.Struct(">I")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one frame holds: ops of one device and incarnation, in order."""

    device: bytes
    incarnation: bytes
    ops: list[Op]


def seal_ops(
    recovery: bytes, device: bytes, incarnation: bytes, ops: Sequence[Op]
) -> list[tuple[list[Op], bytes]]:
    """The frames of these ops, lengths included, each with what it holds: one, or several when they are many.

    `recovery` is the raw public recovery key. Raises ValueError when it is not a usable key.
    """
    parts: list[list[Op]] = []
    size = PART_MAX
    for op in ops:
        length = len(pack(op))
        if size + length > PART_MAX:
            parts.append([])
            size = 0
        parts[-1].append(op)
        size += length
    return [(part, _frame(recovery, device, incarnation, part)) for part in parts]


def split(file: IO[bytes]) -> Iterator[bytes]:
    """The sealed records of a file, without their lengths; ends quietly at a torn tail."""
    while True:
        head = file.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return
        (length,) = LENGTH.unpack(head)
        if not 0 < length <= FRAME_MAX:
            return
        sealed = file.read(length)
        if len(sealed) < length:
            return
        yield sealed


def read_part(plain: bytes) -> Part:
    """What an opened record, or an opened packet of recovered work, holds. Raises BadFrames."""
    try:
        return msgspec.msgpack.decode(plain, type=Part)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise BadFrames(
            _("A record of the sealed outbox does not hold ops."),
            _("Recover with the version of Fieldkeep that the device had, or a newer one."),
        ) from None


def open_records(sealed: Iterable[bytes], private: X25519PrivateKey) -> dict[tuple[bytes, bytes], list[Op]]:
    """The ops of sealed records by (device, incarnation), in order of their numbers, the last record per number.

    Raises KnownError when a record is not sealed to this key, BadFrames when it does not hold ops.
    """
    found: dict[tuple[bytes, bytes], dict[int, Op]] = {}
    for record in sealed:
        part = read_part(sealing.unseal(private, sealing.OUTBOX, record))
        ops = found.setdefault((part.device, part.incarnation), {})
        ops.update((op.n, op) for op in part.ops)
    return {source: [ops[n] for n in sorted(ops)] for source, ops in found.items()}


def _frame(recovery: bytes, device: bytes, incarnation: bytes, ops: list[Op]) -> bytes:
    sealed = sealing.seal(
        recovery, sealing.OUTBOX, pack(Part(device=device, incarnation=incarnation, ops=ops))
    )
    return LENGTH.pack(len(sealed)) + sealed
