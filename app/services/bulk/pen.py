"""The pen of a store: who writes holds it, and a person's save goes before the next page of rows.

SQLite keeps two writers apart as well, but lets whoever polls oftenest go first; this hands the pen on at once.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class Pen:
    """Held by one thread at a time, which may take it again while it holds it."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._holder = 0  # the thread's number, 0 for nobody
        self._depth = 0
        self._hurried = 0  # how many wait who go first

    @contextlib.contextmanager
    def held(self, *, patient: bool = False) -> Iterator[None]:
        """Hold it in the block. Who is `patient` waits for everybody else who waits."""
        me = threading.get_ident()
        self._take(me, patient)
        try:
            yield
        finally:
            self._leave()

    @property
    def wanted(self) -> bool:
        """Whether somebody waits who goes first."""
        return self._hurried > 0

    def _take(self, me: int, patient: bool) -> None:
        with self._free:
            if self._holder != me:
                self._hurried += not patient
                try:
                    self._free.wait_for(lambda: not self._holder and not (patient and self._hurried))
                finally:
                    self._hurried -= not patient
                self._holder = me
            self._depth += 1

    def _leave(self) -> None:
        with self._free:
            self._depth -= 1
            if not self._depth:
                self._holder = 0
                self._free.notify_all()
