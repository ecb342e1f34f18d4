"""Commands on keys, and keys in the words of the reader's system."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from app.commands import COMMANDS, Command, Doing
from sync.protocol.texts import gettext as _


def bind(owner: QWidget, doing: Doing) -> list[QShortcut]:
    """Put every command on its keys while `owner`'s window is in front."""
    made = []
    for command in COMMANDS:
        for keys in command.keys:
            shortcut = QShortcut(QKeySequence(keys), owner)
            shortcut.activated.connect(lambda command=command: command.run(doing))
            made.append(shortcut)
    return made


def shown_keys(command: Command) -> str:
    """The first keys of a command as the system writes them, "" for a command without keys."""
    if not command.keys:
        return ""
    return QKeySequence(command.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)


def tip(command: Command) -> str:
    """A tooltip: what it does and by which keys."""
    keys = shown_keys(command)
    return f"{_(command.title)} ({keys})" if keys else _(command.title)
