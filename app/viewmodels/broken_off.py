"""An import that a crash or a lock broke off: told once the list is there, with a way to begin it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.store import begun
from app.viewmodels.base import ignore
from app.viewmodels.telling import Aside
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.viewmodels.desk import Desk


def look(desk: Desk) -> None:
    """Tell of it if there is one."""

    def take(files: list[Path]) -> None:
        if files:
            said = _("An import was broken off, and nothing of it came in.")
            desk.aside = Aside(said, again=tuple(files))
            desk.on_aside.tell()

    desk.errands.read(lambda: desk.session.read(begun.imports), take)


def again(desk: Desk) -> list[Path]:
    """Its files, to be looked at anew; it is told no more."""
    files = list(desk.aside.again) if desk.aside is not None else []
    dismiss(desk)
    return files


def dismiss(desk: Desk) -> None:
    """Take the line away: whoever has read it knows."""
    if desk.aside is not None and desk.aside.again:
        desk.errands.run(lambda: desk.session.call(begun.forget_import), ignore)
    desk.hush()
