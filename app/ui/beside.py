"""Makes the pages that take the place of list and detail, each imported with the first look at it.

Between the start of the program and its first list every module counts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtWidgets import QWidget

from app.commands import CONFLICTS, DUPLICATES, IMPORT, KEYS, SETTINGS, TODAY, TOTALS
from app.store.filters import Filter
from app.viewmodels.desk import Desk
from app.viewmodels.shell import Shell
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.ui.pages import Page


class Leading(Protocol):
    """Who leads from a page to what it names."""

    def open_record(self, kind: str, id_: bytes) -> None:
        """Show a record."""

    def make(self, kind: str, title: str) -> None:
        """Begin a record of a kind, with a title or without."""

    def go(self, section: str) -> None:
        """Show a section."""


def page_of(
    section: str, shell: Shell, desk: Desk, wear: Callable[[str], None], leading: Leading
) -> Page | None:
    """The page of a section, None for one that is a list; `wear` takes a change of theme."""
    if section == TODAY:
        from app.ui.today import TodayPage

        today = TodayPage(desk)
        today.opened.connect(leading.open_record)
        today.listed.connect(lambda kind, filter_: show_list(desk, leading, kind, filter_))
        today.turned.connect(leading.go)
        today.making.connect(lambda kind: leading.make(kind, ""))
        return today
    if section == TOTALS:
        from app.ui.totals import TotalsPage

        totals = TotalsPage(desk)
        totals.listed.connect(lambda kind, filter_: show_list(desk, leading, kind, filter_))
        totals.making.connect(lambda kind: leading.make(kind, ""))
        return totals
    if section == CONFLICTS:
        from app.ui.conflicts import ConflictsPage

        made = ConflictsPage(desk)
        made.opened.connect(desk.open)
        return made
    if section == DUPLICATES:
        from app.ui.duplicates import DuplicatesPage

        doubles = DuplicatesPage(desk)
        doubles.opened.connect(desk.open)
        return doubles
    if section == SETTINGS:
        from app.ui.settings import SettingsPage

        settings = SettingsPage(shell)
        settings.look_chosen.connect(wear)
        return settings
    if section == KEYS:
        from app.ui.keys_page import KeysPage

        return KeysPage()
    return None


def show_list(desk: Desk, leading: Leading, kind: str, filter_: Filter) -> None:
    """Show the list of a kind, narrowed to a filter."""
    leading.go(kind)
    desk.sections.show(filter_, desk.list.order)


def files_to_bring(owner: QWidget, desk: Desk) -> list[Path] | None:
    """The files to import, none where an import is under way and to be shown; None when nothing is to be shown."""
    if IMPORT in desk.beside:
        from app.viewmodels.bringing import kept

        under_way = kept(desk)
        if under_way is not None:
            return None if under_way.shown else []
    return _asked_for(owner) or None


def _asked_for(owner: QWidget) -> list[Path]:
    from PySide6.QtWidgets import QFileDialog  # large, and no start asks for a file

    names, _filter = QFileDialog.getOpenFileNames(
        owner, _("Import files"), "", _("Tables (*.csv *.tsv *.txt *.xlsx)")
    )
    return [Path(name) for name in names]


def import_page(desk: Desk, paths: list[Path], done: Callable[[], None]) -> Page:
    """The page that shows what files would bring, or the import that is under way; `done` when it is over."""
    from app.ui.importing import ImportPage
    from app.viewmodels.bringing import Bringing, kept

    page = ImportPage(kept(desk) or Bringing(desk, paths))
    page.done.connect(done)
    return page
