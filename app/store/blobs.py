"""The files of attachments beside the store: encrypted, each under a key that stands in its record and nowhere else.

    blobs.unsent/<sha256>     what the server does not have yet: it is never removed before the server has all of it
    blobs/<ab>/<sha256>       what the server has, too: the least recently used goes when there is too much
    blobs/coming/<sha256>     what is being fetched, as far as it is

Where a file lies says how it stands, so nothing else can disagree with that. A file is whole and on the disk before it
has its name, and has it before its record is written. A file that no record names is sent all the same: the store may
have been set back, and then the sealed outbox names it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any, Final

from app.errors import AppError, NotFound, not_written
from app.paths import PRIVATE_DIR, PRIVATE_FILE, Profile, sync_folder
from sync.protocol import blob_seal
from sync.protocol.fields import Value
from sync.protocol.texts import gettext as _

_COMING: Final = "coming"
_DIGITS: Final = 64
_MB: Final = 10**6


class Blobs:
    """The attachments of one profile."""

    def __init__(self, profile: Profile) -> None:
        self._unsent = profile.unsent_blobs
        self._kept = profile.blobs

    # -- how they come

    def take_in(self, source: IO[bytes]) -> dict[str, Value]:
        """Encrypt a file into its place among the unsent ones, durably; what its record says of it.

        Raises TooLarge, NoSpace, AppError; then nothing is left of it.
        """
        key = secrets.token_bytes(blob_seal.KEY_BYTES)
        coming = self._unsent / f"{secrets.token_hex(8)}.tmp"
        try:
            _make(self._unsent)
            handle = os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
            with os.fdopen(handle, "wb") as file:
                sha256, size = blob_seal.seal(_Readable(source), file, key)
                file.flush()
                os.fsync(file.fileno())
            coming.replace(self._unsent / sha256.hex())
            sync_folder(self._unsent)
        except BaseException as problem:
            with contextlib.suppress(OSError):
                coming.unlink(missing_ok=True)
            if isinstance(problem, OSError):
                raise not_written(problem) from problem
            raise
        return {"sha256": sha256, "size": size, "key": key}

    def never_mind(self, sha256: bytes) -> None:
        """Its record could not be written: nobody was told that it is attached."""
        with contextlib.suppress(OSError):
            (self._unsent / sha256.hex()).unlink(missing_ok=True)

    def place_to_fetch(self, sha256: bytes) -> Path:
        """Where its bytes are gathered. Raises AppError."""
        try:
            _make(self._kept / _COMING)
        except OSError as problem:
            raise not_written(problem) from problem
        return self._kept / _COMING / sha256.hex()

    def fetched(self, sha256: bytes) -> None:
        """All of it is there, and its digest holds. Raises OSError."""
        try:
            self._keep(self._kept / _COMING / sha256.hex(), sha256)
        except FileNotFoundError:
            if not self._kept_at(sha256).is_file():  # another process was at the same
                raise

    def sent(self, sha256: bytes) -> None:
        """The server has all of it, durably. Raises OSError."""
        self._keep(self._unsent / sha256.hex(), sha256)

    def send_again(self) -> None:
        """The server was restored and may have lost what it had: each file goes up again, unless it is there."""
        for _at, _size, path in self._sent_ones():
            with contextlib.suppress(OSError):
                _make(self._unsent)
                path.replace(self._unsent / path.name)
        if self._unsent.exists():
            sync_folder(self._unsent)

    # -- what is here

    def unsent(self) -> list[Path]:
        """What goes up, the oldest first."""
        return unsent_in(self._unsent)

    def waits(self, sha256: bytes) -> bool:
        """Whether the server does not have it yet."""
        return (self._unsent / sha256.hex()).exists()

    def is_here(self, sha256: bytes) -> bool:
        """Whether it can be opened without the server."""
        return self._find(sha256) is not None

    def opened(self, content: dict[str, Any]) -> Iterator[bytes]:
        """The file, piece by piece. Raises NotFound, BlobDamaged, AppError; a damaged copy of what the server has goes,
        so that it is fetched anew.
        """
        path = self._find(content["sha256"])
        if path is None:
            raise NotFound(_("This attachment is not on this device yet."), _("Connect, and open it again."))
        try:
            with contextlib.suppress(OSError):
                os.utime(path)  # used now
            with path.open("rb") as file:
                yield from blob_seal.opened(file, content["key"])
        except blob_seal.BlobDamaged:
            if path.parent != self._unsent:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
            raise
        except OSError as problem:
            raise AppError(
                _("This attachment could not be read."), _("Check the disk, then try again.")
            ) from problem

    # -- what goes

    def sweep(self, named: Collection[bytes]) -> int:
        """Remove what no record here names any more, but for what has not gone up; how many files."""
        names = {sha256.hex() for sha256 in named}
        gone = 0
        for path in [*_files(self._kept / _COMING), *(path for _at, _size, path in self._sent_ones())]:
            if path.name not in names:
                gone += _remove(path)
        return gone

    def keep_within(self, megabytes: int, spare: Collection[bytes] = ()) -> int:
        """Remove the least recently used of what the server has, too, until the rest fits; how many files went."""
        found = self._sent_ones()
        spared = {sha256.hex() for sha256 in spare}
        total = sum(size for _at, size, _path in found)
        gone = 0
        for _at, size, path in sorted(found):
            if total <= megabytes * _MB:
                break
            if path.name not in spared and _remove(path):
                total -= size
                gone += 1
        return gone

    def clear_up(self) -> None:
        """Remove what a killed process was about to take in: nobody was told of it. When nothing else is at it."""
        for path in _files(self._unsent):
            if not _is_digest(path.name):
                _remove(path)

    # -- inside

    def _find(self, sha256: bytes) -> Path | None:
        for path in (self._unsent / sha256.hex(), self._kept_at(sha256)):
            if path.is_file():
                return path
        return None

    def _kept_at(self, sha256: bytes) -> Path:
        name = sha256.hex()
        return self._kept / name[:2] / name

    def _keep(self, path: Path, sha256: bytes) -> None:
        place = self._kept_at(sha256)
        _make(place.parent)
        path.replace(place)
        sync_folder(place.parent)
        sync_folder(path.parent)

    def _sent_ones(self) -> list[tuple[int, int, Path]]:
        """When each was used last, its size, and where it lies."""
        found = []
        for folder in _files(self._kept):
            if folder.name == _COMING:
                continue
            for path in _files(folder):
                with contextlib.suppress(OSError):
                    told = path.stat()
                    found.append((told.st_mtime_ns, told.st_size, path))
        return found


class _Readable:
    """A file that a person named: what goes wrong with it is no fault of our disk."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source

    def read(self, most: int) -> bytes:
        try:
            return self._source.read(most)
        except OSError as problem:
            raise AppError(
                _("The file could not be read; nothing was attached."),
                _("Open it elsewhere first, then try again."),
            ) from problem


def unsent_in(folder: Path) -> list[Path]:
    """The whole files of a folder of unsent ones, the oldest first."""
    found = []
    for path in _files(folder):
        if _is_digest(path.name):
            with contextlib.suppress(OSError):
                found.append((path.stat().st_mtime_ns, path))
    return [path for _at, path in sorted(found)]


def _make(folder: Path) -> None:
    folder.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _is_digest(name: str) -> bool:
    return len(name) == _DIGITS and set(name) <= set("0123456789abcdef")


def _remove(path: Path) -> int:
    try:
        path.unlink()
    except OSError:
        return 0
    return 1
