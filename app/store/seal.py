"""The sealed outbox: every transaction's ops, readable with the organisation's recovery key alone.

A record is written before its transaction is committed, and both are on the disk before anyone is told, so whatever
happens to store, keys or keyring, no unsent work is lost. The store remembers which records it committed (`sealed`); a
record behind the last of them belongs to a transaction that never was, or to one that the store has lost. Nobody here
can tell which, so it is set aside for IT at the next open. A committed one that a power cut took, of an act of which
nobody had been told, is sealed again there.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Final

import msgspec

from app.errors import AppError, NoSpace, StoreDamaged
from app.paths import PRIVATE_FILE, sync_folder, write_whole
from app.worker import Worker
from sync.protocol import outbox_seal
from sync.protocol.ops import Op
from sync.protocol.texts import gettext as _

_HEAD: Final = outbox_seal.LENGTH.size


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
        self._disk: Worker | None = None
        self._under_way: tuple[Future[None], int] | None = None  # what `put` began, and the length before it

    def append(
        self, ops: Sequence[Op], device: bytes, incarnation: bytes, packed: Sequence[bytes] | None = None
    ) -> list[Piece]:
        """Seal `ops` and put them on the disk; what was written. `length` has grown by it. `packed` are their bytes.

        Raises NoSpace and AppError; the file is then as long as before.
        """
        pieces = self.put(ops, device, incarnation, packed)
        self.settle()
        return pieces

    def put(
        self, ops: Sequence[Op], device: bytes, incarnation: bytes, packed: Sequence[bytes] | None = None
    ) -> list[Piece]:
        """As `append`, but the disk is waited for in `settle`: until then the caller has other things to do.

        Raises NoSpace and AppError; the file is then as long as it was on the disk last.
        """
        self.settle()
        sealed = outbox_seal.seal_ops(self._recovery, device, incarnation, ops, packed)
        before = self.length
        try:
            at = before
            for _part, frame in sealed:
                at += _write(self._handle, frame, at)
        except OSError as error:
            self.truncate(before)
            raise _unwritten(error) from None
        if self._disk is None:
            self._disk = Worker("fieldkeep-seal")
        self._under_way = self._disk.run(os.fsync, self._handle), before
        self.length = at
        return [
            Piece(incarnation, part[0].n, part[-1].n, len(frame), digest_of(frame)) for part, frame in sealed
        ]

    def settle(self) -> None:
        """Wait until all that was `put` is on the disk.

        Raises NoSpace and AppError; the file is then as long as before.
        """
        if self._under_way is None:
            return
        (synced, before), self._under_way = self._under_way, None
        try:
            synced.result()
        except OSError as error:
            self.truncate(before)
            raise _unwritten(error) from None

    def sync(self) -> None:
        """Have the disk take what an earlier run may have left in the system's memory. Raises AppError."""
        try:
            os.fsync(self._handle)
        except OSError as error:
            raise _unwritten(error) from None

    def truncate(self, committed: int) -> None:
        """Cut off what lies behind the committed length. Raises NoSpace and AppError; it is written over even then."""
        self._wait()
        try:
            there = os.fstat(self._handle).st_size
            self.length = min(committed, there)
            if there > committed:
                os.ftruncate(self._handle, committed)
                os.fsync(self._handle)
        except OSError as error:
            raise _unwritten(error) from None

    def keep(self, digests: set[bytes]) -> int:
        """Rewrite the file with these records alone; the new length. A crash leaves the old file or the new one.

        Raises NoSpace and AppError; the file is then as it was.
        """
        self._wait()
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

    def heal(self, at: int, piece: Piece) -> bool:
        """Write the length of this record anew if it stands at `at` and its length alone is rotten; whether it does.

        Raises NoSpace and AppError.
        """
        with self.path.open("rb") as file:
            file.seek(at + _HEAD)
            sealed = file.read(max(0, piece.length - _HEAD))
        head = outbox_seal.LENGTH.pack(len(sealed))
        if digest_of(head + sealed) != piece.digest:
            return False
        try:
            _write(self._handle, head, at)
            os.fsync(self._handle)
        except OSError as error:
            raise _unwritten(error) from None
        return True

    def behind(self, whole: int) -> bytes:
        """What stands in the file from `whole` on, where its records end."""
        return _behind(self.path, whole)

    def is_whole(self) -> bool:
        """Whether every byte of the file belongs to a record that can be read."""
        return sum(len(frame) for frame in self.frames()) == self.length

    def frames(self) -> Iterator[bytes]:
        """The records with their lengths, up to `length`."""
        at = 0
        for sealed in read(self.path):
            at += _HEAD + len(sealed)
            if at > self.length:
                return
            yield outbox_seal.LENGTH.pack(len(sealed)) + sealed

    def digests(self) -> list[tuple[bytes, int]]:
        """(digest, length) of each record that is there, in order."""
        return [(digest_of(frame), len(frame)) for frame in self.frames()]

    def again(self) -> SealedOutbox:
        """The file of this name, opened once more."""
        return SealedOutbox(self.path, self._recovery)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._wait()
        if self._disk is not None:
            self._disk.close()
            self._disk = None
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _wait(self) -> None:
        """No one else may be at the file when it is cut or closed; how the disk fared then is not asked any more."""
        if self._under_way is not None:
            (synced, _before), self._under_way = self._under_way, None
            wait((synced,))


