"""Where a passphrase comes from: a file that the environment names, or the terminal; never an argument."""

from __future__ import annotations

import functools
import getpass
import os
import stat
import sys
from pathlib import Path
from typing import Final

from sync.protocol import harmless
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

VARIABLE: Final = "FIELDKEEP_PASSPHRASE_FILE"
_FILE_MAX: Final = 1_024


def known() -> str:
    """The passphrase of a key that has one. Raises KnownError when there is nobody to ask."""
    if (text := _from_file()) is not None:
        return text
    if not sys.stdin.isatty():
        raise KnownError(
            _("This key is protected by a passphrase."),
            _("Run the command on a terminal, or name a file with it: {variable}").format(variable=VARIABLE),
        )
    return _asked(_("Passphrase of the organisation's keys: "))


def fresh() -> str:
    """A passphrase for new keys, typed twice; "" where none is wanted or nobody can be asked. Raises KnownError."""
    if (text := _from_file()) is not None:
        return text
    if not sys.stdin.isatty():
        return ""
    first = _asked(_("Passphrase for the organisation's keys (empty for none): "))
    if first and _asked(_("The same once more: ")) != first:
        raise KnownError(_("The two passphrases differ."), _("Start again; nothing was made."))
    return first


def _asked(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise KnownError(_("No passphrase was given."), _("Nothing was done.")) from None


def _from_file() -> str | None:
    name = os.environ.get(VARIABLE)
    if not name:
        return None
    try:
        with Path(name).open(encoding="utf-8") as stream:
            _tell_if_open_to_others(name, os.fstat(stream.fileno()).st_mode)
            text = stream.read(_FILE_MAX).strip("\r\n")
    except FileNotFoundError:
        title = _("The file that {variable} names is not there.")
        raise _refused(title, name, _("Check its name: {file}")) from None
    except (OSError, UnicodeDecodeError):
        title = _("The file that {variable} names cannot be read as text.")
        raise _refused(
            title, name, _("Check that it is a text file, and that you may read it: {file}")
        ) from None
    if not text:
        title = _("The file that {variable} names holds no passphrase.")
        raise _refused(title, name, _("Write the passphrase into it, on one line: {file}"))
    return text


def _refused(title: str, name: str, hint: str) -> KnownError:
    file = _shown(name)
    if not file:
        hint = _("It takes the name of a file, not the passphrase itself.")
    return KnownError(title.format(variable=VARIABLE), hint.format(file=file))


def _shown(name: str) -> str:
    """The name of a file, without its folder; "" where it may be a passphrase that was put there by mistake."""
    path = Path(name)
    is_name = os.path.exists(name) or (len(path.parts) > 1 and os.path.isdir(path.parent))  # noqa: PTH110, PTH112
    return harmless.line(path.name) if is_name else ""


@functools.cache  # a command that opens three keys says it once
def _tell_if_open_to_others(name: str, mode: int) -> None:
    """A word about a file that others may read; one that is handed over through a pipe is nobody else's."""
    if os.name == "nt" or not stat.S_ISREG(mode) or not mode & (stat.S_IRGRP | stat.S_IROTH):
        return
    print(
        _("Others on this machine may read the file that {variable} names.").format(variable=VARIABLE),
        file=sys.stderr,
    )
    print(_("Make it yours alone: chmod 600 {file}").format(file=_shown(name)), file=sys.stderr)
