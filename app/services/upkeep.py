"""What the store wants done while nobody waits for it: its log brought into the file, its search index tidied.

A thread beside the one that writes and the one that reads. The log goes into the file beside both. Merging writes,
and so does filling an index after an update: they are asked of the writing thread, in steps of a few milliseconds, and
only once nobody has written for a while. Whoever acts waits for one step at most, and no further step is asked for.
At last the writing thread lets go of what many writes have left in memory.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from app.errors import AppError, Stopped
from app.store.db import Database

_LOG = logging.getLogger("app.services.upkeep")

QUIET_S: Final = 1.0  # without a write: nobody is at work
LOOK_S: Final = 0.25  # between two looks at the log while somebody writes
PAGES: Final = 1_000  # of the log: brought in even while somebody writes
LONG: Final = (
    4_000  # pages after which the writing thread brings in the last few, so that the log begins anew
)
HELD_KIB: Final = 512
REST_S: Final = 0.02  # between two steps: whoever looks or types meanwhile has the processor too


class Upkeep:
    """Runs from `start` to `close`, over a connection of its own that it opens and closes in its own thread."""

    def __init__(
        self,
        open_: Callable[[], Database],
        merge: Callable[[], bool],
        finish: Callable[[], None],
        rest: Callable[[], None],
    ) -> None:
        """`merge` does one step on the writing thread and says whether there is more to do; `finish` brings the log in
        there, between two writes; `rest` is called when there is nothing more to do."""
        self._open = open_
        self._merge = merge
        self._finish = finish
        self._rest = rest
        self._wrote_at = 0.0
        self._awake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fieldkeep-upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wrote(self) -> None:
        """Something was written just now; from any thread."""
        self._wrote_at = time.monotonic()
        self._awake.set()

    def close(self) -> None:
        """End after the step under way; not to be called while the writing thread waits for this one."""
        self._stop.set()
        self._awake.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            db = self._open()
        except AppError as problem:
            # The writing thread brings the log in itself when it gets long.
            _LOG.warning("no upkeep: %s", type(problem).__name__)
            return
        try:
            while not self._stop.is_set():
                self._awake.wait()
                self._awake.clear()
                with contextlib.suppress(Stopped):
                    self._until_quiet(db)
        finally:
            with contextlib.suppress(AppError):
                db.close()

    def _until_quiet(self, db: Database) -> None:
        """From the first write to the end of all that it leaves to be done."""
        merging = True
        while not self._stop.is_set():
            quiet = time.monotonic() - self._wrote_at >= QUIET_S
            try:
                pages, missing = db.log()
                if missing >= (1 if quiet else PAGES):
                    db.bring_in()
                    if pages >= LONG and db.logged():
                        self._finish()
                if quiet:
                    merging = merging and self._merge()
            except Stopped:
                raise
            except AppError as problem:
                # A full disk, say: who writes next hears of it, and this is tried again then.
                _LOG.info("upkeep: %s", type(problem).__name__)
                return
            if quiet and not merging:
                self._rest()
                return
            if quiet:
                self._stop.wait(REST_S)
            if not quiet:
                merging = True
                self._stop.wait(LOOK_S)
