"""The sealed outbox as bytes: unsent ops that only the recovery key opens, in frames that a torn end cannot spoil.

    file    = frame*
    frame   = u32 big-endian length, HPKE seal of msgpack {device, incarnation, ops}

A frame is written before its ops are committed, so the file may hold more than the outbox and never less. Under one
number there may be several ops: an act that a crash cut off, a copy of the device. Each of them counts.
"""

from __future__ import annotations

import hashlib
import heapq
import struct
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import IO, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.protocol import sealing
from sync.protocol.codec import pack
from sync.protocol.documents import SealedOutbox
from sync.protocol.errors import BadFrames
from sync.protocol.ops import Op, print_of
from sync.protocol.texts import gettext as _

FRAME_MAX: Final = 32 * 2**20  # sealed bytes of one frame
PART_MAX: Final = 4 * 2**20  # plain bytes after which a frame is closed and the next begun
LENGTH: Final = struct.Struct(">I")
SEAL_LEAST: Final = 49  # sealed bytes of anything
OP_AT_MOST: Final = (
    2**20
)  # no device makes a larger op, and none could send it: twice a row, and room to spare
WRITTEN_AT_MOST: Final = PART_MAX + OP_AT_MOST  # sealed bytes of a record that a device wrote
NUMBER_END: Final = 2**53  # no op is numbered as high as this
_PIECE: Final = 2**20
_END: Final = -1

Source = tuple[bytes, bytes, int]  # device, incarnation, which file: each copy of a device writes its own


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one frame holds: ops of one device and incarnation, in order.

    In a packet of recovered work each op says where it comes from, so `incarnation` is empty; `outboxes` are the
    digests (sha256, hex) of what was opened, where the work goes back to the device that handed it in.
    """

    device: bytes
    incarnation: bytes
    ops: list[Op]
    outboxes: list[str] = []


def seal_ops(
    recovery: bytes,
    device: bytes,
    incarnation: bytes,
    ops: Sequence[Op],
    packed: Sequence[bytes] | None = None,
) -> list[tuple[list[Op], bytes]]:
    """The frames of these ops, lengths included, each with what it holds: one, or several when they are many.

    `recovery` is the raw public recovery key; `packed` are the ops as `pack` makes them, for whoever has them already.
    Raises ValueError when it is not a usable key.
    """
    parts: list[tuple[list[Op], list[msgspec.Raw]]] = []
    size = PART_MAX
    for op, data in zip(ops, map(pack, ops) if packed is None else packed, strict=True):
        if size + len(data) > PART_MAX:
            parts.append(([], []))
            size = 0
        parts[-1][0].append(op)
        parts[-1][1].append(msgspec.Raw(data))
        size += len(data)
    return [(part, _frame(recovery, device, incarnation, bare)) for part, bare in parts]


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
        part = msgspec.msgpack.decode(plain, type=Part)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise _no_ops() from None
    if not all(0 < op.n < NUMBER_END for op in part.ops):
        raise _no_ops()
    return part


def open_record(sealed: bytes, private: X25519PrivateKey) -> Part:
    """What a sealed record holds. Raises KnownError when it is not sealed to this key, BadFrames."""
    return read_part(sealing.unseal(private, sealing.OUTBOX, sealed))


class Index:
    """In which records the ops of each device, incarnation and file begin; few bytes a record, whatever they hold.

    Records are mostly in the order of their ops, and are read in that order then. Where they are not (work that was
    sealed again stands behind newer work), those that overlap are held together until their numbers have passed.
    """

    def __init__(self) -> None:
        self._found: dict[Source, tuple[array[int], array[int]]] = {}  # lowest numbers, places

    def note(self, file: int, place: int, part: Part) -> None:
        """This part stands at `place` in that file; of two places the higher one was written later."""
        if part.ops:
            source = (part.device, part.incarnation, file)
            firsts, places = self._found.setdefault(source, (array("Q"), array("Q")))
            firsts.append(min(op.n for op in part.ops))
            places.append(place)

    def sources(self) -> list[Source]:
        """Every (device, incarnation, file), as they came."""
        return list(self._found)

    def in_order(self, source: Source, load: Callable[[int], Part]) -> Iterator[Op]:
        """The ops of one source by number, each once. `load` gives the part of a place again."""
        firsts, places = self._found[source]
        by_number: Sequence[int] = range(len(firsts))
        if any(firsts[at] > firsts[at + 1] for at in range(len(firsts) - 1)):
            by_number = sorted(by_number, key=firsts.__getitem__)
        held: list[tuple[int, int, int, Op]] = []
        number, told = 0, set[bytes]()  # what was given under the present number
        for at in chain(by_number, (_END,)):
            begins = firsts[at] if at != _END else NUMBER_END
            while held and held[0][0] < begins:
                op = heapq.heappop(held)[-1]
                if op.n != number:
                    number, told = op.n, set()
                if (print_ := print_of(op)) not in told:
                    told.add(print_)
                    yield op
            if at != _END:
                for stands, op in enumerate(load(places[at]).ops):
                    heapq.heappush(held, (op.n, places[at], stands, op))


class Measure:
    """What a sealed outbox comes to, fed in pieces of any size: nothing of it is kept."""

    def __init__(self) -> None:
        self._length = 0
        self._digest = hashlib.sha256()
        self._records = 0
        self._head = b""  # the bytes of a record's length, as far as they have come
        self._left = 0  # bytes of the record under way that are still to come
        self._torn = False

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        self._length += len(data)
        self._digest.update(data)
        at = 0
        while at < len(data) and not self._torn:
            if self._left:
                taken = min(self._left, len(data) - at)
                self._left -= taken
                self._records += self._left == 0
            else:
                taken = min(LENGTH.size - len(self._head), len(data) - at)
                self._head += data[at : at + taken]
                if len(self._head) == LENGTH.size:
                    (self._left,) = LENGTH.unpack(self._head)
                    self._torn = not 0 < self._left <= FRAME_MAX
                    self._head = b""
            at += taken

    def stated(self) -> SealedOutbox:
        """Length, digest and count of what was fed; the count is that of `split`."""
        return SealedOutbox(length=self._length, sha256=self._digest.hexdigest(), records=self._records)


def measured(file: IO[bytes]) -> SealedOutbox:
    """What a file comes to, from its beginning."""
    measure = Measure()
    file.seek(0)
    while piece := file.read(_PIECE):
        measure.feed(piece)
    return measure.stated()


def _frame(recovery: bytes, device: bytes, incarnation: bytes, ops: list[msgspec.Raw]) -> bytes:
    # A Part whose ops are packed already: the same bytes.
    part = {"device": device, "incarnation": incarnation, "ops": ops}
    sealed = sealing.seal(recovery, sealing.OUTBOX, pack(part))
    return LENGTH.pack(len(sealed)) + sealed


def _no_ops() -> BadFrames:
    return BadFrames(
        _("A record of the sealed outbox does not hold ops."),
        _("Recover with the version of Fieldkeep that the device had, or a newer one."),
    )
