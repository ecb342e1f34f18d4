"""What SQLite complains of, as what a person can read: a title and a next step, and never a statement or a value."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlcipher3 import dbapi2

from app.errors import AppError, Busy, NoSpace, Stopped, StoreDamaged
from app.store import space
from sync.protocol.texts import gettext as _

_SAYS: Final = {
    dbapi2.SQLITE_FULL: NoSpace,
    dbapi2.SQLITE_CORRUPT: StoreDamaged,
    dbapi2.SQLITE_NOTADB: StoreDamaged,
    dbapi2.SQLITE_BUSY: Busy,
    dbapi2.SQLITE_LOCKED: Busy,
    dbapi2.SQLITE_INTERRUPT: Stopped,
}


@contextlib.contextmanager
def told(folder: Path | None = None) -> Iterator[None]:
    """Turn what SQLite raises into what a person can read; the original may quote values, so it goes no further.

    `folder` is where the file is: where a call to the system failed, its disk says why.
    """
    try:
        yield
    except dbapi2.Error as error:
        raised = as_told(error, folder)
    else:
        return
    raise raised from None


def as_told(error: dbapi2.Error, folder: Path | None = None) -> AppError:
    """What a person can read of it. To be raised outside the block that caught the original."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if isinstance(error, dbapi2.DatabaseError) and "not authorized" in str(error):
        code = dbapi2.SQLITE_AUTH
    if code == dbapi2.SQLITE_IOERR and folder is not None and space.is_full(folder):
        code = dbapi2.SQLITE_FULL  # the index of the log is not counted as a write of the file
    return _error(code, getattr(error, "sqlite_errorname", None) or type(error).__name__)


def _error(code: int, name: str) -> AppError:
    kind = _SAYS.get(code)
    if kind is StoreDamaged:
        return damaged()
    if kind is NoSpace:
        return NoSpace(_("The disk is full; nothing was changed."), _("Free some space and try again."))
    if kind is Stopped:
        return stopped()
    if kind is Busy:
        return Busy(_("Another program has this store open."), _("Close it and try again."))
    if code == dbapi2.SQLITE_AUTH:
        return AppError(_("The store does not allow this."))
    return AppError(
        _("The store could not do this ({name}).").format(name=name), _("Run “fieldkeep doctor” to see more.")
    )


def damaged() -> StoreDamaged:
    """The file does not hold."""
    return StoreDamaged(
        _("The store on this device is damaged, or the key does not fit it."),
        _("Nothing was changed, and unsent work is kept. Connect and run: fieldkeep doctor --repair"),
    )


def stopped() -> Stopped:
    """Somebody broke it off."""
    return Stopped(_("This was broken off."), _("Your changes are safe. Try again."))
