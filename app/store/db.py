"""Opens the SQLCipher file with a raw key and guards what may be said to it: no statement can let data out.

One thread owns a Database (app.worker): the connection refuses any other, but for `stop`. One Database of a file
writes, others read beside it, each seeing what was committed. Everything SQLite complains of comes out as an
AppError; a statement's text and its values never do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sqlcipher3 import dbapi2

from app.errors import NewerStore, StoreDamaged
from app.keys.secret import SecretBytes, wipe_buffer
from app.paths import PRIVATE_FILE, sync_folder
from app.store import allowed, binding
from app.store.complaints import as_told, damaged, stopped, told
from app.store.functions import functions
from sync.protocol.texts import gettext as _

KEY_BYTES: Final = 32
CACHE_KIB: Final = 65_536
# Who only looks comes back to the upper pages of its trees, which need no more than this at a million records, and
# hardly ever to a leaf. After each commit of somebody else all of it is read anew in any case.
READ_CACHE_KIB: Final = 4_096
BUSY_MS: Final = 5_000

# Upkeep brings the log in long before this. Without it (a command), or when it falls behind, a commit does it here.
LOG_PAGES: Final = 16_384

_EACH: Final = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA mmap_size = 0",
)
_OPENING: Final = (
    "PRAGMA secure_delete = ON",  # whatever the library was built with: freed pages keep nothing
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    f"PRAGMA wal_autocheckpoint = {LOG_PAGES}",
    f"PRAGMA journal_size_limit = {LOG_PAGES * 4096}",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    *_EACH,
)
_READING: Final = (
    "PRAGMA query_only = ON",
    "PRAGMA wal_autocheckpoint = 0",
    f"PRAGMA cache_size = -{READ_CACHE_KIB}",
    *_EACH,
)


class Database:
    """One open SQLCipher file. `execute` and its kin raise AppError; values are bound, never written in."""

    _building = _reading = _tuning = False
    _stopped = _broken_off = False
    _listed: frozenset[str] = frozenset()
    folder: Path | None = None  # where the file is, None where there is no telling
    # Held by whoever writes, above SQLite's own lock: another process may write, too.
    pen: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext

    def __init__(
        self, path: Path, key: SecretBytes, *, version: int, create: bool = False, reading: bool = False
    ) -> None:
        """Open `path`, or make it with `create`. `version` is the newest file version this program knows.

        With `reading` nothing can be written, and no one who writes is waited for.

        Raises StoreDamaged when the file is missing, empty, damaged or of another key (and, with `create`, when
        there is a file already), NewerStore, NoSpace, Busy.
        """
        if create:
            _make_file(path)
        elif not path.is_file() or path.stat().st_size == 0:
            # SQLCipher would take an empty file for a new store and open it with any key.
            raise damaged()
        self._building = create
        self._reading = reading
        self.folder = path.parent
        with told(self.folder):
            self._conn = _connect(path, key)
        try:
            with told(self.folder):
                for statement in _READING if reading else _OPENING:
                    self._conn.execute(statement)
                self._conn.set_authorizer(self._allows)
            found = self.one("PRAGMA user_version")[0]
            self.one("SELECT count(*) FROM sqlite_master")
            if found > version:
                raise NewerStore(
                    _("This store was made by a newer Fieldkeep."),
                    _("Install the newest version and try again."),
                )
            if found == 0 and not create:
                raise damaged()
        except BaseException:
            self._conn.close()
            raise
        self.version: int = found

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; the number of rows it changed."""
        return int(self._asked(self._conn.execute, sql, values).rowcount)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`."""
        self._asked(self._conn.executemany, sql, rows)

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of a question."""
        found: list[tuple[Any, ...]] = self._asked(self._asked(self._conn.execute, sql, values).fetchall)
        return found

    def pieces(
        self, sql: str, values: Sequence[Any] = (), *, size: int
    ) -> Generator[list[tuple[Any, ...]], int | None, None]:
        """The rows of a question, `size` at a time, or as many as are sent; to be closed when no more are wanted."""
        cursor = self._asked(self._conn.execute, sql, values)
        try:
            while True:
                size = (yield self._asked(cursor.fetchmany, size)) or size
        finally:
            cursor.close()

    def first(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a question, None when there is none."""
        found: tuple[Any, ...] | None = self._asked(self._asked(self._conn.execute, sql, values).fetchone)
        return found

    def one(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The first row of a question that always has one."""
        if (found := self.first(sql, values)) is None:
            raise damaged()
        return found

    @contextlib.contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Database]:
        """One transaction: committed and on the disk when the block ends well, never there when it raises.

        Without `durable` a power cut may take the last of them, whole: only for what can be had again. The next
        durable one takes all that came before it to the disk.
        """
        with self.pen():
            if not durable:
                self._tune("PRAGMA synchronous = NORMAL")
            try:
                self.execute("BEGIN IMMEDIATE")
                try:
                    yield self
                    self.execute("COMMIT")
                except BaseException:
                    if self._conn.in_transaction:
                        self._rollback()
                    raise
            finally:
                if not durable:
                    self._tune("PRAGMA synchronous = FULL")

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Database]:
        """One moment of the store: whatever is committed meanwhile, every question in the block sees the same."""
        self.execute("BEGIN")
        try:
            yield self
            with told():  # nothing was written, and the lists of tokens that were made stay
                self._conn.execute("COMMIT")
        finally:
            if self._conn.in_transaction:
                self._rollback()

    @contextlib.contextmanager
    def building(self) -> Iterator[Database]:
        """A transaction in which tables may be made; nothing else may make any."""
        self._building = True
        try:
            with self.write():
                yield self
        finally:
            self._building = False

    def tokens(self, index: str) -> str:
        """The table of a search index's tokens: column `term`, rising, a row for each place where one stands.

        This connection alone has it, and nothing of it is in the file.
        """
        table = f'temp."tokens_{index}"'
        if index not in self._listed:
            before = self._building
            try:
                if self._reading:
                    self._tune("PRAGMA query_only = OFF")
                self._building = True
                self.execute(
                    f"CREATE VIRTUAL TABLE IF NOT EXISTS {table} USING fts5vocab(main, '{index}', instance)"
                )
            finally:
                self._building = before
                if self._reading:
                    self._tune("PRAGMA query_only = ON")
            self._listed |= {index}
        return table

    @property
    def writing(self) -> bool:
        """Whether a transaction is open."""
        return bool(self._conn.in_transaction)

    @property
    def changes(self) -> int:
        """How many rows this connection has changed since it was opened."""
        return int(self._conn.total_changes)

    def checkpoint(self) -> None:
        """Bring the log into the file and empty it."""
        self.all("PRAGMA wal_checkpoint(TRUNCATE)")

    def bring_in(self) -> None:
        """Bring the log into the file as far as no one is in the way; who writes or reads meanwhile does not wait."""
        self.all("PRAGMA wal_checkpoint(PASSIVE)")

    def log(self) -> tuple[int, int]:
        """How many pages the log has, and how many of them are not in the file yet.

        Once all are there, the next write begins the log anew.
        """
        _busy, pages, done = self.one("PRAGMA wal_checkpoint(NOOP)")
        return int(pages), max(0, int(pages) - int(done))

    def logged(self) -> int:
        """How many pages of the log are not in the file yet."""
        return self.log()[1]

    def hold(self, kib: int) -> None:
        """Keep this much of the file in memory, and let go of what is more."""
        self._tune(f"PRAGMA cache_size = -{int(kib)}")
        self._tune("PRAGMA shrink_memory")

    def rest(self, kib: int = READ_CACHE_KIB) -> None:
        """Let go of what a long write has left in memory, the longest unused first; the next one may hold as much."""
        self._tune(f"PRAGMA cache_size = -{int(kib)}")
        self._tune(f"PRAGMA cache_size = -{CACHE_KIB}")

    def check(self) -> None:
        """Read the whole file. Raises StoreDamaged when a page does not hold."""
        if self.one("PRAGMA quick_check(1)")[0] != "ok":
            raise damaged()

    def indexes_hold(self) -> bool:
        """Whether each index holds what its rows say; a file whose pages hold may still have one that does not."""
        return bool(self.one("PRAGMA integrity_check(1)")[0] == "ok")

    def stop(self) -> None:
        """Break off what is asked now, and whatever is asked from here on, with Stopped; from any thread."""
        self._stopped = True
        with contextlib.suppress(dbapi2.ProgrammingError):  # it is closed by now
            self._conn.interrupt()

    def break_off(self) -> None:
        """Break off what is asked now, and whatever is asked until `go_on`, with Stopped; from any thread."""
        self._broken_off = True
        with contextlib.suppress(dbapi2.ProgrammingError):  # it is closed by now
            self._conn.interrupt()

    def go_on(self) -> None:
        """Answer again after `break_off`."""
        self._broken_off = False

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with told():
            self._conn.close()

    def _is_over(self) -> bool:
        """Whether nothing is to be answered, or not now."""
        return self._stopped or self._broken_off

    def _asked(self, what: Callable[..., Any], *said: Any) -> Any:
        """What SQLite says to this. A save asks a dozen times, and a block of `told` costs more than a short call."""
        raised: Exception | None = None
        if self._is_over():
            raised = stopped()
        else:
            try:
                return what(*said)
            except dbapi2.Error as error:
                # Broken off within the making of a virtual table, SQLite tells of that and not of the interruption.
                raised = stopped() if self._is_over() else as_told(error, self.folder)
        # The trace goes with the error, and with it this frame: a cursor in it would stay under way for as long as
        # anybody holds the error, and SQLite breaks off whatever is asked until none is.
        del what, said
        raise raised from None  # out here, for inside the original would go along

    def _tune(self, statement: str) -> None:
        self._tuning = True
        try:
            with told():
                self._conn.execute(statement).fetchall()
        finally:
            self._tuning = False

    def _rollback(self) -> None:
        """Also when it was stopped: the transaction must not stay open."""
        self._listed = frozenset()
        with told():
            self._conn.execute("ROLLBACK")

    def _allows(
        self, action: int, first: str | None, second: str | None, _db: str | None, _by: str | None
    ) -> int:
        """The authorizer."""
        fine = allowed.tuning(action, first) if self._tuning else allowed.reading(action, first, second)
        if not fine and not self._reading:
            fine = allowed.writing(action, first)
        if not fine and self._building:
            fine = allowed.building(action, first, second)
        return int(dbapi2.SQLITE_OK if fine else dbapi2.SQLITE_DENY)


def _make_file(path: Path) -> None:
    """The empty file, for its person alone from the first moment on. Raises StoreDamaged when one is there."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
    except FileExistsError:
        raise StoreDamaged(
            _("There is a store already."), _("Nothing was changed. Choose another profile folder.")
        ) from None
    sync_folder(path.parent)


def _connect(path: Path, key: SecretBytes) -> dbapi2.Connection:
    """A keyed connection; the key's hex form lives in one bytearray and is wiped at once."""
    if len(key) != KEY_BYTES:
        raise ValueError("a store key has 32 bytes")
    binding.at_a_glance(dbapi2)
    conn = dbapi2.connect(str(path), isolation_level=None, cached_statements=256)
    digits = key.to_hex()
    written = bytearray(b"x'" + bytes(len(digits)) + b"'")
    written[2:-1] = digits
    wipe_buffer(digits)
    try:
        # Otherwise a wrong key is told to the terminal, past our log.
        conn.execute("PRAGMA cipher_log_level = NONE")
        conn.set_key(written)
        conn.set_busy_timeout(BUSY_MS / 1000)
        for name, count, function in functions():
            conn.create_function(name, count, function, deterministic=True)
    except BaseException:
        conn.close()
        raise
    finally:
        wipe_buffer(written)
    return conn
