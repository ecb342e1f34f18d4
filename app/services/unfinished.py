"""Files with records in clear that a person asked for, while they are being written: none of them outlives a kill.

Such a file is made beside its place under a name of ours, which is written down in the profile before there is a file
of that name. Whoever opens the profile next, locks it or wipes it takes away what is written down.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.paths import PRIVATE_FILE, Profile, remove, sync_folder, write_whole


class Unfinished:
    """One file in the making, open for writing at `handle`, readable by its person alone."""

    def __init__(self, profile: Profile, place: Path) -> None:
        """Begin it. Raises OSError."""
        self._profile = profile
        self._place = place
        self._beside = place.absolute().with_name(f".fieldkeep-{secrets.token_hex(8)}.tmp")
        _write_down(profile, [*_known(profile), self._beside])
        try:
            self.handle = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        except OSError:
            self._forget()
            raise

    def put_in_place(self) -> None:
        """It is whole, on the disk and closed: let it take its place. Raises OSError."""
        self._beside.replace(self._place)
        sync_folder(self._place.parent)
        self._forget()

    def leave(self) -> None:
        """Leave nothing of it; a second call does nothing. One that will not go stays written down."""
        with contextlib.suppress(OSError):
            self._beside.unlink(missing_ok=True)
            self._forget()

    def _forget(self) -> None:
        with contextlib.suppress(OSError):  # then the next start finds that there is no such file
            _write_down(self._profile, [each for each in _known(self._profile) if each != self._beside])


def take_away(profile: Profile) -> tuple[int, bool]:
    """Remove every file that was begun and never put in its place; how many, and whether none is left.

    One whose folder is not there now, on a stick that was pulled out, stays written down.
    """
    removed, left = 0, []
    for each in _known(profile):
        try:
            if each.parent.is_dir():
                removed += each.exists()
                each.unlink(missing_ok=True)
            else:
                left.append(each)
        except OSError:
            left.append(each)
    with contextlib.suppress(OSError):
        _write_down(profile, left)
        profile.unfinished.with_name(profile.unfinished.name + ".tmp").unlink(missing_ok=True)
    return removed, not left


def _known(profile: Profile) -> list[Path]:
    try:
        names = msgspec.json.decode(profile.unfinished.read_bytes(), type=list[bytes])
    except (OSError, msgspec.MsgspecError):
        return []
    # Nothing but what has such a name is ever removed, whoever wrote the list.
    paths = (Path(os.fsdecode(name)) for name in names)
    return [path for path in paths if path.name.startswith(".fieldkeep-") and path.suffix == ".tmp"]


def _write_down(profile: Profile, paths: Sequence[Path]) -> None:
    if paths:
        write_whole(profile.unfinished, msgspec.json.encode([os.fsencode(path) for path in paths]))
    elif profile.unfinished.exists():
        remove(profile.unfinished)
