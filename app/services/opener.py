"""One opener per profile: the lock file that keeps a second process from opening the same store."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import IO

from app.errors import Busy, not_written
from app.paths import PRIVATE_FILE
from sync.protocol.texts import gettext as _


class Opener:
    """Holds a profile until `close`; the system lets go by itself when the process dies."""

    def __init__(self, path: Path) -> None:
        try:
            handle = _open(path)
        except OSError as error:
            raise not_written(error) from None
        self._file: IO[bytes] = os.fdopen(handle, "rb", buffering=0)
        if not _lock(self._file):
            self._file.close()
            raise Busy(
                _("Fieldkeep is open on this profile already."),
                _("Use the open window, or close it and try again. Nothing was changed."),
            )

    def close(self) -> None:
        """Let go of the profile."""
        self._file.close()


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, os.O_RDONLY)  # orders are obeyed on a disk that takes nothing, too


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
