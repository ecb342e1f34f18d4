"""When to exchange: soon after typing settles, at least once a minute, and ever more slowly while it fails."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

SETTLE_S: Final = 1.0  # after the last edit
LONGEST_WAIT_S: Final = 60.0  # after the first edit, and between two exchanges with nothing to send
BACKOFF_FIRST_S: Final = 1.0
BACKOFF_LAST_S: Final = 300.0
POKED_S: Final = 0.25  # between two exchanges that the server asks for
LOST_FIRST_S: Final = 1.0  # after a line was lost, at the soonest: by itself that is no outage
LOST_SPREAD_S: Final = 4.0  # over which devices come that lost their lines together


@dataclass(frozen=True, slots=True)
class Pace:
    """What the next exchange waits for. Times are seconds of one monotonic clock."""

    last_exchange: float
    first_edit: float | None = None
    last_edit: float | None = None
    failures: int = 0
    retry_at: float = 0.0
    asked: bool = True  # the first exchange, or a person pressing the button
    poked: bool = False  # the server says that there is something
    heeding: bool = False  # the server has said for how long to stay away
    look_at: float | None = None  # a line was lost: by then it is to be known whether the server is there

    def edited(self, now: float) -> Pace:
        """An edit was saved."""
        first = now if self.first_edit is None else self.first_edit
        return replace(self, first_edit=first, last_edit=now)

    def wanted(self) -> Pace:
        """A person asked for an exchange now: any waiting is over."""
        return replace(self, asked=True, retry_at=0.0)

    def told(self) -> Pace:
        """The server says that there is something; a failure's wait goes on, or each poke would be a failure more."""
        return replace(self, poked=True)

    def reached(self) -> Pace:
        """The server has just answered somebody else of this device: waiting for it is over, unless it asked for it."""
        return replace(self, poked=True, retry_at=self.retry_at if self.heeding else 0.0)

    def lost(self, now: float, luck: float) -> Pace:
        """The line to the server was lost; `luck` in [0, 1) spreads devices that lost theirs together."""
        look_at = now + LOST_FIRST_S + luck * LOST_SPREAD_S
        return replace(self, look_at=look_at if self.look_at is None else min(look_at, self.look_at))

    def returned(self) -> Pace:
        """The machine has slept, or the network is another one: what failed before says nothing of now."""
        return replace(self, asked=True, retry_at=0.0, failures=0)

    def succeeded(self, now: float) -> Pace:
        """A whole answer came."""
        return Pace(last_exchange=now, asked=False)

    def failed(self, now: float, luck: float, retry_after: float = 0.0) -> Pace:
        """An exchange failed; `luck` in [0, 1) spreads devices that failed together."""
        wait = backoff(self.failures, luck, retry_after)
        return replace(
            self,
            failures=min(self.failures + 1, 16),
            retry_at=now + wait,
            asked=False,
            heeding=retry_after > 0,
            look_at=None,
        )

    def due(self) -> float:
        """When the next exchange is due."""
        if self.asked:
            return 0.0
        due = self.last_exchange + LONGEST_WAIT_S
        if self.last_edit is not None and self.first_edit is not None:
            due = min(due, self.last_edit + SETTLE_S, self.first_edit + LONGEST_WAIT_S)
        if self.poked:
            due = min(due, self.last_exchange + POKED_S)
        if self.look_at is not None:
            due = min(due, self.look_at)
        # After a failure the wait decides, whatever else is due.
        return self.retry_at if self.failures else due


def backoff(failures: int, luck: float, retry_after: float = 0.0) -> float:
    """How long to wait after so many failures before this one; `luck` in [0, 1) spreads those that failed together."""
    ceiling = min(BACKOFF_LAST_S, BACKOFF_FIRST_S * (1 << min(failures, 16)))
    # No server's word keeps a device, and the orders for it, away for longer than failing does.
    return max(min(retry_after, BACKOFF_LAST_S), BACKOFF_FIRST_S / 2 + luck * ceiling)
