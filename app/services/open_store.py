"""The store while it is open: one thread that writes, one that reads beside it, and upkeep while nobody waits.

A read never waits for a write: it sees the store as it was when the read began, all of it at one moment. A read
that is asked for after a write has come back sees what it wrote.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Final, TypeVar

from app.errors import AppError, Stopped
from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services.upkeep import HELD_KIB, Upkeep
from app.store import merging, schema
from app.store.db import Database
from app.store.reader import Reader
from app.store.store import Store
from app.worker import Worker

T = TypeVar("T")

_AGAIN_S: Final = 0.02  # a read may begin its next question just after it was broken off


class OpenStore:
    """Opens the store when it is first needed, until `shut`; after that only once `reopen` was said."""

    def __init__(
        self,
        profile: Profile,
        key: Callable[[], SecretBytes],
        recovery: Callable[[], bytes],
        refusal: Callable[[], AppError | None],
    ) -> None:
        """`key` is asked once for each opening. `refusal` says why the store must stay shut, None when it need not."""
        self._profile = profile
        self._key = key
        self._recovery = recovery
        self._refusal = refusal
        self._writing = Worker("fieldkeep-store")
        self._reading = Worker("fieldkeep-reading")
        self._closing = threading.Lock()
        self._shut = False
        self._store: Store | None = None
        self._reader: Reader | None = None
        self._upkeep: Upkeep | None = None

    def call(self, work: Callable[[Store], T]) -> T:
        """`work` on the writing thread, after all that was given before. Raises the refusal, and what `work` raises."""
        return self._wait_for(self._writing, lambda: self._noted(work))

    def read(self, work: Callable[[Reader], T]) -> T:
        """`work` on the reading thread, beside whoever writes. Raises the refusal, and what `work` raises."""
        if self._reader is None:
            self.call(lambda _store: None)
        return self._wait_for(self._reading, lambda: self._looked(work))

    def run(self, work: Callable[[], T]) -> T:
        """`work` on the writing thread while the store is open there. Raises the refusal."""
        return self.call(lambda _store: work())

    @property
    def is_shut(self) -> bool:
        """Whether `shut` was said last."""
        return self._shut

    def reopen(self) -> None:
        """Let it be opened again when it is next needed."""
        self._shut = False

    def shut(self) -> int | None:
        """Close it and take its key from memory; how many ops wait, None when it was not open.

        Reads under way are broken off, writes that were asked for before are done. Not on its own threads.
        """
        with self._closing:
            self._writing.run(self._stop_taking).result()
            self._end_reading()
            if self._upkeep is not None:
                upkeep, self._upkeep = self._upkeep, None
                upkeep.close()
            return self._writing.run(self._end_writing).result()

    def close(self) -> None:
        """End both threads; the store is shut by then."""
        self._reading.close()
        self._writing.close()

    # -- on the writing thread

    def _noted(self, work: Callable[[Store], T]) -> T:
        store = self._opened()
        before = store.db.changes
        try:
            return work(store)
        finally:
            if store.db.changes != before and self._upkeep is not None:
                self._upkeep.wrote()

    def _opened(self) -> Store:
        refusal = self._refusal()
        if refusal is not None:
            raise refusal
        if self._store is None:
            with self._key() as key:
                store = Store.open(self._profile, key, recovery=self._recovery())
                try:
                    # Nobody reads yet, so this waits for no one.
                    self._reader = self._reading.run(Reader.open_beside, self._profile, key).result()
                except BaseException:
                    store.close()
                    raise
                self._start_upkeep(SecretBytes(key.view))
            self._store = store
        return self._store

    def _start_upkeep(self, key: SecretBytes) -> None:
        def open_() -> Database:
            with key:
                db = Database(self._profile.store, key, version=schema.VERSION, reading=True)
            db.hold(HELD_KIB)
            return db

        self._upkeep = Upkeep(open_, self._merge, self._finish_log)
        self._upkeep.start()

    def _merge(self) -> bool:
        """One step, asked for by the upkeep thread."""

        def step() -> bool:
            return self._store is not None and not self._shut and merging.step(self._store)

        return self._writing.run(step).result()

    def _finish_log(self) -> None:
        """Between two writes; nearly all of it is in the file already."""

        def finish() -> None:
            if self._store is not None:
                self._store.db.bring_in()

        self._writing.run(finish).result()

    def _stop_taking(self) -> None:
        self._shut = True

    def _end_writing(self) -> int | None:
        if self._store is None:
            return None
        store, self._store = self._store, None
        try:
            return store.unsent()
        finally:
            store.close()

    # -- on the reading thread

    def _looked(self, work: Callable[[Reader], T]) -> T:
        reader = self._reader
        refusal = self._refusal()
        if refusal is not None or reader is None:
            raise refusal or Stopped("")
        try:
            with reader.snapshot():
                return work(reader)
        except Stopped:
            raise self._refusal() or Stopped("") from None

    def _end_reading(self) -> None:
        reader, self._reader = self._reader, None
        if reader is None:
            return
        idle = self._reading.run(lambda: None)
        while not idle.done():
            reader.db.stop()
            with contextlib.suppress(NotYet):
                idle.result(_AGAIN_S)
        self._reading.run(reader.close).result()

    # -- inside

    def _wait_for(self, worker: Worker, work: Callable[[], T]) -> T:
        try:
            future: Future[T] = worker.run(work)
        except RuntimeError:
            # The session was closed meanwhile, and whoever asks hears what a closed store says.
            raise self._refusal() or Stopped("") from None
        return future.result()
