"""The one table of commands: what can be done, by which keys and when; shortcuts, palette, tooltips and F1 read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from sync.protocol.kinds import KINDS
from sync.protocol.texts import mark as N_


class Doing(Protocol):
    """What commands ask of whoever runs them."""

    def open_palette(self) -> None:
        """Ask in one field where to go, what to do or what to make; close it when it is open."""

    def seek(self) -> None:
        """Go to the search field."""

    def narrow(self) -> None:
        """Begin a condition of the list's filter."""

    def new(self) -> None:
        """Begin a record of the kind that is shown."""

    def undo(self) -> None:
        """Take back what was saved last."""

    def delete(self) -> None:
        """Delete the record that is shown."""

    def edit(self) -> None:
        """Go into the form."""

    def tear_off(self) -> None:
        """Show the record in a window of its own."""

    def next(self) -> None:
        """Done with this record: go into the next one of the list."""

    def lock(self) -> None:
        """Lock."""

    def sync_now(self) -> None:
        """Exchange with the server now."""

    def travel(self) -> None:
        """Begin a journey, for which what is confidential leaves this device, or end it."""

    def go(self, section: str) -> None:
        """Show a section."""

    def back(self) -> None:
        """Go back to what was shown before."""

    def forth(self) -> None:
        """Go forth again."""

    def bring_in(self) -> None:
        """Import files."""


class Now(msgspec.Struct, frozen=True):
    """How things stand in the window: what a command asks before it is offered."""

    section: str = ""
    record: bool = False  # a record is shown
    form: bool = False  # a record is shown, or one is being made
    next: bool = False  # the list goes on after the chosen row
    undo: bool = False
    back: bool = False
    forth: bool = False
    changes: bool = True  # this person's role makes and changes records


def _always(_now: Now) -> bool:
    return True


def _changing(now: Now) -> bool:
    return now.changes


class Command(msgspec.Struct, frozen=True):
    """One thing to do.

    `keys` are in Qt's portable form, the first one is shown; `group` orders the F1 page. `possible` says whether
    it is offered; a key that is pressed all the same does nothing or says why. `also` holds more words that people
    look for it by, parted by "; ".
    """

    id: str
    title: str
    keys: tuple[str, ...]
    group: str
    run: Callable[[Doing], None]
    possible: Callable[[Now], bool] = _always
    icon: str = "command"
    also: str = ""


class Within(msgspec.Struct, frozen=True):
    """Keys that belong to whichever part has the focus: told on the F1 page, bound by the part itself."""

    title: str
    keys: tuple[str, ...]


FIND: Final = N_("Find")
DO: Final = N_("Do")
GO: Final = N_("Go")
HERE: Final = N_("Where you are")

TODAY: Final = "today"
TOTALS: Final = "totals"
CONFLICTS: Final = "conflicts"
DUPLICATES: Final = "duplicates"
SETTINGS: Final = "settings"
KEYS: Final = "keys"
IMPORT: Final = "import"

KEEPING: Final = "K"
TAKING: Final = "T"
JOINING: Final = "J"
PARTING: Final = "D"

PALETTE: Final = "palette"


def _show(section: str) -> Callable[[Doing], None]:
    return lambda doing: doing.go(section)


def _elsewhere(section: str) -> Callable[[Now], bool]:
    return lambda now: now.section != section


_FIRST_OF_PAGES: Final = 8  # from this digit on, keys lead to pages that are no lists

