"""One thread that does one thing at a time: the store belongs to it, and everyone else holds futures."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """A thread with a queue. Work given to it runs in order; its results and errors come back in futures."""

    def __init__(self, name: str) -> None:
        self._queue: queue.SimpleQueue[_Work[Any] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do `work` in the thread, after all that was given before. Raises RuntimeError after `close`."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the worker is closed")
            self._queue.put(_Work(future, lambda: work(*args, **kwargs)))
        return future

    @property
    def here(self) -> bool:
        """Whether the caller is the worker's own thread."""
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """Finish what was given and end the thread; a second call waits for the same end."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        if not self.here:
            self._thread.join()

    def _loop(self) -> None:
        while (work := self._queue.get()) is not None:
            work.do()
            del work  # a future that nobody holds must not be kept by a thread that waits


class _Work(Generic[T]):
    """One call and the future of its result."""

    def __init__(self, future: Future[T], call: Callable[[], T]) -> None:
        self._future = future
        self._call = call

    def do(self) -> None:
        if not self._future.set_running_or_notify_cancel():
            return
        try:
            result = self._call()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
            self._future.set_exception(error)
        else:
            self._future.set_result(result)