def set_aside(path: Path, pieces: Iterable[bytes]) -> None:
    """Append these records, and what cannot be read as records, to the file at `path`, durably, but what is there
    already. Nothing that is there is cut off that may hold a record: whoever can open it finds what stands behind a
    rotten length.

    Raises NoSpace and AppError.
    """
    handle = _open(path)
    try:
        end = os.fstat(handle).st_size
        there = {digest_of(outbox_seal.LENGTH.pack(len(sealed)) + sealed) for sealed in read(path)}
        fresh = b"".join(piece for piece in pieces if digest_of(piece) not in there)
        if fresh and not _ends_with(path, fresh):
            rest = rest_of(path)
            if not may_hold(rest) or fresh.startswith(rest):  # begun before a crash, and now written whole
                end -= len(rest)
                os.ftruncate(handle, end)
            try:
                _write(handle, fresh, end)
            except OSError:
                os.ftruncate(handle, end)
                raise
        os.fsync(handle)
        sync_folder(path.parent)
    except OSError as error:
        raise _unwritten(error) from None
    finally:
        os.close(handle)


def read(path: Path) -> Iterator[bytes]:
    """The sealed records of a file, without their lengths, up to the first that is torn or whose length is rotten;
    none when there is no file. Raises StoreDamaged when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from outbox_seal.split(file)
    except FileNotFoundError:
        return
    except OSError:
        raise StoreDamaged(
            _("A file with sealed work cannot be read."),
            _("Nothing was changed. Ask IT; the work may be recovered."),
        ) from None


def looked_through(path: Path) -> tuple[int, bytes]:
    """How many records of a file can be read, and what stands behind the last of them. Raises StoreDamaged."""
    count = whole = 0
    for sealed in read(path):
        count, whole = count + 1, whole + _HEAD + len(sealed)
    return count, _behind(path, whole)


def rest_of(path: Path) -> bytes:
    """What stands in a file behind the last record that can be read. Raises StoreDamaged."""
    return looked_through(path)[1]


def may_hold(rest: bytes) -> bool:
    """Whether a whole record may stand in bytes that cannot be read as records."""
    return len(rest) >= _HEAD + outbox_seal.SEAL_LEAST and any(rest)


def is_torn(rest: bytes) -> bool:
    """Whether this looks like one record that a crash has cut off: it states more than is there, and no record that
    ends where this ends stands in it. With a rotten length it may look so, too: it is no reason to destroy it."""
    if len(rest) < _HEAD:
        return True
    (stated,) = outbox_seal.LENGTH.unpack_from(rest)
    if not len(rest) - _HEAD < stated <= outbox_seal.WRITTEN_AT_MOST:
        return False
    at = rest.find(0, 1)  # a length that we write is less than 16 MiB: its first byte is zero
    while 0 <= at <= len(rest) - _HEAD - outbox_seal.SEAL_LEAST:
        if outbox_seal.LENGTH.unpack_from(rest, at)[0] == len(rest) - at - _HEAD:
            return False
        at = rest.find(0, at + 1)
    return True


def digest_of(frame: bytes) -> bytes:
    """The name of a record: the same bytes are the same record."""
    return hashlib.sha256(frame).digest()[:16]


def _behind(path: Path, at: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(at)
            return file.read()
    except FileNotFoundError:
        return b""


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


def _ends_with(path: Path, data: bytes) -> bool:
    """Whether it was written already: a crash came before it was cut from where it stood."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) < len(data):
            return False
        file.seek(-len(data), os.SEEK_END)
        return file.read() == data


def _unwritten(error: OSError) -> AppError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(_("The disk is full; nothing was changed."), _("Free some space and try again."))
    return AppError(
        _("The sealed copy of unsent work could not be written; nothing was changed."),
        _("Check that your profile folder can be written, and try again."),
    )
