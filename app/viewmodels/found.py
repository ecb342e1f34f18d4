"""What a search finds over all kinds, as a list; the last letters typed win over those before."""

from __future__ import annotations

from collections.abc import Callable

from app.changes import Changes
from app.services.session import Session
from app.viewmodels import reading
from app.viewmodels.base import Errands, Watched
from app.viewmodels.reading import RowText, Shown
from app.viewmodels.records import now_ms


class FoundList(Watched):
    """What a search finds over all kinds, as a list; the last letters typed win over those before."""

    def __init__(self, session: Session, errands: Errands) -> None:
        super().__init__()
        self.text = ""
        self.ready = False
        self.on_rows: Callable[[int, int], None] | None = None
        self._session = session
        self._errands = errands
        self._found: list[Shown] = []
        self._running = False
        self._again = False

    def count(self) -> int:
        """How many rows there are."""
        return len(self._found)

    def row(self, at: int) -> RowText | None:
        """What the row says."""
        return self._found[at].text

    def shown(self, at: int) -> Shown | None:
        """Which record stands at a row."""
        return self._found[at] if 0 <= at < len(self._found) else None

    def rowid(self, at: int) -> int | None:
        """A number that stands for the record at a row, as in other lists."""
        return hash(self._found[at].id) if 0 <= at < len(self._found) else None

    def at(self, rowid: int | None) -> int:
        """Where such a number stands now; -1 when it is not there."""
        return next((at for at, each in enumerate(self._found) if hash(each.id) == rowid), -1)

    def look(self, rows: range) -> None:
        """All rows are here already."""

    def find(self, text: str) -> None:
        """Search for this; an empty text finds nothing."""
        self.text = text
        self.load()

    def load(self) -> None:
        """Search again for what stands in the field."""
        if self._running:
            self._again = True
            return
        text = self.text.strip()
        if not text:
            self._take("", [])
            return
        self._running = True
        self._errands.read(
            lambda: self._session.read(reading.find, text, now_ms()),
            lambda found: self._take(text, found),
            lambda _problem: self._take(text, []),
        )

    def heard(self, changes: Changes) -> None:
        """Take in news from the store."""
        if self.text.strip():
            self.load()

    def close(self) -> None:
        """Hold nothing of any record any more."""
        self._found = []
        self.text = ""
        self.on_rows = None
        self._watchers.clear()

    def _take(self, text: str, found: list[Shown]) -> None:
        self._running = False
        if self._again:
            self._again = False
            self.load()
            return
        self._found = found if text == self.text.strip() else []
        self.ready = True
        self.tell()
