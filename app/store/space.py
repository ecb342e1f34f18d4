"""Whether the disk has room for what is about to be written, asked before a long write and not in the midst of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from app.errors import NoSpace
from sync.protocol.texts import gettext as _

ROW: Final = (
    8 * 2**10
)  # bytes of one record in the store and in its log, with its indexes and words; seldom more

_MIB: Final = 2**20
_NOTHING: Final = 64 * 2**10  # bytes with which no store can go on


def needed(folder: Path | None, size: int) -> None:
    """Raises NoSpace when there are not so many bytes left in a folder; where nobody can tell, the write will."""
    if folder is None or size <= 0:
        return
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    if free < size:
        raise NoSpace(
            _("There is not enough room on the disk; nothing was changed."),
            _("Free {size} MB and try again.").format(size=-((free - size) // _MIB)),
        )


def is_full(folder: Path) -> bool:
    """Whether a disk has next to nothing left; False where nobody can tell."""
    try:
        return shutil.disk_usage(folder).free < _NOTHING
    except OSError:
        return False
