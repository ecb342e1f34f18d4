"""Copies of attachments in clear, for programs that show them: made only when a person opens one, and never for long.

They lie in the profile's folder for temporary files, readable by their person alone and writable by nobody. They go
when the store closes, by a lock, a wipe or the end of the program, and whoever opens the profile next takes away what a
kill has left. One whose record was deleted, or left this device, goes with the next look at what is still named.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from app.errors import AppError
from app.paths import PRIVATE_DIR, Profile
from sync.protocol.texts import gettext as _

_OPENED: Final = "opened"
_MARK: Final = 16  # digits of a digest that tell whose copy it is
_READ_ONLY: Final = 0o400
# Endings that some system takes for something to run, or for a way to something to run.
_PROGRAMS: Final = {
    "app", "appimage", "bat", "cmd", "com", "command", "cpl", "deb", "desktop", "dll", "exe", "gadget", "hta", "inf",
    "jar", "js", "jse", "lnk", "msc", "msi", "msp", "pif", "ps1", "psm1", "py", "pyw", "reg", "rpm", "run", "scf",
    "scr", "sh", "terminal", "url", "vb", "vbe", "vbs", "webloc", "wsf", "wsh", "xll",
}  # fmt: skip
_NAME_MAX: Final = 120  # bytes; a system allows 255, and other programs add to it
_NO_NAME: Final = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]+')


@contextlib.contextmanager
def making(profile: Profile, title: str, sha256: bytes) -> Iterator[tuple[Path, int]]:
    """A place of its own for a copy of this title and blob, and a handle to write it; nothing is left where that fails.

    Raises OSError.
    """
    folder = profile.temp / _OPENED / f"{_of(sha256)}-{secrets.token_hex(4)}"
    folder.mkdir(mode=PRIVATE_DIR, parents=True)
    try:
        place = folder / name_of(title)
        yield place, os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _READ_ONLY)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def refuse_programs(title: str) -> None:
    """Stop before a system is asked to show what it would run instead, whoever attached it. Raises AppError."""
    if name_of(title).rpartition(".")[2].casefold() in _PROGRAMS:
        raise AppError(
            _("This file may be a program, and is not opened from here."),
            _("Save it instead, if you trust who attached it."),
        )


def sweep(profile: Profile, named: Iterable[bytes]) -> None:
    """Remove the copies of what no record here names any more."""
    names = {_of(sha256) for sha256 in named}
    with contextlib.suppress(OSError):
        for folder in list((profile.temp / _OPENED).iterdir()):
            if folder.name.partition("-")[0] not in names:
                shutil.rmtree(folder, ignore_errors=True)


def _of(sha256: bytes) -> str:
    return sha256.hex()[:_MARK]


def take_away(profile: Profile) -> None:
    """Remove every copy; one that another program holds open goes at the next time."""
    shutil.rmtree(profile.temp / _OPENED, ignore_errors=True)


def name_of(title: str) -> str:
    """A title as the name of a file, whatever a colleague called it: one part, no path, its ending kept."""
    stem, dot, ending = _NO_NAME.sub("_", title).strip(" .").rpartition(".")
    if not dot or len(ending.encode()) > 16:
        stem, ending = f"{stem}{dot}{ending}", ""
    while len(stem.encode()) > _NAME_MAX:
        stem = stem[:-1]
    stem = stem.strip(" .") or "attachment"
    return f"{stem}.{ending}" if ending else stem
