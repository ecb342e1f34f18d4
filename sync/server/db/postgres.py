"""The store in a PostgreSQL database: one writer, readers beside it, in a schema that is this server's alone.

A writer's first question locks the one row of `meta` until it has committed. So numbers are given in the order in which
they become visible, and a slow transaction with a lower number cannot come after a faster one with a higher.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Iterator
from typing import Final

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from sync.protocol.texts import gettext as _
from sync.server.db.base import Heard, Transaction
from sync.server.db.books import EPOCH_BYTES, GIVEN_UP, Books
from sync.server.db.postgres_line import WAIT_S, Address, busy, connect, foreign_errors
from sync.server.db.postgres_sql import LAYOUT, PostgresSql, statements
from sync.server.db.schema import STEPS, VERSION
from sync.server.db.sql import Whole
from sync.server.errors import StoreError

LOCKING: Final = " FOR UPDATE"
PLENTY: Final = 2**62  # bytes of room where nobody has set a limit
_READERS: Final = 4
_WRITE: Final = b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_READ: Final = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_UNHURRIED: Final = b"SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"


class PostgresStore:
    """An open store. `most` bounds what the database may take up, in bytes; 0 where nobody has set a limit."""

    def __init__(self, where: Address, most: int = 0, *, fresh: bytes | None = None) -> None:
        self.heard: Heard = lambda news: None
        self._where = where
        self._most = most
        self._lock = threading.Lock()
        self._open = True
        self._readers: queue.LifoQueue[Connection[TupleRow] | None] = queue.LifoQueue()
        self._writer: Connection[TupleRow] | None = connect(where, alone=True)
        try:
            with foreign_errors():
                _migrate(self._writer, fresh)
        except BaseException:  # whatever it was, no connection is left behind
            self._writer.close()
            raise
        for _each in range(_READERS):
            self._readers.put(None)

    @classmethod
    def create(cls, where: Address, most: int = 0) -> PostgresStore:
        """A new, empty store. Raises StoreError when something is there already."""
        cls.refuse_taken(where)
        return cls(where, most, fresh=os.urandom(EPOCH_BYTES))

    @classmethod
    def open(cls, where: Address, most: int = 0) -> PostgresStore:
        """The store of this database. Raises StoreError when it is absent or newer, SetupError when it is not fit."""
        if not _found(where):
            raise StoreError(
                _("The server's store is missing or empty."), _("Put it back from a backup, with its keys.")
            )
        return cls(where, most)

    @classmethod
    def vacant(cls, where: Address) -> PostgresStore:
        """A store to be filled from another one: new, or whatever is there. `moving.copy` judges what that is."""
        return cls(where, fresh=GIVEN_UP)

    @classmethod
    def refuse_taken(cls, where: Address) -> None:
        """Refuse a database with a store in it, and one that is not fit. Raises StoreError, SetupError."""
        if _found(where):
            raise StoreError(_("There is a store here already."))

    @contextlib.contextmanager
    def read(self) -> Iterator[Transaction]:
        """A read transaction: one moment, whatever is written beside it."""
        with self._reading() as connection:
            yield Books(PostgresSql(connection))

    @contextlib.contextmanager
    def telling(self) -> Iterator[Whole]:
        """All that the store keeps at one moment."""
        with self._reading() as connection:
            connection.execute(_UNHURRIED, prepare=False)
            yield PostgresSql(connection)

    @contextlib.contextmanager
    def write(self) -> Iterator[Transaction]:
        """A write transaction, durable when the block has ended."""
        # Statements that answer nothing are not waited for one by one; what fails is told at the next answer.
        with self._writing() as connection, connection.pipeline():
            books = Books(PostgresSql(connection), LOCKING)
            yield books
            books.records.flush()
        if books.news:
            self.heard(books.news)

    @contextlib.contextmanager
    def filling(self) -> Iterator[Whole]:
        """A write transaction that puts something else in the place of everything."""
        with self._writing() as connection:
            connection.execute(_UNHURRIED, prepare=False)
            yield PostgresSql(connection)

    def give_up(self) -> None:
        """Open no more, since another store holds these records now."""
        with self._writing() as connection:
            connection.execute("UPDATE meta SET epoch = %s", (GIVEN_UP,))

    def room(self) -> int:
        """Bytes that are left of what the operator lets the database take up: its disk cannot be seen from here."""
        if not self._most:
            return PLENTY
        with self._reading() as connection:
            row = connection.execute(b"SELECT pg_database_size(current_database())").fetchone()
            return max(0, self._most - (row[0] if row else 0))

    def close(self) -> None:
        """Wait for what runs and close every connection."""
        with self._lock:
            if not self._open:
                return
            self._open = False
            if self._writer is not None:
                self._writer.close()
        for _each in range(_READERS):
            with contextlib.suppress(queue.Empty):
                if (connection := self._readers.get(timeout=WAIT_S)) is not None:
                    connection.close()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection[TupleRow]]:
        if not self._open:
            raise StoreError(_("The server's store could not be used."))
        try:
            connection = self._readers.get(timeout=WAIT_S)
        except queue.Empty:
            raise busy() from None
        try:
            with foreign_errors():
                connection = self._begun(connection, _READ)
                try:
                    yield connection
                finally:
                    _undo(connection)
        finally:
            self._readers.put(connection)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection[TupleRow]]:
        if not self._lock.acquire(timeout=WAIT_S):
            raise busy()
        try:
            if not self._open:
                raise StoreError(_("The server's store could not be used."))
            with foreign_errors():
                connection = self._writer = self._begun(self._writer, _WRITE)
                try:
                    yield connection
                    done = connection.execute(b"COMMIT", prepare=False).statusmessage
                except BaseException:  # undone whatever went wrong, and told to the caller
                    _undo(connection)
                    raise
            if done != "COMMIT":  # a statement had failed, and somebody went on as if it had not
                raise StoreError(_("The server's store could not be used."))
        finally:
            self._lock.release()

    def _begun(self, connection: Connection[TupleRow] | None, begin: bytes) -> Connection[TupleRow]:
        """A connection with a transaction begun on it, a new one where the database has ended the last."""
        if connection is not None and not connection.closed:
            try:
                connection.execute(begin, prepare=False)
            except psycopg.OperationalError:
                connection.close()  # nothing had begun on it yet
            else:
                return connection
        connection = connect(self._where, alone=begin == _WRITE)
        connection.execute(begin, prepare=False)
        return connection


def _undo(connection: Connection[TupleRow]) -> None:
    """End a transaction without a trace; a connection on which that fails is used no more."""
    try:
        if connection.info.transaction_status is not TransactionStatus.IDLE:
            connection.execute(b"ROLLBACK", prepare=False)
    except psycopg.Error:
        connection.close()


def _found(where: Address) -> bool:
    """Whether there is a store in this database. Raises StoreError, SetupError."""
    with connect(where, alone=False) as connection, foreign_errors():
        row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (LAYOUT,)).fetchone()
        return bool(row and row[0])


def _migrate(connection: Connection[TupleRow], fresh: bytes | None) -> None:
    """Bring the tables to this version, all steps in one transaction; a new store gets the epoch `fresh`."""
    with connection.transaction():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {LAYOUT} (version BIGINT NOT NULL)".encode())
        row = connection.execute(f"SELECT version FROM {LAYOUT} FOR UPDATE".encode()).fetchone()  # noqa: S608
        found = row[0] if row else 0
        if found > VERSION:
            raise StoreError(
                _("This store was made by a newer Fieldkeep."),
                _("Start the newer version, or restore a backup."),
            )
        for step in STEPS[found:]:
            for statement in statements(step):
                connection.execute(statement)
        if row is None:
            connection.execute(f"INSERT INTO {LAYOUT} VALUES (%s)".encode(), (VERSION,))  # noqa: S608
            connection.execute("INSERT INTO meta VALUES (1, %s, 0, 0)", (fresh,))
        elif found < VERSION:
            connection.execute(f"UPDATE {LAYOUT} SET version = %s".encode(), (VERSION,))  # noqa: S608
