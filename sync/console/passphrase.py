"""Where a passphrase comes from: a file that the environment names, or the terminal; never an argument."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Final

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
            text = stream.read(_FILE_MAX).strip("\r\n")
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text:
        raise KnownError(_("The file named by {variable} holds no passphrase.").format(variable=VARIABLE))
    return text
