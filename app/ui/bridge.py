"""Brings results and news to the screen's thread, by one queued signal."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from app.worker import Worker
from sync.protocol.errors import KnownError

T = TypeVar("T")


class Bridge(QObject):
    """A background over two worker threads, one for what only looks; answers come in the thread that made it."""

    _arrived = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = Worker(name)
        self._looker = Worker(f"{name}-reading")
        self._open = True
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[KnownError], None] | None = None,
        /,
    ) -> None:
        """Do `work` in the worker; `done` or `failed` in the screen's thread. Other errors are raised there."""
        self._give(self._worker, work, done, failed)

    def read(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[KnownError], None] | None = None,
        /,
    ) -> None:
        """As `run`, beside it: for work that only looks."""
        self._give(self._looker, work, done, failed)

    def post(self, call: Callable[[], None], /) -> None:
        """Have `call` called in the screen's thread."""
        if self._open:
            self._arrived.emit(call)

    def close(self) -> None:
        """Finish what was given; no answer is delivered any more."""
        self._open = False
        self._looker.close()
        self._worker.close()

    def _give(
        self,
        worker: Worker,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[KnownError], None] | None,
    ) -> None:
        if not self._open:
            return

        def answered(future: Future[T]) -> None:
            self._arrived.emit(lambda: _answer(future, done, failed))

        worker.run(work).add_done_callback(answered)

    def _deliver(self, call: Callable[[], None]) -> None:
        if self._open:
            call()


def _answer(
    future: Future[T], done: Callable[[T], None], failed: Callable[[KnownError], None] | None
) -> None:
    try:
        result = future.result()
    except KnownError as problem:
        if failed is not None:
            failed(problem)
    else:
        done(result)
