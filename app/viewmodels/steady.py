"""What a page reads once somebody looks at it, and again with all news; kept while the desk is open."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from app.viewmodels.base import Errands, Watched
from sync.protocol.errors import KnownError

T = TypeVar("T")


class Surroundings(Protocol):
    """What such a page needs of the desk."""

    errands: Errands
    on_news: Watched


class Steady(Watched, Generic[T]):
    """One reading at a time: what stands stays until the next answer, and news meanwhile are read after it."""

    def __init__(self, desk: Surroundings) -> None:
        super().__init__()
        self._errands = desk.errands
        self._looked_at = False
        self._reading = False
        self._stale = False
        self._closed = False
        self._unwatch = desk.on_news.watch(self.look_again)

    def look(self, looked_at: bool) -> None:
        """Whether somebody looks: then it is read now, and again with all news."""
        self._looked_at = looked_at
        if looked_at:
            self.look_again()

    def look_again(self) -> None:
        """Read it; a reading under way is followed by one more."""
        self._stale = True
        self._read()

    def close(self) -> None:
        """Hold nothing of any record any more."""
        self._closed = True
        self._unwatch()
        self._watchers.clear()

    @abstractmethod
    def asking(self) -> tuple[Callable[[], T], Callable[[T], bool]]:
        """What to read away from the screen's thread, and what keeps the answer: whether it is to be told."""

    def _read(self) -> None:
        if self._reading or not self._looked_at or not self._stale or self._closed:
            return
        self._reading, self._stale = True, False
        work, keep = self.asking()

        def take(found: T) -> None:
            self._reading = False
            if not self._closed and keep(found):
                self.tell()
            self._read()

        def give_up(_problem: KnownError) -> None:
            self._reading = False
            self._read()

        self._errands.read(work, take, give_up)
