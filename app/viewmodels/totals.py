"""The page “Totals”: what is asked there, and the answer, read again with news while somebody looks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Protocol

import msgspec

from app.services.session import Session
from app.viewmodels import figures
from app.viewmodels.base import Errands, Watched
from app.viewmodels.figures import Asked, Shown, When
from app.viewmodels.records import now_ms
from app.viewmodels.steady import Steady


class Workplace(Protocol):
    """What the totals need of the desk."""

    session: Session
    errands: Errands
    on_news: Watched
    currency: Callable[[], str]


class Totals(Steady[Shown]):
    """Kept while the desk is open, so that one comes back to what was asked last."""

    def __init__(self, desk: Workplace, clock: Callable[[], int] = now_ms) -> None:
        super().__init__(desk)
        self.kind = figures.kinds()[0]
        self.asked = Asked(figures.fields(self.kind)[0])
        self.shown: Shown | None = None
        self._desk = desk
        self._clock = clock
        self._said = False  # which records are meant

    def ask(
        self,
        *,
        by: str | None = None,
        state: str | None = None,
        when: When | None = None,
        mine: bool | None = None,
        currency: str | None = None,
    ) -> None:
        """Ask something else; what is left out stays.

        Until somebody says which records are meant, a field that does not part them by how they stand is asked of those
        that are open: a sum of won and lost says nothing.
        """
        self._said |= state is not None
        if by is not None and not self._said and self.kind.ahead is not None:
            state = figures.ALL if by == self.kind.ahead.over[0] else figures.OPEN
        given = {"by": by, "state": state, "when": when, "mine": mine, "currency": currency}
        changed = msgspec.structs.replace(
            self.asked, **{name: value for name, value in given.items() if value is not None}
        )
        if changed != self.asked:
            self.asked = changed
            self.look_again()

    def close(self) -> None:
        """Hold nothing of any record any more."""
        super().close()
        self.shown = None

    def asking(self) -> tuple[Callable[[], Shown], Callable[[Shown], bool]]:
        """The figures of what is asked now."""
        session, kind, asked, own = self._desk.session, self.kind, self.asked, self._desk.currency()
        today = dt.datetime.fromtimestamp(self._clock() / 1000).astimezone().date()

        def keep(found: Shown) -> bool:
            if found.asked != self.asked:
                return False
            self.shown = found
            return True

        return lambda: session.read(figures.read, kind, asked, today, own), keep
