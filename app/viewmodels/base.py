"""What all view models share: being watched, and errands that run elsewhere and come back to the screen's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from app.errors import StoreDamaged
from sync.protocol.errors import KnownError

T = TypeVar("T")


Later = Callable[[Callable[[], None]], None]  # calls what it is given, once what was told last is painted


def at_once(call: Callable[[], None]) -> None:
    """For who paints nothing."""
    call()


class Background(Protocol):
    """Runs work away from the screen's thread, one at a time and in order; answers come back to that thread.

    What only looks goes beside what changes something, so that it never waits for it: each in its own order.
    """

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[KnownError], None] | None = None,
        /,
    ) -> None:
        """Do `work`, then call `done` with its result or `failed` with its KnownError (nothing when None)."""

    def read(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[KnownError], None] | None = None,
        /,
    ) -> None:
        """As `run`, for work that only looks."""

    def post(self, call: Callable[[], None], /) -> None:
        """Have `call` called in the screen's thread; from any thread."""


class Beside(Protocol):
    """What a page beside the lists knows, kept while it is not shown."""

    def close(self) -> None:
        """Hold nothing of any record any more."""


class Errands:
    """A background for one screen: after `close`, no answer reaches that screen any more."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._open = True
        self.damaged: Callable[[KnownError], None] | None = None  # hears when the store does not hold

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[KnownError], None] | None = None,
        /,
    ) -> None:
        """As `Background.run`, but silent once closed."""
        self._go(self._background.run, work, done, failed)

    def read(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[KnownError], None] | None = None,
        /,
    ) -> None:
        """As `Background.read`, but silent once closed."""
        self._go(self._background.read, work, done, failed)

    def post(self, call: Callable[[], None], /) -> None:
        """As `Background.post`, but silent once closed."""
        self._background.post(lambda: call() if self._open else None)

    def close(self) -> None:
        """Forget whoever still waits for an answer."""
        self._open = False

    def _go(
        self,
        lane: Callable[[Callable[[], T], Callable[[T], None], Callable[[KnownError], None]], None],
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[KnownError], None] | None,
    ) -> None:
        if not self._open:
            return

        def answered(result: T) -> None:
            if self._open:
                done(result)

        def refused(problem: KnownError) -> None:
            if self._open and isinstance(problem, StoreDamaged) and self.damaged is not None:
                self.damaged(problem)
            elif self._open and failed is not None:
                failed(problem)

        lane(work, answered, refused)


class Watched:
    """Something that tells its watchers when it has changed; all in the screen's thread."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[], None]] = []

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Have `watcher` called at each change; the function returned ends that."""
        self._watchers.append(watcher)

        def unwatch() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return unwatch

    def tell(self) -> None:
        """Tell all watchers."""
        for watcher in tuple(self._watchers):
            watcher()


def ignore(_result: Any) -> None:
    """Done with an errand whose answer nobody needs."""
