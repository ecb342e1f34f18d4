"""The store while it is open: one thread that writes, one that reads beside it, and upkeep while nobody waits.

A read never waits for a write: it sees the store as it was when the read began, all of it at one moment. A read
that is asked for after a write has come back sees what it wrote.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TYPE_CHECKING, Final, TypeVar

from app.errors import AppError, Stopped, StoreDamaged
from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services import spare
from app.services.bulk.pen import Pen
from app.services.upkeep import HELD_KIB, Upkeep
from app.store import duplicates, indexing, merging, schema
from app.store.db import Database
from app.store.reader import Reader
from app.store.store import Store
from app.worker import Worker

if TYPE_CHECKING:
    from app.services.bulk.process import BulkProcess

T = TypeVar("T")

_MANY: Final = 1_000  # changed rows, which leave more in memory than the next act is quicker by
_PAIRED: Final = 100  # records of which it is told at once; a whole book is told of as it goes on
_AGAIN_S: Final = 0.02  # a read may begin its next question just after it was broken off


class OpenStore:
    """Opens the store when it is first needed, until `shut`; after that only once `reopen` was said."""

    def __init__(
        self,
        profile: Profile,
        key: Callable[[], SecretBytes],
        recovery: Callable[[], bytes],
        refusal: Callable[[], AppError | None],
        found: Callable[[Collection[duplicates.News]], None] = lambda _records: None,
    ) -> None:
        """`key` is asked once for each opening. `refusal` says why the store must stay shut, None when it need not.

        `found` is told, in another thread, of records that were found to seem one with another, or no longer to.
        """
        self._profile = profile
        self._key = key
        self._recovery = recovery
        self._refusal = refusal
        self._writing = Worker("fieldkeep-store")
        self._reading = Worker("fieldkeep-reading")
        self._closing = threading.Lock()
        self._shut = False
        self.pen = Pen()
        self._begun: list[BulkProcess] = []
        self._beginning = threading.Lock()
        self._may_begin = True
        self._found = found
        self._paired: set[duplicates.News] = (
            set()
        )  # records that seem to be one with another, not told of yet
        self._sealed_beside = False  # another process has sealed ops, or was ended while it did
        self._rested_at = 0  # how many rows had been changed when memory was last let go of
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

    def begin_bulk(self) -> BulkProcess:
        """A process that writes beside this one, whoever of both holds the pen; it ends with `end`, or when the store
        closes. Raises the refusal, and what opening the store raises.
        """
        from app.services.bulk.process import BulkProcess  # a start never needs it

        self.call(lambda _store: None)  # what has to be mended or made anew is, by the one that is here
        with self._beginning:
            if not self._may_begin:
                raise self._refusal() or Stopped("")
            process = BulkProcess(self._profile)
            self._begun = [*(each for each in self._begun if each.lives), process]
        # Known from its first moment on, so whoever locks meanwhile ends it and waits for nothing.
        try:
            with self._key() as key:
                process.open(key, self._recovery())
        except BaseException:
            process.end()
            raise
        return process

    @property
    def may_begin_bulk(self) -> bool:
        """Whether other processes may write beside this one: not once the store closes."""
        return self._may_begin

    def wrote_beside(self, turned: Collection[str]) -> None:
        """Another process has written; of these kinds records came, went or are called otherwise. From any thread."""
        store, upkeep = self._store, self._upkeep
        if store is not None:
            for kind in turned:
                store.shapes[kind].turns += 1
        if upkeep is not None:
            upkeep.wrote()

    def sealed_beside(self) -> None:
        """Another process was let write ops. To be said by whoever holds the pen for it."""
        self._sealed_beside = True

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """The pen, on the writing thread: what others have sealed is known before anything is."""
        with self.pen.held():
            if self._sealed_beside and self._store is not None:
                self._sealed_beside = False
                self._store.as_committed()
            yield

    def _see_what_was_sealed(self) -> None:
        """On the writing thread, where nothing may be written for a while."""
        if self._sealed_beside:
            with self._held():
                pass

    def turns(self) -> dict[str, int]:
        """By kind, another number after a record came, went or got another title or number. From any thread."""
        store = self._store
        return {name: shape.turns for name, shape in store.shapes.items()} if store is not None else {}

    def end_bulk(self) -> None:
        """End every process that writes beside this one, whatever it does; none is begun until `reopen`."""
        with self._beginning:
            self._may_begin = False
            begun, self._begun = self._begun, []
        for process in begun:
            process.end()

    @property
    def is_shut(self) -> bool:
        """Whether `shut` was said last."""
        return self._shut

    def reopen(self) -> None:
        """Let it be opened again when it is next needed."""
        self._shut = False
        self._may_begin = True

    def shut(self) -> int | None:
        """Close it and take its key from memory; how many ops wait, None when it was not open.

        Reads under way are broken off, writes that were asked for before are done. Not on its own threads.
        """
        with self._closing:
            self._writing.run(self._stop_taking).result()
            with self.pen.held():
                self.end_bulk()  # it is at nothing now
            self._end_reading()
            if self._upkeep is not None:
                upkeep, self._upkeep = self._upkeep, None
                upkeep.close()
            return self._writing.run(self._end_writing).result()

    def replace(self, make: Callable[[SecretBytes], T]) -> T:
        """Close it and have `make` put another in its place under the same key; it opens when it is next needed.

        Raises what getting the key raises, and what `make` raises.
        """
        with contextlib.suppress(StoreDamaged):  # it is closed all the same
            self.shut()
        try:
            with self._key() as key:
                return make(key)
        finally:
            self.reopen()

    def key(self) -> SecretBytes:
        """The store's key, for who makes a file for its place; to be used in a `with` block. Raises the refusal."""
        if (refusal := self._refusal()) is not None:
            raise refusal
        return self._key()

    def change_file(self, place: Callable[[Store, SecretBytes], bool]) -> bool:
        """Have `place` put another file in the store's place, which it closes then; what it says. Whoever reads or
        writes meanwhile waits, and finds the new file. Nothing is done while another process has the store open.

        Raises the refusal, and what opening raises. Not on its own threads.
        """
        with self._closing, self._beginning:
            if self._shut or self._store is None or any(each.lives for each in self._begun):
                return False
            upkeep, self._upkeep = self._upkeep, None
            if upkeep is not None:
                upkeep.close()
            return self._wait_for(self._writing, lambda: self._changed_file(place))

    def close(self) -> None:
        """End both threads; the store is shut by then."""
        self._reading.close()
        self._writing.close()

    # -- on the writing thread

    def _noted(self, work: Callable[[Store], T]) -> T:
        store = self._opened()
        self._see_what_was_sealed()
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
                # Nobody reads yet, so this waits for no one.
                self._open(key, lambda: self._reading.run(Reader.open_beside, self._profile, key).result())
        assert self._store is not None  # noqa: S101 - it was opened just now
        return self._store

    def _open(self, key: SecretBytes, read: Callable[[], Reader]) -> None:
        store = Store.open(self._profile, key, recovery=self._recovery())
        store.db.pen = self._held
        try:
            self._reader = read()
        except BaseException:
            store.close()
            raise
        self._start_upkeep(SecretBytes(key.view))
        if (indexing.left(store)[1] or duplicates.left(store)) and self._upkeep is not None:
            self._upkeep.wrote()  # a file of an older version, or one that was closed before it was at rest
        self._store = store
        self._rested_at = store.db.changes

    def _changed_file(self, place: Callable[[Store, SecretBytes], bool]) -> bool:
        """The reading thread is held until it has the new file, so that whoever asks it waits."""
        self._see_what_was_sealed()
        store = self._opened()
        free: Future[None] = Future()
        opening: Future[SecretBytes | None] = Future()

        def held() -> Reader | None:
            reader, self._reader = self._reader, None
            if reader is not None:
                reader.close()
            free.set_result(None)
            key = opening.result()
            return Reader.open_beside(self._profile, key) if key is not None else None

        with self._key() as key:
            reading = self._reading.run(held)

            def read() -> Reader:
                opening.set_result(key)
                found = reading.result()
                assert found is not None  # noqa: S101 - it was given the key
                return found

            try:
                free.result()
                with self.pen.held():
                    done = place(store, key)
                self._store = None
                store.close()
                self._open(key, read)
            finally:
                if not opening.done():
                    opening.set_result(None)
        return done

    def _start_upkeep(self, key: SecretBytes) -> None:
        def open_() -> Database:
            with key:
                db = Database(self._profile.store, key, version=schema.VERSION, reading=True)
            db.hold(HELD_KIB)
            return db

        self._upkeep = Upkeep(open_, self._merge, self._finish_log, self._rest)
        self._upkeep.start()

    def _merge(self) -> bool:
        """One step, asked for by the upkeep thread."""

        def step() -> bool:
            return self._store is not None and not self._shut and merging.step(self._store, self._paired)

        more = self._writing.run(step).result()
        if self._paired and (not more or len(self._paired) > _PAIRED):
            paired, self._paired = self._paired, set()
            self._found(paired)
        return more

    def _finish_log(self) -> None:
        """Between two writes; nearly all of it is in the file already."""

        def finish() -> None:
            if self._store is not None:
                self._store.db.bring_in()

        self._writing.run(finish).result()

    def _rest(self) -> None:
        """Once nobody has written for a while, asked for by the upkeep thread. Few rows leave nothing to let go of."""

        def rest() -> bool:
            if self._store is None or self._store.db.changes - self._rested_at < _MANY:
                return False
            self._rested_at = self._store.db.changes
            self._store.db.rest()
            return True

        if self._writing.run(rest).result():
            spare.give_back()

    def _stop_taking(self) -> None:
        self._shut = True

    def _end_writing(self) -> int | None:
        if self._store is None:
            return None
        self._see_what_was_sealed()  # of a broken-off import: at the next opening it would pass for lost work
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
