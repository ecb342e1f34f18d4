"""Asks for a PIN on the terminal, or reads it from the file that a variable names; never from arguments."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from app.errors import AppError, Locked
from app.keys.secret import SecretBytes
from app.services.session import LOCK_UI, Session
from app.services.strength import OBVIOUS, Meter
from app.services.why_locked import ASKS_PIN
from sync.protocol.documents import PinRule
from sync.protocol.texts import gettext as _

PIN_MAX = 1_024  # bytes
VARIABLE = "FIELDKEEP_PASSPHRASE_FILE"
NEW_VARIABLE = "FIELDKEEP_NEW_PIN_FILE"


def open_by_pin(session: Session, *, wanted: bool = True) -> None:
    """Where nothing but the PIN keeps the store shut, ask for it; without `wanted` only where it can be had without a
    word. Raises Locked, and what unlocking raises."""
    if session.stage != LOCK_UI or session.state.locked_because != ASKS_PIN:
        return
    if wanted or os.environ.get(VARIABLE) or sys.stdin.isatty():
        session.unlock(ask())


def ask() -> SecretBytes:
    """The PIN in force. Raises Locked, AppError."""
    return _asked(_("PIN: "), VARIABLE)


def ask_new(rule: PinRule) -> SecretBytes:
    """A new one, twice; how long it holds is said. Raises Locked, AppError."""
    from app.viewmodels.pin import words_of  # nobody else here needs it

    made = _asked(_("New PIN: "), NEW_VARIABLE)
    if not os.environ.get(NEW_VARIABLE):
        with _asked(_("Once more: "), NEW_VARIABLE) as again:
            if not made.same(again):
                made.wipe()
                raise AppError(_("Both must be the same."), _("Nothing was changed. Try again."))
    if made.letters >= rule.min_len:
        meter = Meter()
        try:
            tries = meter.tries(made)
        finally:
            meter.close()
        if tries is not None:
            if tries < OBVIOUS:
                raise AppError(words_of(tries), _("Nothing was changed."))
            print(words_of(tries), file=sys.stderr)
    return made


def _asked(prompt: str, variable: str) -> SecretBytes:
    named = os.environ.get(variable)
    if named:
        return _from_file(Path(named), variable)
    if not sys.stdin.isatty():
        raise Locked(_("A PIN is needed."), _("Name a file with it in {variable}.").format(variable=variable))
    return SecretBytes(getpass.getpass(prompt).encode())


def _from_file(path: Path, variable: str) -> SecretBytes:
    try:
        with path.open("rb") as file:
            found = SecretBytes(file.read(PIN_MAX).strip())
    except FileNotFoundError:
        title, hint = _("The file that {variable} names is not there."), _("Check its name.")
    except OSError:
        title, hint = _("The file that {variable} names cannot be read."), _("Check that you may read it.")
    else:
        if len(found):
            return found
        title, hint = _("The file that {variable} names is empty."), _("Write the PIN into it, on one line.")
    raise AppError(title.format(variable=variable), hint)
