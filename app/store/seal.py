"""The sealed outbox: every transaction's ops, readable with the organisation's recovery key alone.

A record is on the disk before its transaction is committed, so whatever happens to store, keys or keyring, no
unsent work is lost. The store remembers which records it committed (`sealed`); a record behind the last of them
belongs to a transaction that never was, or to one that the store has lost. Nobody here can tell which, so it is set
aside for IT at the next open.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from app.errors import AppError, NoSpace
from app.paths import PRIVATE_FILE, sync_folder, write_whole
from sync.protocol import outbox_seal
from sync.protocol.ops import Op
from sync.protocol.texts import gettext as _


class Piece(msgspec.Struct, frozen=True):
    """One record of the file as the store remembers it: which ops, how long with its length, and its digest."""

    incarnation: bytes
    first_n: int
    last_n: int
    length: int
    digest: bytes


class SealedOutbox:
    """The open file. `length` is where the next record begins; everything before it belongs to us."""

    def __init__(self, path: Path, recovery_public: bytes) -> None:
        """Open the file, or make it. `recovery_public` is the raw X25519 recovery key of the organisation."""
        self.path = path
        self._recovery = recovery_public
        self._handle = _open(path)
        self.length = os.fstat(self._handle).st_size

    def append(self, ops: Sequence[Op], device: bytes, incarnation: bytes) -> list[Piece]:
        """Seal `ops` and put them on the disk; what was written. `length` has grown by it.

        Raises NoSpace and AppError; the file is then as long as before.
        """
        sealed = outbox_seal.seal_ops(self._recovery, device, incarnation, ops)
        before = self.length
        try:
            at = before
            for _part, frame in sealed:
                at += _write(self._handle, frame, at)
            os.fsync(self._handle)
        except OSError as error:
            self.truncate(before)
            raise _unwritten(error) from None
        self.length = at
        return [
            Piece(incarnation, part[0].n, part[-1].n, len(frame), digest_of(frame)) for part, frame in sealed
        ]

    def truncate(self, committed: int) -> None:
        """Cut off what lies behind the committed length."""
        if os.fstat(self._handle).st_size > committed:
            os.ftruncate(self._handle, committed)
            os.fsync(self._handle)
        self.length = min(committed, os.fstat(self._handle).st_size)

    def keep(self, digests: set[bytes]) -> int:
        """Rewrite the file with these records alone; the new length. A crash leaves the old file or the new one.

        Raises NoSpace and AppError; the file is then as it was.
        """
        kept = b"".join(frame for frame in self.frames() if digest_of(frame) in digests)
        os.close(self._handle)  # Windows replaces no file that is open
        try:
            write_whole(self.path, kept)
        except OSError as error:
            raise _unwritten(error) from None
        finally:
            self._handle = _open(self.path)
            self.length = os.fstat(self._handle).st_size
        return self.length

    def frames(self) -> Iterator[bytes]:
        """The records with their lengths, up to `length`."""
        at = 0
        for sealed in read(self.path):
            at += outbox_seal.LENGTH.size + len(sealed)
            if at > self.length:
                return
            yield outbox_seal.LENGTH.pack(len(sealed)) + sealed

    def digests(self) -> list[tuple[bytes, int]]:
        """(digest, length) of each record that is there, in order."""
        return [(digest_of(frame), len(frame)) for frame in self.frames()]

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def set_aside(path: Path, frames: Iterator[bytes]) -> None:
    """Append these records to the file at `path`, durably, but what is there already. Raises NoSpace and AppError."""
    handle = _open(path)
    try:
        there, end = set(), 0
        for sealed in read(path):
            frame = outbox_seal.LENGTH.pack(len(sealed)) + sealed
            there.add(digest_of(frame))
            end += len(frame)
        os.ftruncate(handle, end)  # a torn record would hide those behind it
        for frame in frames:
            if digest_of(frame) not in there:
                end += _write(handle, frame, end)
        os.fsync(handle)
        sync_folder(path.parent)
    except OSError as error:
        raise _unwritten(error) from None
    finally:
        os.close(handle)


def read(path: Path) -> Iterator[bytes]:
    """The sealed records of a file, without their lengths; none when there is no file, and no torn tail."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        yield from outbox_seal.split(file)


def digest_of(frame: bytes) -> bytes:
    """The name of a record: the same bytes are the same record."""
    return hashlib.sha256(frame).digest()[:16]


def _open(path: Path) -> int:
    """The file for reading and writing, made for its person alone when it is not there. Raises AppError."""
    there = path.exists()
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), PRIVATE_FILE)
        if not there:
            sync_folder(path.parent)
    except OSError as error:
        raise _unwritten(error) from None
    return handle


def _write(handle: int, data: bytes, at: int) -> int:
    """Put all of `data` at `at`; a system may take less than it is given at once."""
    os.lseek(handle, at, os.SEEK_SET)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
    return len(data)


def _unwritten(error: OSError) -> AppError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(_("The disk is full; nothing was changed."), _("Free some space and try again."))
    return AppError(
        _("The sealed copy of unsent work could not be written; nothing was changed."),
        _("Check that your profile folder can be written, and try again."),
    )
