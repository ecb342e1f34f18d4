"""Makes the pages that take the place of list and detail, each imported with the first look at it.

Between the start of the program and its first list every module counts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands import CONFLICTS, KEYS, SETTINGS
from app.viewmodels.desk import Desk
from app.viewmodels.shell import Shell

if TYPE_CHECKING:
    from app.ui.pages import Page


def page_of(section: str, shell: Shell, desk: Desk, wear: Callable[[str], None]) -> Page | None:
    """The page of a section, None for one that is a list; `wear` takes a change of theme."""
    if section == CONFLICTS:
        from app.ui.conflicts import ConflictsPage

        made = ConflictsPage(desk)
        made.opened.connect(desk.open)
        return made
    if section == SETTINGS:
        from app.ui.settings import SettingsPage

        settings = SettingsPage(shell)
        settings.look_chosen.connect(wear)
        return settings
    if section == KEYS:
        from app.ui.keys_page import KeysPage

        return KeysPage()
    return None


def import_page(desk: Desk, paths: list[Path], done: Callable[[], None]) -> Page:
    """The page that shows what files would bring; `done` when it is over."""
    from app.ui.importing import ImportPage
    from app.viewmodels.bringing import Bringing

    page = ImportPage(Bringing(desk, paths))
    page.done.connect(done)
    return page
