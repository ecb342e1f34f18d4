"""The copy of a store that is kept while a newer version of the program changes its file.

It is made while the store is closed and goes at the next good open. It takes the place of a store that does not
hold only where no work would be lost by that: where nothing was sealed since that the copy does not know.
"""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

from app.errors import AppError, NoSpace
from app.keys.secret import SecretBytes
from app.paths import PRIVATE_FILE, Profile, remove, sync_folder
from app.store import schema, space
from app.store.db import Database
from app.store.seal import digest_of, is_torn, may_hold, read, rest_of
from sync.protocol import outbox_seal
from sync.protocol.texts import gettext as _

_LOG = logging.getLogger("app.store.before")
_PIECE = 2**20
_GROWTH = 4  # a file grows by less than a quarter from one version to the next


def make(profile: Profile) -> None:
    """Copy a store that nobody has open. Raises NoSpace before anything is written, and AppError."""
    size = profile.store.stat().st_size
    there = profile.store_before.stat().st_size if profile.store_before.exists() else 0
    space.needed(profile.folder, size + size // _GROWTH - there)
    coming = profile.store_before.with_name(profile.store_before.name + ".tmp")
    try:
        _copy(profile.store, coming)
        coming.replace(profile.store_before)
        sync_folder(profile.folder)
    except OSError as error:
        coming.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(
                _("The disk is full; nothing was changed."), _("Free some space and try again.")
            ) from None
        raise AppError(
            _("A copy of the store could not be kept; nothing was changed."),
            _("Check that your profile folder can be written, and try again."),
        ) from None


def forget(profile: Profile) -> None:
    """The copy goes: the store opens well, or a record left this device and may not stay in a copy."""
    if profile.store_before.exists():
        remove(profile.store_before)
        _LOG.info("the copy from before the last change of version has gone")


def forget_aside(profile: Profile) -> None:
    """A file put aside (anew.py) goes: a record left this device, and nobody can look whether it is in there."""
    if profile.store_aside.exists():
        remove(profile.store_aside)


def put_back(profile: Profile, key: SecretBytes) -> bool:
    """Put the copy in the place of a store that does not hold; whether that was done. Loses no unsent work."""
    copy = profile.store_before
    if not copy.is_file():
        return False
    try:
        db = Database(copy, key, version=schema.VERSION, reading=True)
    except AppError:
        return False
    try:
        db.check()
        known = {bytes(digest) for (digest,) in db.all("SELECT digest FROM sealed")}
    except AppError:
        return False
    finally:
        db.close()
    try:
        frames = (outbox_seal.LENGTH.pack(len(each)) + each for each in read(profile.sealed_outbox))
        rest = rest_of(profile.sealed_outbox)
        if any(digest_of(frame) not in known for frame in frames) or (may_hold(rest) and not is_torn(rest)):
            return False
    except (AppError, OSError):
        return False
    for end in ("-wal", "-shm"):
        remove(profile.store.with_name(profile.store.name + end))
    copy.replace(profile.store)
    sync_folder(profile.folder)
    _LOG.warning("the store did not hold; its copy from before the last change of version took its place")
    return True


def _copy(source: Path, target: Path) -> None:
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file, source.open("rb") as from_:
        while piece := from_.read(_PIECE):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
