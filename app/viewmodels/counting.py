"""The figures of the rail, read beside whatever else is done; they follow news and the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from app.services.session import Session
from app.viewmodels import reading
from app.viewmodels.base import Errands, Watched
from app.viewmodels.reading import Counts
from app.viewmodels.records import now_ms
from sync.protocol.errors import KnownError
from sync.protocol.roles import may_change


class Counting(Watched):
    """Watchers hear of new figures. One reading at a time: news that come meanwhile are followed by one more."""

    def __init__(self, session: Session, errands: Errands, clock: Callable[[], int] = now_ms) -> None:
        super().__init__()
        self.found: Counts | None = None
        self.clock = clock
        self._session = session
        self._errands = errands
        self._reading = False
        self._stale = False
        self._day = dt.date.min

    def read(self) -> None:
        """Read the figures."""
        if self._reading:
            self._stale = True
            return
        self._reading, self._stale = True, False
        at = self.clock()
        self._day = _day_of(at)
        has_tasks = may_change(self._session.card.person.role)
        self._errands.read(
            lambda: self._session.read(reading.counts, at, has_tasks), self._take, self._give_up
        )

    def of_another_day(self) -> bool:
        """Whether what was read last was another day's."""
        return self._day != dt.date.min and self._day != _day_of(self.clock())

    def _take(self, found: Counts) -> None:
        self.found = found
        self.tell()
        self._go_on()

    def _give_up(self, _problem: KnownError) -> None:
        self._go_on()

    def _go_on(self) -> None:
        self._reading = False
        if self._stale:
            self.read()


def _day_of(at_ms: int) -> dt.date:
    return dt.datetime.fromtimestamp(at_ms / 1000).astimezone().date()
