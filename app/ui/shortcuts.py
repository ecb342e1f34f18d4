"""Commands on keys, and keys in the words of the reader's system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from app.commands import COMMANDS, Command
from sync.protocol.texts import gettext as _

# Names that Qt writes otherwise than keyboards do; macOS has signs for all of them.
_SIGNS: Final = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓", "Return": "Enter"}


def bind(owner: QWidget, run: Callable[[Command], None]) -> dict[str, list[QShortcut]]:
    """Put every command on its keys while `owner`'s window is in front; the shortcuts by the command's id."""
    made: dict[str, list[QShortcut]] = {}
    for command in COMMANDS:
        for keys in command.keys:
            shortcut = QShortcut(QKeySequence(keys), owner)
            shortcut.activated.connect(lambda command=command: run(command))
            made.setdefault(command.id, []).append(shortcut)
    return made


def spelled(keys: str) -> str:
    """Keys in Qt's portable form as the system and its keyboards write them."""
    native = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
    head, plus, last = native.rpartition("+")
    return f"{head}{plus}{_SIGNS.get(last, last)}"


def all_keys(keys: tuple[str, ...]) -> list[str]:
    """Every way to press something, each once: the two Enter keys are one to people."""
    return list(dict.fromkeys(spelled(each) for each in keys))


def shown_keys(command: Command) -> str:
    """The first keys of a command as the system writes them, "" for a command without keys."""
    return spelled(command.keys[0]) if command.keys else ""


def tip(command: Command) -> str:
    """A tooltip: what it does and by which keys."""
    keys = shown_keys(command)
    return f"{_(command.title)} ({keys})" if keys else _(command.title)
