"""A listener in a thread with a loop of the system's own: what Windows and macOS have in common.

Not run on either yet; that it tells why it hears nothing, where there is no such system, is tested.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from app.system.events import Heard, OnEvent, Source

_END_S: Final = 4.0

_log = logging.getLogger(__name__)


class Looped:
    """Who listens says how (`_listen`) and how the loop is ended (`_stop`)."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._on_event: OnEvent = lambda _event: None
        self._settled = threading.Event()
        self._handle: int | None = None  # of the loop, while it runs
        self._said = ""
        self._thread = threading.Thread(target=self._run, name="fieldkeep-system-events", daemon=True)

    def begin(self, on_event: OnEvent) -> None:
        """Listen from now on."""
        self._on_event = on_event
        self._thread.start()

    def settled(self, seconds: float) -> bool:
        """Wait until the loop runs, or it is known why not."""
        return self._settled.wait(seconds)

    def standing(self) -> list[Heard]:
        """Whether the loop runs."""
        return [Heard(self._source, self._handle is not None, self._said)]

    def end(self) -> None:
        """Listen no more."""
        handle = self._handle
        if handle is not None:
            self._stop(handle)
            self._thread.join(_END_S)

    def _run(self) -> None:
        try:
            self._listen()
        except (AttributeError, OSError) as problem:
            self._said = type(problem).__name__
            _log.info("the system's events are not heard: %s", self._said)
        finally:
            self._handle = None
            self._settled.set()

    def _runs(self, handle: int) -> None:
        """The loop begins."""
        self._handle = handle
        self._settled.set()

    def _listen(self) -> None:
        raise NotImplementedError

    def _stop(self, handle: int) -> None:
        raise NotImplementedError
