"""Reads what a device has handed in, record by record, past whatever is rotten in it, holding one record at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.protocol import codec, outbox_seal, sealing
from sync.protocol.desk import Outbox, Work
from sync.protocol.errors import BadFrames, KnownError
from sync.protocol.ops import Op
from sync.protocol.texts import gettext as _

_BUFFER: Final = 2**20
_WINDOW: Final = 2**16
_HEAD: Final = outbox_seal.LENGTH.size
_TRIED_MAX: Final = 2**30  # bytes that are tried in search of the next record behind a rotten length
_TRIES_MAX: Final = 100_000


class Kept(Protocol):
    """Where sealed outboxes are read from: the office, or files."""

    def sealed(self, source: str, sha256: str, at: int) -> bytes:
        """A piece of one, from `at` on; b"" behind its end. Raises KnownError."""


class Files:
    """Sealed outboxes as files that came another way than by the server; each is named by its path."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.outboxes = [Outbox(sha256=str(path), length=_size(path)) for path in paths]

    def sealed(self, source: str, sha256: str, at: int) -> bytes:
        """A piece of one of them."""
        try:
            with Path(sha256).open("rb") as file:
                file.seek(at)
                return file.read(_BUFFER)
        except OSError as error:
            raise _not_read(Path(sha256), error) from None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise _not_read(path, error) from None


def _not_read(path: Path, error: OSError) -> KnownError:
    return KnownError(
        _("“{name}” could not be read.").format(name=path.name),
        _("Look at its place and its rights. ({error})").format(error=error.strerror or ""),
    )


