"""The open store of one device: the encrypted database, the sealed outbox, and who and where we are.

Every act of a person goes through `writing`: row, outbox and search words in one transaction, the ops sealed and
written before it is committed. The disk takes both files at the same time, and nobody is told before it has both.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from app.errors import AppError, Busy, StoreDamaged
from app.keys.secret import SecretBytes
from app.paths import Profile
from app.store import before, building, outbox, schema, seal_book
from app.store.db import Database
from app.store.reader import Here, Reader
from app.store.seal import SealedOutbox
from sync.protocol import clock
from sync.protocol.codec import pack
from sync.protocol.messages import Cursor
from sync.protocol.ops import Act, Op
from sync.protocol.outbox_seal import PART_MAX
from sync.protocol.texts import gettext as _

__all__ = ["Here", "Store", "Writing", "now_ms"]


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


class Writing:
    """One act being written: makes its ops; they are numbered, laid in the outbox and sealed.

    That happens at its end, and before that whenever they come to a whole record of the sealed outbox: an act on a
    million records holds no more of them in memory than that.
    """

    def __init__(self, store: Store) -> None:
        here = store.here()
        self.store = store
        self.db = store.db
        self.now_ms = store.clock()
        self.person = here.person
        self.care = here.cursor.care
        self.device = here.device
        self.incarnation = here.incarnation
        self.laid = 0  # how many ops are in the outbox already
        self._ops: list[Op] = []
        self._packed: list[bytes] = []  # the same bytes go to outbox and seal
        self._size = 0
        self._ends: list[Callable[[], None]] = []
        self._next_n = here.next_n
        self._hlc = here.hlc
        self._first = 0  # of the act under way; 0 while each op is one

    @contextlib.contextmanager
    def one_act(self) -> Iterator[None]:
        """Ops of this block are one act: they are sent, and taken, together."""
        self._first = self._next_n
        try:
            yield
        finally:
            self._first = 0

    def at_end(self, call: Callable[[], None]) -> None:
        """Have `call` called when all acts were said, before they are committed; it makes no op."""
        self._ends.append(call)

    def op(
        self,
        kind: str,
        id_: bytes,
        act: Act,
        *,
        base: int = 0,
        cells: Mapping[str, Any] | None = None,
        was: Mapping[str, Any] | None = None,
        settles: Mapping[bytes, str] | None = None,
    ) -> Op:
        """The next op of this device, an act of its own unless it is within one."""
        self._hlc = clock.stamp(self._hlc, self.now_ms)
        n = self._next_n
        op = Op(
            n=n, kind=kind, id=id_, act=act, hlc=self._hlc, base=base, set=dict(cells or {}),
            was=dict(was or {}), first=self._first or n, settles=dict(settles or {}),
        )  # fmt: skip
        return self.put(op)

    def put(self, op: Op) -> Op:
        """Take an op that has the next number already."""
        if op.n != self._next_n:
            raise ValueError("ops are numbered without a gap")
        data = pack(op)
        if self._ops and self._size + len(data) > PART_MAX:
            self._lay_down()
        self._next_n += 1
        self._ops.append(op)
        self._packed.append(data)
        self._size += len(data)
        return op

    @property
    def next_n(self) -> int:
        """The number that the next op gets."""
        return self._next_n

    def finish(self) -> None:
        """Outbox, seal, rows and numbers; the commit is all that is left. The seal comes first: the disk is at it while
        rows are written.
        """
        if self._ops:
            self._lay_down()
        for call in self._ends:
            call()
        if self.laid:
            self.db.execute(
                "UPDATE here SET next_n = ?, hlc = ?, sealed = ?",
                (self._next_n, self._hlc, self.store.seal.length),
            )

    def _lay_down(self) -> None:
        outbox.add(self.db, self._ops, self._packed)
        seal_book.note(self.db, self.store.seal.put(self._ops, self.device, self.incarnation, self._packed))
        self.laid += len(self._ops)
        self._ops, self._packed = [], []
        self._size = 0


class Store(Reader):
    """One device's records, to be read and written. Opened, used and closed in one thread (app.worker)."""

    def __init__(
        self, db: Database, seal: SealedOutbox, clock_: Callable[[], int], *, whole: bool = False
    ) -> None:
        """With `whole`, somebody else has just seen to it that nothing is missing from the file."""
        super().__init__(db)
        self.seal = seal
        self.clock = clock_
        self._profile: Profile | None = None
        self._unsealed = False  # something is committed whose sealed record the disk did not take
        # Of the ops that the server took (settled.py), None where it is not known: their bytes, and whether some are of
        # records that left; and when old ones were looked for.
        self.archived: int | None = None
        self.left_taken: bool | None = None
        self.looked_for_old_ms = -1
        if not whole:
            building.build(db, self.shapes)

    @classmethod
    def create(
        cls, profile: Profile, key: SecretBytes, *, device: bytes, incarnation: bytes, recovery: bytes,
        person: str, clock: Callable[[], int] = now_ms,
    ) -> Store:  # fmt: skip
        """Make the store of a new device. `recovery` is the organisation's raw public recovery key.

        Raises StoreDamaged when there is one already, NoSpace.
        """
        db = Database(profile.store, key, version=schema.VERSION, create=True)
        seal = None
        try:
            seal = SealedOutbox(profile.sealed_outbox, recovery)
            seal.truncate(0)
            store = cls(db, seal, clock)
            with db.write():
                db.execute(
                    "INSERT INTO here (one, device, incarnation, person, next_n, hlc, acked_n, durable_seq, cursor,"
                    " sealed) VALUES (1, ?, ?, ?, 1, 0, 0, 0, ?, 0)",
                    (device, incarnation, person, msgspec.msgpack.encode(Cursor())),
                )
            db.checkpoint()  # from here on an empty file is damage, whatever stands in the log
        except BaseException:
            db.close()
            if seal is not None:
                seal.close()
            profile.store.unlink(missing_ok=True)
            raise
        return store

    @classmethod
    def open(
        cls, profile: Profile, key: SecretBytes, *, recovery: bytes, clock: Callable[[], int] = now_ms
    ) -> Store:
        """Open the store of this device. Raises StoreDamaged, NewerStore, NoSpace, Busy."""
        try:
            return cls._open(profile, key, recovery, clock)
        except StoreDamaged:
            if not before.put_back(profile, key):
                raise
        return cls._open(profile, key, recovery, clock)

    @classmethod
    def _open(cls, profile: Profile, key: SecretBytes, recovery: bytes, clock: Callable[[], int]) -> Store:
        db = Database(profile.store, key, version=schema.VERSION)
        found = db.version
        older = found < schema.VERSION
        seal = None
        try:
            if older:
                db.checkpoint()
                db.close()  # the last one to close it leaves all of it in the one file
                if building.keeps_copy(found):
                    before.make(profile)
                db = Database(profile.store, key, version=schema.VERSION)
            seal = SealedOutbox(profile.sealed_outbox, recovery)
            store = cls(db, seal, clock)
            seal_book.mend(store, profile.sealed_lost)
            if not older:
                before.forget(profile)
        except BaseException:
            db.close()
            if seal is not None:
                seal.close()
            raise
        store._profile = profile
        return store

    @classmethod
    def beside(
        cls, profile: Profile, key: SecretBytes, *, recovery: bytes, clock: Callable[[], int] = now_ms
    ) -> Store:
        """Open a store that another process holds open, to write while that one does not. What `open` would mend is
        mended there. Raises StoreDamaged, NewerStore, NoSpace, Busy.
        """
        db = Database(profile.store, key, version=schema.VERSION)
        try:
            if db.version != schema.VERSION:
                raise Busy(_("Another program has this store open."), _("Close it and try again."))
            return cls(db, SealedOutbox(profile.sealed_outbox, recovery), clock, whole=True)
        except BaseException:
            db.close()
            raise

    @property
    def all_sealed(self) -> bool:
        """Whether every op that is committed has its sealed copy on the disk."""
        return not self._unsealed

    def seal_anew(self) -> None:
        """Open the sealed outbox again: another process may have put another file in its place."""
        self.seal.close()
        self.seal = self.seal.again()

    def as_committed(self) -> None:
        """Have the sealed outbox end where the store knows it to end, and be on the disk: another process may have
        added to both, or was ended before it had committed what it had sealed, or before the disk had taken it.
        To be asked by whoever holds the pen.
        """
        self.seal.truncate(self.here().sealed)
        self.seal.sync()

    def no_copy(self) -> None:
        """A record has left: it may not stay in the copy from before a change of version either."""
        if self._profile is not None:
            before.forget(self._profile)

    def no_aside(self) -> None:
        """A record that was here has left: it may not stay in a file that was put aside."""
        if self._profile is not None:
            before.forget_aside(self._profile)

    def close(self) -> None:
        """Close database and sealed outbox; a second call does nothing."""
        self.db.close()
        self.seal.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writing]:
        """One transaction of a person's act; nothing of it stays when the block raises.

        Raises AppError where the disk took the act and not its sealed record: the act stays then, and no other is
        written before it is sealed.
        """
        # To the end of it, since what the disk does not take is cut off again: nobody may have sealed behind it.
        with self.db.pen():
            if self._unsealed:
                self._seal_again()
            before: int | None = None
            try:
                with self.db.write():
                    writing = Writing(self)
                    before = self.seal.length
                    yield writing
                    writing.finish()
            except BaseException:
                if before is not None:
                    self.seal.truncate(before)
                raise
            try:
                self.seal.settle()
            except AppError:
                self._unsealed = True
                self._seal_again()

    def _seal_again(self) -> None:
        try:
            seal_book.seal_again(self)
        except AppError:
            raise AppError(
                _("What you saved last is kept on this device, but its sealed copy could not be written."),
                _("Free some space and check that your profile folder can be written, then save again."),
            ) from None
        self._unsealed = False
