"""Errors that may reach a person: each has a title, a next step, and the exit code of the command line.

KnownError (sync.protocol.errors)
└── AppError                 1  refused or failed
    ├── WrongUse             2  the command was not understood
    ├── Locked               3  the store is locked
    ├── Wiped                4  the store was wiped by the organisation
    ├── Offline              5  the server could not be reached
    ├── NotEnrolled          1  this profile belongs to no organisation yet
    ├── Busy                 1  another process holds the profile
    ├── NotFound             1  no such record
    ├── NoSpace              1  the disk is full; nothing was changed
    ├── Stopped              1  the store closed, or somebody else came first, before this was done
    ├── KeyringUnreachable   1  the system keyring does not answer: never taken for "no key"
    ├── KeyMissing           1  the keyring answers, and our entry is not there
    ├── StoreDamaged         1  header, state or store do not hold
    │   └── Laid             1  a file lies beside them that says what no order stands behind
    └── NewerStore           1  made by a newer Fieldkeep
"""

from __future__ import annotations

import errno
from typing import ClassVar

from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _


class AppError(KnownError):
    """An error of the desktop and its command line."""

    exit_code: ClassVar[int] = 1


class WrongUse(AppError):
    """The command was not understood."""

    exit_code = 2


class Locked(AppError):
    """The store is locked; `by_order` when only IT can open it again."""

    exit_code = 3

    def __init__(self, title: str, hint: str = "", *, by_order: bool = False) -> None:
        super().__init__(title, hint)
        self.by_order = by_order


class Wiped(AppError):
    """The store was wiped by the organisation. `kept` says where work is that was not sent."""

    exit_code = 4

    def __init__(self, title: str, hint: str = "", *, kept: str = "") -> None:
        super().__init__(title, hint)
        self.kept = kept


class Offline(AppError):
    """The server could not be reached; everything stays on this device."""

    exit_code = 5


class NotEnrolled(AppError):
    """This profile belongs to no organisation yet."""


class Busy(AppError):
    """Another process holds the profile."""


class NotFound(AppError):
    """No such record here."""


class NoSpace(AppError):
    """The disk is full; nothing was changed."""


class Stopped(AppError):
    """Broken off before it was done; nothing was changed."""


class KeyringUnreachable(AppError):
    """The system keyring does not answer, is locked, or is one that we do not trust."""


class KeyMissing(AppError):
    """The keyring answers, and our entry is not in it; nothing is made anew in its place."""


class StoreDamaged(AppError):
    """Header, state or store do not hold; nothing was changed."""


class Laid(StoreDamaged):
    """All may hold, but for a file that says of this device what no order stands behind; its hint is the way on."""


class NewerStore(AppError):
    """The store was made by a newer Fieldkeep."""


def not_written(error: OSError) -> AppError:
    """What to tell when a file of the profile could not be written; `write_whole` has left the old one."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(_("The disk is full; nothing was changed."), _("Free some space, then try again."))
    return AppError(
        _("A file of this profile could not be written; nothing was changed."),
        _("Check the rights of the profile's folder, then try again."),
    )


def unwritten(error: OSError) -> AppError:
    """What to tell when a file that a person chose could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(_("The disk is full; the file was not written."), _("Make room and try again."))
    return AppError(
        _("The file could not be written."), _("Choose a folder that is there and that you may write to.")
    )
