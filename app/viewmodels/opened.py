"""The records opened last and the commands used last, in memory alone: the palette begins with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from app.viewmodels import words
from app.viewmodels.address import Address
from app.viewmodels.reading import RowText, Shown, title
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.viewmodels.overview import Overview

KEPT: Final = 10
STAY_S: Final = 1.0  # a record that the arrow keys passed by was not opened


class Opened:
    """The records opened last, newest first. A record counts once one has stayed with it, or gone into it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: list[Shown] = []
        self._here: Shown | None = None
        self._since = 0.0
        self._expected = b""

    def show(self, shown: Overview | None) -> None:
        """This record is shown now, or none is."""
        here = None if shown is None else _row(shown)
        if here is not None and self._here is not None and here.id == self._here.id:
            self._here = here
            return
        if self._here is not None and self._clock() - self._since >= STAY_S:
            self.keep()
        self._here, self._since = here, self._clock()
        if here is not None and here.id == self._expected:
            self._expected = b""
            self.keep()

    def expect(self, id_: bytes) -> None:
        """This record was asked for by name: it counts as soon as it is shown."""
        self._expected = id_

    def keep(self) -> None:
        """The record that is shown was opened, however short a time it is shown."""
        if self._here is not None:
            self._kept = self.last()

    def last(self) -> list[Shown]:
        """The last records opened, the one that is shown now first."""
        here = self._here
        if here is None:
            return list(self._kept)
        return [here, *(each for each in self._kept if each.id != here.id)][:KEPT]

    def refresh(self, asked: Sequence[Address], found: Sequence[Shown]) -> None:
        """What was asked for as it is in the store now; what is there no more is forgotten."""
        ids = {id_ for _kind, id_ in asked}
        fresh = {each.id: each for each in found}
        self._kept = [
            fresh.get(each.id, each) for each in self._kept if each.id in fresh or each.id not in ids
        ]
        if self._here is not None and self._here.id in ids:
            self._here = fresh.get(self._here.id)

    def clear(self) -> None:
        """Hold nothing of any record any more."""
        self._kept, self._here = [], None


class Uses:
    """The commands used last; ids of commands alone, so this may outlive a lock."""

    def __init__(self) -> None:
        self._ids: list[str] = []

    def note(self, command: str) -> None:
        """A command was used, by whatever way."""
        if command in self._ids:
            self._ids.remove(command)
        self._ids.insert(0, command)

    def rank(self, command: str) -> int:
        """0 for the command used last, and so on; those never used share the last place."""
        return self._ids.index(command) if command in self._ids else len(self._ids)


def _row(shown: Overview) -> Shown:
    kind = shown.record.kind
    second = words.DOT.join(part for part in (_(kind.label), shown.second) if part)
    return Shown(kind.name, shown.record.id, RowText(title(shown.record), second))
