"""Opens the palette over the workplace, knows what was opened and used last, and has answers done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import QObject
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QWidget

from app.commands import PALETTE, Command, Now
from app.viewmodels.desk import Desk
from app.viewmodels.opened import Opened, Uses

if TYPE_CHECKING:
    from app.ui.command_palette import CommandPalette
    from app.viewmodels.offers import Offer

_GO_ON: Final = frozenset({PALETTE, "lock", "sync"})  # commands whose keys work while the palette is open


class Answering(Protocol):
    """Who does what was answered."""

    def run(self, command: Command) -> None:
        """Run a command."""

    def open_record(self, kind: str, id_: bytes) -> None:
        """Show a record."""

    def make(self, kind: str, title: str) -> None:
        """Begin a record of a kind, with a title or without."""

    def begin(self) -> None:
        """Put the focus where it begins."""

    def now(self) -> Now:
        """How things stand, for what is possible."""


class Asking(QObject):
    """`palette` is the one that is open, or None. After `let_go` nothing of any record is held."""

    def __init__(
        self,
        owner: QWidget,
        desk: Desk,
        uses: Uses,
        answering: Answering,
        shortcuts: dict[str, list[QShortcut]],
    ) -> None:
        super().__init__(owner)
        self.palette: CommandPalette | None = None
        self.opened = Opened()
        self.uses = uses
        self._owner = owner
        self._desk = desk
        self._answering = answering
        self._shortcuts = shortcuts
        self._unwatch = desk.on_detail.watch(lambda: self.opened.show(desk.detail))

    def toggle(self) -> None:
        """Open the palette, or leave it when it is open."""
        if self.palette is not None:
            self.palette.leave()
            return
        from app.ui.command_palette import CommandPalette  # the list is shown before anybody asks
        from app.viewmodels.palette import Palette

        desk = self._desk
        answers = Palette(desk.session, desk.errands, self.opened, self.uses, self._answering.now())
        self.palette = CommandPalette(self._owner, answers)
        self.palette.taken.connect(self._take)
        self.palette.gone.connect(self._gone)
        self._bind(to=False)

    def let_go(self) -> None:
        """Stop watching: the window shows something else next."""
        self._unwatch()
        if self.palette is not None:
            self.palette.let_go()
            self.palette = None
        self.opened.clear()

    def _gone(self, back: bool) -> None:
        self.palette = None
        self._bind(to=True)
        if not back:
            self._answering.begin()

    def _bind(self, *, to: bool) -> None:
        """While one asks, keys of what lies below would do things behind one's back."""
        for id_, shortcuts in self._shortcuts.items():
            for shortcut in shortcuts if id_ not in _GO_ON else ():
                shortcut.setEnabled(to)

    def _take(self, offer: Offer) -> None:
        from app.viewmodels.offers import Act

        if offer.act is Act.OPEN:
            self.opened.expect(offer.id)
            self._answering.open_record(offer.kind, offer.id)
        elif offer.act is Act.MAKE:
            self._answering.make(offer.kind, offer.text)
        elif offer.command is not None:
            self._answering.run(offer.command)
