"""What a search finds over all kinds, as a list; the last letters typed win over those before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from app.changes import SYNC, Changes
from app.services.session import Session
from app.store.asking import Asking
from app.viewmodels import reading
from app.viewmodels.base import Errands, Watched
from app.viewmodels.reading import FOUND_FIRST, FOUND_MAX, RowText, Shown
from app.viewmodels.records import now_ms
from sync.protocol.errors import KnownError

REST_S: Final = 0.15  # without a further letter, until the rest is looked for too
NEWS_S: Final = 0.5  # from what a server sends until it is looked for again


class FoundList(Watched):
    """What a search finds over all kinds, as a list; the last letters typed win over those before."""

    def __init__(self, session: Session, errands: Errands) -> None:
        super().__init__()
        self.text = ""
        self.ready = False
        self.more = False  # there is more than the rows that are shown
        self.prepared = 100  # per cent of the book that search looks in; less only after an update
        self.on_rows: Callable[[int, int], None] | None = None
        self._session = session
        self._errands = errands
        self._found: list[Shown] = []
        self.answered = ""  # the text that the rows belong to
        self._asking: Asking | None = None
        self._news = False  # something has changed meanwhile
        self._rest: threading.Timer | None = None
        self._rest_for = ""  # the text of which only the first is here
        self._rests_until = 0.0

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

    @property
    def pending(self) -> bool:
        """Whether the rows belong to a text before the one that stands in the field."""
        return self.text.strip() != self.answered

    def look(self, rows: range) -> None:
        """Who comes near the last row that is here does not wait for more."""
        if self._rest_for and rows.start > 0 and rows.stop >= len(self._found):
            self._go_on()

    def find(self, text: str) -> None:
        """Search for this; an empty text finds nothing."""
        self.text = text
        self.load()

    def load(self) -> None:
        """Search again for what stands in the field; a search under way is broken off."""
        if self._asking is not None:
            self._asking.take_back()
            return
        text = self.text.strip()
        if not text:
            self._show("", [])
            return
        # Who scrolls among what was found keeps their place while it is found again.
        self._ask(text, whole=text == self.answered and bool(self._found))

    def _ask(self, text: str, *, whole: bool) -> None:
        """The first of what is found, or all that is shown of it."""
        session, asking = self._session, Asking()
        self._asking = asking

        def look() -> tuple[list[Shown], int]:
            prepared = session.read(reading.prepared)
            if whole:
                return session.read(reading.find, text, now_ms(), FOUND_MAX + 1, asking), prepared
            return session.read(reading.glance, text, now_ms(), asking), prepared

        def take(answer: tuple[list[Shown], int]) -> None:
            found, self.prepared = answer
            self._asking = None
            if text != self.text.strip():
                self.load()
                return
            self._show(text, found[:FOUND_MAX], more=len(found) > (FOUND_MAX if whole else FOUND_FIRST - 1))
            if found and not whole:
                self._rest_for = text
                self._later(REST_S, anew=True)
            elif self._news:
                self._rest_for = text
                self._later(NEWS_S)
            self._news = False

        def broken_off(_problem: KnownError) -> None:
            self._asking = None
            if asking.taken_back:  # another text is wanted meanwhile, or the same once more
                self.load()
            else:
                self._show(text, [])

        self._errands.read(look, take, broken_off)

    def _later(self, seconds: float, *, anew: bool = False) -> None:
        """Look for all of it in a while: every letter would wait for what the one before still looks for."""
        if anew:
            self._rests_until = time.monotonic() + seconds
        # One timer for many letters: to start a thread takes longer than to paint a row.
        if self._rest is None:
            self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        self._rest = threading.Timer(seconds, lambda: self._errands.post(self._rested))
        self._rest.daemon = True
        self._rest.start()

    def _rested(self) -> None:
        self._rest = None
        left = self._rests_until - time.monotonic()
        if left > 0 and self._rest_for:
            self._wait(left)
        else:
            self._go_on()

    def _go_on(self) -> None:
        text, self._rest_for = self._rest_for, ""
        if text and text == self.text.strip() and self._asking is None:
            self._ask(text, whole=True)

    def heard(self, changes: Changes) -> None:
        """Take in news from the store. Those of a server come faster than answers: what was found is shown first."""
        text = self.text.strip()
        if self._asking is not None:
            self._news = True
        elif text and changes.origin == SYNC:
            self._rest_for = text
            self._later(NEWS_S)
        elif text:
            self.load()

    def close(self) -> None:
        """Hold nothing of any record any more."""
        if self._asking is not None:
            self._asking.take_back()
        if self._rest is not None:
            self._rest.cancel()
        self._found = []
        self.text = self.answered = self._rest_for = ""
        self.on_rows = None
        self._watchers.clear()

    def _show(self, text: str, found: list[Shown], *, more: bool = False) -> None:
        self._found = found
        self.more = more and bool(found)
        self.answered = text
        self.ready = True
        self.tell()