class Records:
    """The sealed records of a device, fetched as they are read. Of work that names no device, the first record does.

    The place of a record is where it begins when all outboxes are laid end to end.
    """

    def __init__(self, office: Kept, enrolment: str, work: Work, key: X25519PrivateKey) -> None:
        self._key = key
        self.source = work.source
        self._ends = [each.length for each in work.outboxes]
        self._lengths: dict[int, int] = {}  # of records whose own length is rotten, by place
        self._unread: list[int] = []  # bytes of what could not be read
        self._first: KnownError | None = None
        self._opened = 0
        self._tried = self._tries = 0
        self._begins = list(accumulate(self._ends, initial=0))
        self._files = [
            io.BufferedReader(_Fetched(office, enrolment, each), _BUFFER) for each in work.outboxes
        ]

    def __enter__(self) -> Records:
        return self

    def __exit__(self, *_about: object) -> None:
        for file in self._files:
            file.close()

    def parts(self) -> Iterator[tuple[int, int, outbox_seal.Part]]:
        """File, place and content of every record of this device that opens; the rest is counted. Raises KnownError."""
        for which, begins in enumerate(self._begins[:-1]):
            at, end = 0, self._ends[which]
            while at < end:
                length = self._length(which, at)
                if 0 < length <= min(outbox_seal.FRAME_MAX, end - at - _HEAD):
                    part = self._open(which, at, length)
                    if part is not None:
                        yield which, begins + at, part
                        at += _HEAD + length
                        continue
                past = self._next(which, at, length)
                part = self._open(which, at, past - at - _HEAD) if past - at - _HEAD != length else None
                if part is not None:  # its length alone is rotten
                    self._lengths[begins + at] = past - at - _HEAD
                    yield which, begins + at, part
                elif past < end or not end - at - _HEAD < length <= outbox_seal.FRAME_MAX:
                    self._unread.append(past - at)
                at = past

    def part(self, place: int) -> outbox_seal.Part:
        """The content of the record at this place."""
        which = max(at for at in range(len(self._files)) if self._begins[at] <= place)
        at = place - self._begins[which]
        length = self._lengths.get(place) or self._length(which, at)
        return outbox_seal.open_record(self._read(which, at + _HEAD, length), self._key)

    def fitting(self, ops: Iterator[Op]) -> Iterator[Op]:
        """The ops that a device can send on; the others are counted. One of them would stop its exchange for good."""
        for op in ops:
            if (size := len(codec.pack(op))) <= outbox_seal.OP_AT_MOST:
                yield op
            else:
                self._unread.append(size)

    def complain(self) -> None:
        """Raises KnownError where something could not be read."""
        if not self._unread:
            return
        if not self._opened and self._first is not None:
            raise self._first  # the wrong key opens nothing at all
        raise KnownError(
            _(
                "Not read, or of another device, or too large: {n} records ({bytes} bytes). "
                "Everything else was handed over."
            ).format(n=len(self._unread), bytes=sum(self._unread)),
            _("Keep the recovery key and the server's data, and tell the makers of Fieldkeep."),
        )

    def _open(self, which: int, at: int, length: int) -> outbox_seal.Part | None:
        """The record at `at`, None where it does not open or is of another device."""
        if not 0 < length <= outbox_seal.FRAME_MAX:
            return None
        try:
            part = outbox_seal.open_record(self._read(which, at + _HEAD, length), self._key)
        except (KnownError, BadFrames) as error:
            if self._first is None and isinstance(error, KnownError):
                self._first = error
            return None
        self._opened += 1
        self.source = self.source or part.device.hex()
        return part if part.device.hex() == self.source else None

    def _next(self, which: int, at: int, length: int) -> int:
        """Where to go on behind a record that does not open: at the next one that does, or at the end of the file."""
        end = self._ends[which]
        stated = at + _HEAD + length
        if (
            0 < length <= outbox_seal.FRAME_MAX
            and stated <= end
            and (stated == end or self._opens(which, stated))
        ):
            return stated
        place = at + 1
        while place + _HEAD < end:
            window = self._read(which, place, min(_WINDOW, end - place))
            # A length that a device wrote is less than 16 MiB: its first byte is zero.
            zero = window.find(0)
            while zero >= 0 and zero + _HEAD <= len(window):
                if self._opens(which, place + zero, window[zero : zero + _HEAD]):
                    return place + zero
                if self._tried > _TRIED_MAX or self._tries > _TRIES_MAX:
                    return end
                zero = window.find(0, zero + 1)
            place += max(1, len(window) - _HEAD + 1)
        return end

    def _opens(self, which: int, at: int, head: bytes = b"") -> bool:
        if self._ends[which] - at <= _HEAD:
            return False
        (length,) = outbox_seal.LENGTH.unpack(head) if head else (self._length(which, at),)
        longest = min(outbox_seal.WRITTEN_AT_MOST, self._ends[which] - at - _HEAD)
        if not outbox_seal.SEAL_LEAST <= length <= longest:
            return False
        self._tried, self._tries = self._tried + length, self._tries + 1
        try:
            sealing.unseal(self._key, sealing.OUTBOX, self._read(which, at + _HEAD, length))
        except KnownError:
            return False
        return True

    def _length(self, which: int, at: int) -> int:
        head = self._read(which, at, _HEAD)
        return int(outbox_seal.LENGTH.unpack(head)[0]) if len(head) == _HEAD else outbox_seal.FRAME_MAX

    def _read(self, which: int, at: int, length: int) -> bytes:
        self._files[which].seek(at)
        return self._files[which].read(length)


class _Fetched(io.RawIOBase):
    """A sealed outbox on the server as a file."""

    def __init__(self, office: Kept, enrolment: str, outbox: Outbox) -> None:
        self._office = office
        self._enrolment = enrolment
        self._outbox = outbox
        self._at = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """Anywhere in it."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on at `offset`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._outbox.length}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Where it goes on."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer with as much as one message brings. Raises KnownError."""
        data = self._office.sealed(self._enrolment, self._outbox.sha256, self._at)[: len(buffer)]
        if not data and self._at < self._outbox.length:
            raise KnownError(_("The server gave a part of the sealed work only."), _("Try again."))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