_SECTIONS = tuple(
    Command(
        f"go_{kind.name}",
        kind.plural,
        (f"Ctrl+{at}",) if at < _FIRST_OF_PAGES else (),
        GO,
        _show(kind.name),
        _elsewhere(kind.name),
        kind.icon,
    )
    for at, kind in enumerate(sorted(KINDS.values(), key=lambda kind: kind.order), 1)
)

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        PALETTE, N_("Go anywhere, do or make anything"), ("Ctrl+K",), FIND, lambda doing: doing.open_palette()
    ),
    Command(
        "find",
        N_("Find customers, deals, notes"),
        ("Ctrl+F",),
        FIND,
        lambda doing: doing.seek(),
        icon="search",
        also=N_("search; filter"),
    ),
    Command(
        "filter",
        N_("Filter this list"),
        ("Ctrl+Shift+F",),
        FIND,
        lambda doing: doing.narrow(),
        lambda now: now.section in KINDS,
        "filter",
        N_("narrow; only some"),
    ),
    Command(
        "new",
        N_("New record of this kind"),
        ("Ctrl+N",),
        DO,
        lambda doing: doing.new(),
        _changing,
        icon="plus",
        also=N_("create; add"),
    ),
    Command(
        "edit",
        N_("Edit this record"),
        ("Ctrl+E",),
        DO,
        lambda doing: doing.edit(),
        lambda now: now.form and now.changes,
        "edit",
    ),
    Command(
        "tear_off",
        N_("Show in a window of its own"),
        ("Ctrl+T",),
        DO,
        lambda doing: doing.tear_off(),
        lambda now: now.record,
        "window",
        N_("tear off; second window"),
    ),
    Command(
        "next",
        N_("Done, and the next one"),
        ("Ctrl+Enter", "Ctrl+Return"),
        DO,
        lambda doing: doing.next(),
        lambda now: now.next,
        "check",
    ),
    Command(
        "undo",
        N_("Undo the last save"),
        ("Ctrl+Z",),
        DO,
        lambda doing: doing.undo(),
        lambda now: now.undo,
        "undo",
    ),
    Command(
        "delete",
        N_("Delete this record"),
        ("Ctrl+Del",),
        DO,
        lambda doing: doing.delete(),
        lambda now: now.record and now.changes,
        "bin",
        N_("remove"),
    ),
    Command(IMPORT, N_("Import files"), ("Ctrl+I",), DO, lambda doing: doing.bring_in(), _changing, "import"),
    Command(
        "sync",
        N_("Sync now"),
        ("F5",),
        DO,
        lambda doing: doing.sync_now(),
        icon="cloud-up",
        also=N_("send; fetch"),
    ),
    Command(
        "travel",
        N_("Travel: begin or end a journey"),
        (),
        DO,
        lambda doing: doing.travel(),
        icon="lock",
        also=N_("leave at home; border; trip"),
    ),
    Command("lock", N_("Lock"), ("Ctrl+L",), DO, lambda doing: doing.lock(), icon="lock"),
    Command(
        "today",
        N_("Today"),
        ("Ctrl+0",),
        GO,
        _show(TODAY),
        _elsewhere(TODAY),
        "today",
        N_("overdue; due; agenda; day"),
    ),
    *_SECTIONS,
    Command(
        "totals",
        N_("Totals"),
        ("Ctrl+9",),
        GO,
        _show(TOTALS),
        _elsewhere(TOTALS),
        "totals",
        N_("figures; dashboard; report; chart; pipeline"),
    ),
    Command(
        "conflicts",
        N_("Conflicts"),
        ("Ctrl+8",),
        GO,
        _show(CONFLICTS),
        _elsewhere(CONFLICTS),
        "conflict",
        N_("two values; not accepted"),
    ),
    Command(
        "duplicates",
        N_("Possible duplicates"),
        ("Ctrl+D",),
        GO,
        _show(DUPLICATES),
        _elsewhere(DUPLICATES),
        "duplicate",
        N_("join; merge; twice; the same customer"),
    ),
    Command(
        "settings",
        N_("Settings"),
        ("Ctrl+,",),
        GO,
        _show(SETTINGS),
        _elsewhere(SETTINGS),
        "settings",
        N_("preferences; language; theme"),
    ),
    Command("back", N_("Back"), ("Alt+Left",), GO, lambda doing: doing.back(), lambda now: now.back, "back"),
    Command(
        "forth",
        N_("Forward"),
        ("Alt+Right",),
        GO,
        lambda doing: doing.forth(),
        lambda now: now.forth,
        "chevron",
    ),
    Command(
        "keys",
        N_("Keys"),
        ("F1",),
        GO,
        _show(KEYS),
        _elsewhere(KEYS),
        "keyboard",
        N_("help; shortcuts"),
    ),
)
BY_ID: Final = {command.id: command for command in COMMANDS}

WITHIN: Final[tuple[Within, ...]] = (
    Within(N_("Choose a row, or an answer of the palette"), ("Up", "Down")),
    Within(N_("The first and the last row"), ("Home", "End")),
    Within(N_("Select the row, or no longer"), ("Space",)),
    Within(N_("Select on to the next row"), ("Shift+Up", "Shift+Down")),
    Within(N_("Select all of the list"), ("Ctrl+A",)),
    Within(N_("Go into the record"), ("Return",)),
    Within(N_("On Today: mark the task as done"), ("Space",)),
    Within(N_("On Conflicts: keep what stands"), (KEEPING,)),
    Within(N_("On Conflicts: take the other"), (TAKING,)),
    Within(N_("On Duplicates: make them one"), (JOINING,)),
    Within(N_("On Duplicates: they are different"), (PARTING,)),
    Within(N_("The next field, and the one before"), ("Tab", "Shift+Tab")),
    Within(N_("Close the window of a record"), ("Ctrl+W",)),
    Within(N_("Back: out of the form, the search, the page or the palette"), ("Esc",)),
)
