"""The one table of commands: what can be done, by which keys and when; it feeds shortcuts, tooltips and the F1 page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from sync.protocol.kinds import KINDS
from sync.protocol.texts import mark as N_


class Doing(Protocol):
    """What commands ask of whoever runs them."""

    def seek(self) -> None:
        """Go to the search field."""

    def new(self) -> None:
        """Begin a record of the kind that is shown."""

    def undo(self) -> None:
        """Take back what was saved last."""

    def delete(self) -> None:
        """Delete the record that is shown."""

    def edit(self) -> None:
        """Go into the form."""

    def next(self) -> None:
        """Done with this record: go into the next one of the list."""

    def lock(self) -> None:
        """Lock."""

    def sync_now(self) -> None:
        """Exchange with the server now."""

    def go(self, section: str) -> None:
        """Show a section."""

    def back(self) -> None:
        """Go back to what was shown before."""

    def forth(self) -> None:
        """Go forth again."""

    def bring_in(self) -> None:
        """Import files."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do. `keys` are in Qt's portable form, the first one is shown; `group` orders the F1 page."""

    id: str
    title: str
    keys: tuple[str, ...]
    group: str
    run: Callable[[Doing], None]


FIND: Final = N_("Find")
DO: Final = N_("Do")
GO: Final = N_("Go")

CONFLICTS: Final = "conflicts"
SETTINGS: Final = "settings"
KEYS: Final = "keys"


def _show(section: str) -> Callable[[Doing], None]:
    return lambda doing: doing.go(section)


_SECTIONS = tuple(
    Command(f"go_{kind.name}", kind.plural, (f"Ctrl+{at}",), GO, _show(kind.name))
    for at, kind in enumerate(sorted(KINDS.values(), key=lambda kind: kind.order), 1)
)

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "find", N_("Find customers, deals, notes"), ("Ctrl+K", "Ctrl+F"), FIND, lambda doing: doing.seek()
    ),
    Command("new", N_("New record of this kind"), ("Ctrl+N",), DO, lambda doing: doing.new()),
    Command("edit", N_("Edit this record"), ("Ctrl+E",), DO, lambda doing: doing.edit()),
    Command("next", N_("Done, and the next one"), ("Ctrl+Return",), DO, lambda doing: doing.next()),
    Command("undo", N_("Undo the last save"), ("Ctrl+Z",), DO, lambda doing: doing.undo()),
    Command("delete", N_("Delete this record"), ("Ctrl+Del",), DO, lambda doing: doing.delete()),
    Command("import", N_("Import files"), ("Ctrl+I",), DO, lambda doing: doing.bring_in()),
    Command("sync", N_("Sync now"), ("F5",), DO, lambda doing: doing.sync_now()),
    Command("lock", N_("Lock"), ("Ctrl+L",), DO, lambda doing: doing.lock()),
    *_SECTIONS,
    Command("conflicts", N_("Conflicts"), ("Ctrl+8",), GO, _show(CONFLICTS)),
    Command("settings", N_("Settings"), ("Ctrl+,",), GO, _show(SETTINGS)),
    Command("back", N_("Back"), ("Alt+Left",), GO, lambda doing: doing.back()),
    Command("forth", N_("Forward"), ("Alt+Right",), GO, lambda doing: doing.forth()),
    Command("keys", N_("Keys"), ("F1",), GO, _show(KEYS)),
)
BY_ID: Final = {command.id: command for command in COMMANDS}
