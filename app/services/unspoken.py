"""Asks a restored server about records of the history that it lost and of which it says nothing; those of others go."""

from __future__ import annotations

import logging
import time
from typing import Final

from app.changes import SYNC, Changes
from app.services.session import Session
from sync.client.comparing import Comparison
from sync.client.errors import ExchangeError
from sync.client.line import Line
from sync.client.ports import Applied

_LOG = logging.getLogger("app.services.unspoken")
EVERY_S: Final = (
    3_600.0  # who made a record may send it once more at any time, and only then does the server have it
)


class Unspoken:
    """What is left of a lost history in one session's store."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked_s: float | None = None

    def look(self, line: Line) -> int:
        """Have go what the server has for others, asked at most once in `EVERY_S` seconds; how many records went.

        A server that is not reached, or cannot say it yet, is asked again later. Raises Locked, StoreDamaged, NoSpace.
        """
        from app.store import comparing  # an exchange comes after the first list
        from app.store.replica import StoreReplica

        now_s = time.monotonic()
        if self._asked_s is not None and now_s < self._asked_s + EVERY_S:
            return 0
        self._asked_s = now_s
        position = self._session.call(lambda store: StoreReplica(store).position())
        gone, after, more = 0, b"", True
        while more:
            ids, after = self._session.call(comparing.unspoken, after)
            more = bool(after)
            try:
                told = [change for some in Comparison(line, position).records(ids) for change in some.changes]
            except ExchangeError as problem:
                _LOG.info("records of a lost history were not asked about: %s", type(problem).__name__)
                return gone
            applied = self._session.call(comparing.hear, told) if told else Applied()
            if applied.left:
                self._session.tell(Changes(tuple(applied.records), SYNC, applied.left))
                gone += applied.left
        if gone:
            _LOG.info("%d records of a lost history are others' and went", gone)
        return gone
