"""One opener per profile: the lock file that keeps a second process from opening the same store."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

from app.errors import Busy, not_written
from app.paths import PRIVATE_FILE
from sync.protocol.texts import gettext as _

WINDOW: Final = b"window"
COMMAND: Final = b"command"
_WORD_AT: Final = 1  # behind the byte that is locked: no other byte is out of a reader's reach on Windows
_WORD_MAX: Final = 16
_PAUSE_S: Final = 0.05

_until: float | None = None  # on the monotonic clock; None for a window, which waits for nobody


def be_patient(seconds: float) -> None:
    """This process is a command: it says so to others, and waits for another command until then, all openings told."""
    global _until
    _until = time.monotonic() + seconds


class Opener:
    """Holds a profile until `close`; the system lets go by itself when the process dies."""

    def __init__(self, path: Path) -> None:
        """Raises Busy while another process holds it, AppError where the file cannot be made."""
        try:
            handle = _open(path)
        except OSError as error:
            raise not_written(error) from None
        self._file = os.fdopen(handle, "rb", buffering=0)
        try:
            self._hold(threading.Event())
        except BaseException:
            self._file.close()
            raise
        # For whoever comes meanwhile; a disk that takes nothing keeps nobody out of the store.
        with contextlib.suppress(OSError):
            self._say(WINDOW if _until is None else COMMAND)

    def close(self) -> None:
        """Let go of the profile."""
        self._file.close()

    def _hold(self, pause: threading.Event) -> None:
        before = b""
        while not _lock(self._file.fileno()):
            holder = self._holder()
            # A word may be its predecessor's for a moment: a window has to have said so twice.
            stays = holder == before == WINDOW
            if _until is None or stays or time.monotonic() >= _until:
                raise _busy(holder)
            before = holder
            pause.wait(_PAUSE_S)

    def _holder(self) -> bytes:
        try:
            self._file.seek(_WORD_AT)
            return self._file.read(_WORD_MAX) or b""
        except OSError:
            return b""
        finally:
            self._file.seek(0)

    def _say(self, word: bytes) -> None:
        handle = self._file.fileno()
        os.ftruncate(handle, _WORD_AT)
        os.lseek(handle, _WORD_AT, os.SEEK_SET)
        os.write(handle, word)


def _busy(holder: bytes) -> Busy:
    if holder == COMMAND:
        return Busy(
            _("Another command is at work on this profile."),
            _("Wait until it is done, then try again. Nothing was changed."),
        )
    return Busy(
        _("Fieldkeep is open on this profile already."),
        _("Use the open window, or close it and try again. Nothing was changed."),
    )


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, os.O_RDONLY)  # orders are obeyed on a disk that takes nothing, too


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
