"""The embedded store: one SQLCipher file, one writer, readers beside it; the default for a small company."""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlcipher3 import dbapi2 as sqlite

from sync.protocol.texts import gettext as _
from sync.server.db.base import Heard, Transaction
from sync.server.db.books import EPOCH_BYTES, GIVEN_UP, Books
from sync.server.db.schema import STEPS, VERSION
from sync.server.db.sql import Whole
from sync.server.db.sqlite_sql import SqliteSql
from sync.server.errors import StoreBusy, StoreError

KEY_BYTES: Final = 32
_READERS: Final = 3
_WAIT_S: Final = 30.0

# What a statement may do once the store is open; ATTACH could write the store out in clear.
_ALLOWED: Final = frozenset(
    {
        sqlite.SQLITE_READ,
        sqlite.SQLITE_SELECT,
        sqlite.SQLITE_INSERT,
        sqlite.SQLITE_UPDATE,
        sqlite.SQLITE_DELETE,
        sqlite.SQLITE_TRANSACTION,
        sqlite.SQLITE_FUNCTION,
        sqlite.SQLITE_RECURSIVE,
    }
)


class SqliteStore:
    """An open store. The key is taken over and wiped once every connection has it."""

    def __init__(self, path: Path, key: bytearray) -> None:
        self.heard: Heard = lambda news: None
        self._lock = threading.Lock()
        self._readers: queue.LifoQueue[Any] = queue.LifoQueue()
        self._opened: list[Any] = []
        self._folder = path.parent
        try:
            with foreign_errors():
                self._writer = self._connect(path, key)
                _migrate(self._writer)
                _guard(self._writer)
                for _each in range(_READERS):
                    reader = self._connect(path, key)
                    _guard(reader)
                    self._readers.put(reader)
        except BaseException:  # whatever it was, no connection and no key is left behind
            self.close()
            raise
        finally:
            key[:] = bytes(len(key))

    @classmethod
    def create(cls, path: Path, key: bytearray) -> SqliteStore:
        """A new, empty store. Raises StoreError when something is there already."""
        with contextlib.suppress(FileNotFoundError):
            if path.stat():
                raise StoreError(_("There is a store here already."))
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return cls(path, key)

    @classmethod
    def open(cls, path: Path, key: bytearray) -> SqliteStore:
        """The store at `path`. Raises StoreError when it is absent, empty, damaged, newer, or not for this key."""
        try:
            size = path.stat().st_size
        except OSError:
            size = 0
        if size == 0:
            # SQLCipher takes an empty file for a new store, with any key.
            raise StoreError(
                _("The server's store is missing or empty."), _("Put it back from a backup, with its keys.")
            )
        return cls(path, key)

    @contextlib.contextmanager
    def read(self) -> Iterator[Transaction]:
        """A read transaction: one moment, whatever is written beside it."""
        with self._reading() as connection:
            yield Books(SqliteSql(connection))

    @contextlib.contextmanager
    def telling(self) -> Iterator[Whole]:
        """All that the store keeps at one moment."""
        with self._reading() as connection:
            yield SqliteSql(connection)

    @contextlib.contextmanager
    def write(self) -> Iterator[Transaction]:
        """A write transaction, durable when the block has ended."""
        with self._writing() as connection:
            books = Books(SqliteSql(connection))
            yield books
            books.records.flush()
        if books.news:
            self.heard(books.news)

    @contextlib.contextmanager
    def filling(self) -> Iterator[Whole]:
        """A write transaction that puts something else in the place of everything."""
        with self._writing() as connection:
            yield SqliteSql(connection)

    def give_up(self) -> None:
        """Open no more, since another store holds these records now."""
        with self._writing() as connection:
            connection.execute("UPDATE meta SET epoch = ?", (GIVEN_UP,))

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Any]:
        try:
            connection = self._readers.get(timeout=_WAIT_S)
        except queue.Empty:
            raise _busy() from None
        try:
            with foreign_errors():
                connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    connection.execute("ROLLBACK")
        finally:
            self._readers.put(connection)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Any]:
        if not self._lock.acquire(timeout=_WAIT_S):
            raise _busy()
        try:
            with foreign_errors():
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer
                    self._writer.execute("COMMIT")
                except BaseException:  # undone whatever went wrong, and told to the caller
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise
        finally:
            self._lock.release()

    def room(self) -> int:
        """Bytes that are free on the disk the store lies on. Raises StoreError."""
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            raise StoreError(_("The server's store could not be used.")) from None

    def close(self) -> None:
        """Close every connection; the last one folds the log of writes into the file."""
        with self._lock:
            for connection in reversed(self._opened):
                connection.close()
            self._opened.clear()

    def _connect(self, path: Path, key: bytearray) -> Any:
        connection = sqlite.connect(str(path), isolation_level=None, check_same_thread=False, timeout=_WAIT_S)
        self._opened.append(connection)
        spelled = bytearray(b"x'" + key.hex().encode() + b"'")
        connection.set_key(spelled)
        spelled[:] = bytes(len(spelled))
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # whatever the library was built with
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -32768")
        return connection


def _migrate(connection: Any) -> None:
    """Bring the tables to this version, each step in a transaction with its number."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        raise StoreError(
            _("This store was made by a newer Fieldkeep."), _("Start the newer version, or restore a backup.")
        )
    connection.create_function("sha256_hex", 1, lambda data: hashlib.sha256(data).hexdigest())
    for number, step in enumerate(STEPS[found:], found + 1):
        connection.executescript(f"BEGIN IMMEDIATE;{step};PRAGMA user_version = {number};COMMIT;")
    if found == 0:
        connection.execute("INSERT INTO meta VALUES (1, ?, 0, 0)", (os.urandom(EPOCH_BYTES),))


def _guard(connection: Any) -> None:
    def allowed(action: int, *_about: object) -> int:
        return int(sqlite.SQLITE_OK if action in _ALLOWED else sqlite.SQLITE_DENY)

    connection.set_authorizer(allowed)


@contextlib.contextmanager
def foreign_errors() -> Iterator[None]:
    """SQLite's errors as ours; their text may quote values, so it ends here."""
    try:
        yield
    except sqlite.OperationalError as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            raise _busy() from None
        if "full" in text:
            raise StoreError(
                _("The server's disk is full; nothing was changed."), _("Free space and try again.")
            ) from None
        raise StoreError(_("The server's store could not be used."), type(error).__name__) from None
    except sqlite.DatabaseError as error:
        raise StoreError(
            _("The server's store is damaged, or this is not its key."),
            _("Put store and key back from a backup. ({error})").format(error=type(error).__name__),
        ) from None


def _busy() -> StoreBusy:
    return StoreBusy(_("The server is busy."), _("Try again in a moment."))
