"""A question to the store that can be taken back while it is answered: the next letter typed ends the search before."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from app.errors import Stopped
from app.store.db import Database


class Asking:
    """One question. Who asks holds it and may take it back from any thread; who answers runs inside `under_way`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answering: Database | None = None
        self._taken_back = False

    @property
    def taken_back(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._taken_back

    def take_back(self) -> None:
        """Nobody waits for the answer any more: whoever gives it stops at once, with Stopped."""
        with self._lock:
            self._taken_back = True
            if self._answering is not None:
                self._answering.break_off()

    @contextlib.contextmanager
    def under_way(self, db: Database) -> Iterator[None]:
        """While the block runs, `db` is broken off with the question. Raises Stopped when it was taken back before."""
        with self._lock:
            if self._taken_back:
                raise Stopped("")
            self._answering = db
        try:
            yield
        finally:
            with self._lock:
                self._answering = None
                db.go_on()
