"""Opens the SQLCipher file with a raw key and guards what may be said to it: no statement can let data out.

One thread owns a Database (app.worker): the connection refuses any other. Everything SQLite complains of comes
out as an AppError; a statement's text and its values never do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sqlcipher3 import dbapi2

from app.errors import AppError, Busy, NewerStore, NoSpace, StoreDamaged
from app.keys.secret import SecretBytes, wipe_buffer
from app.paths import PRIVATE_FILE, sync_folder
from app.store.words import fold
from sync.protocol.texts import gettext as _

KEY_BYTES: Final = 32
CACHE_KIB: Final = 65_536
BUSY_MS: Final = 5_000

_OPENING: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA mmap_size = 0",
)

# The authorizer's action codes that sqlcipher3 has no name for.
_READ_ACTIONS: Final = frozenset(
    {dbapi2.SQLITE_SELECT, dbapi2.SQLITE_READ, dbapi2.SQLITE_RECURSIVE, dbapi2.SQLITE_TRANSACTION}
)
_WRITE_ACTIONS: Final = frozenset({dbapi2.SQLITE_INSERT, dbapi2.SQLITE_UPDATE, dbapi2.SQLITE_DELETE})
_BUILD_ACTIONS: Final = frozenset(
    {
        dbapi2.SQLITE_CREATE_TABLE,
        dbapi2.SQLITE_CREATE_INDEX,
        dbapi2.SQLITE_CREATE_VTABLE,
        dbapi2.SQLITE_ALTER_TABLE,
        dbapi2.SQLITE_REINDEX,
        dbapi2.SQLITE_DROP_INDEX,
    }
)
_PRAGMAS: Final = frozenset(
    {"data_version", "user_version", "table_info", "table_xinfo", "wal_checkpoint", "quick_check"}
)
_FUNCTIONS: Final = frozenset(
    {
        "match",
        "json_extract",
        "json_each",
        "max",
        "min",
        "count",
        "sum",
        "coalesce",
        "length",
        "substr",
        "like",
        "instr",
        "folded",
    }
)
_BUILD_FUNCTIONS: Final = frozenset({"printf", "substr", "length", "like"})

_SAYS: Final = {
    dbapi2.SQLITE_FULL: NoSpace,
    dbapi2.SQLITE_CORRUPT: StoreDamaged,
    dbapi2.SQLITE_NOTADB: StoreDamaged,
    dbapi2.SQLITE_BUSY: Busy,
    dbapi2.SQLITE_LOCKED: Busy,
}


class Database:
    """One open SQLCipher file. `execute` and its kin raise AppError; values are bound, never written in."""

    def __init__(self, path: Path, key: SecretBytes, *, version: int, create: bool = False) -> None:
        """Open `path`, or make it with `create`. `version` is the newest file version this program knows.

        Raises StoreDamaged when the file is missing, empty, damaged or of another key (and, with `create`, when
        there is a file already), NewerStore, NoSpace, Busy.
        """
        if create:
            _make_file(path)
        elif not path.is_file() or path.stat().st_size == 0:
            # SQLCipher would take an empty file for a new store and open it with any key.
            raise _damaged()
        self._building = create
        with _told():
            self._conn = _connect(path, key)
        try:
            with _told():
                for statement in _OPENING:
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
                raise _damaged()
        except BaseException:
            self._conn.close()
            raise
        self.version: int = found

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; the number of rows it changed."""
        with _told():
            return int(self._conn.execute(sql, values).rowcount)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each of `rows`."""
        with _told():
            self._conn.executemany(sql, rows)

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of a question."""
        with _told():
            return list(self._conn.execute(sql, values))

    def first(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a question, None when there is none."""
        with _told():
            found: tuple[Any, ...] | None = self._conn.execute(sql, values).fetchone()
            return found

    def one(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The first row of a question that always has one."""
        found = self.first(sql, values)
        if found is None:
            raise _damaged()
        return found

    @contextlib.contextmanager
    def write(self) -> Iterator[Database]:
        """One transaction: committed and on the disk when the block ends well, never there when it raises."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield self
            self.execute("COMMIT")
        except BaseException:
            if self._conn.in_transaction:
                self.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def building(self) -> Iterator[Database]:
        """A transaction in which tables may be made; nothing else may make any."""
        self._building = True
        try:
            with self.write():
                yield self
        finally:
            self._building = False

    @property
    def writing(self) -> bool:
        """Whether a transaction is open."""
        return bool(self._conn.in_transaction)

    def checkpoint(self) -> None:
        """Bring the log into the file and empty it."""
        self.all("PRAGMA wal_checkpoint(TRUNCATE)")

    def check(self) -> None:
        """Read the whole file. Raises StoreDamaged when a page does not hold."""
        if self.one("PRAGMA quick_check(1)")[0] != "ok":
            raise _damaged()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with _told():
            self._conn.close()

    def _allows(
        self, action: int, first: str | None, second: str | None, _db: str | None, _by: str | None
    ) -> int:
        """The authorizer: an allow list, for a deny list always has one hole more than its author knew."""
        if action in _READ_ACTIONS or action in _WRITE_ACTIONS:
            allowed = (
                self._building or action not in _WRITE_ACTIONS or not (first or "").startswith("sqlite_")
            )
        elif action == dbapi2.SQLITE_FUNCTION:
            allowed = second in _FUNCTIONS or (self._building and second in _BUILD_FUNCTIONS)
        elif action == dbapi2.SQLITE_PRAGMA:
            allowed = first in _PRAGMAS and (self._building or first != "user_version" or second is None)
        else:
            allowed = self._building and action in _BUILD_ACTIONS
        return int(dbapi2.SQLITE_OK if allowed else dbapi2.SQLITE_DENY)


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
        conn.create_function("folded", 1, _folded, deterministic=True)
    except BaseException:
        conn.close()
        raise
    finally:
        wipe_buffer(written)
    return conn


def _folded(text: str | None) -> str | None:
    """`words.fold` for statements: filters see case and accents as search does."""
    return None if text is None else fold(text)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn what SQLite raises into what a person can read; the original may quote values, so it goes no further."""
    try:
        yield
    except dbapi2.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if isinstance(error, dbapi2.DatabaseError) and "not authorized" in str(error):
            code = dbapi2.SQLITE_AUTH
        raised = _error(code, getattr(error, "sqlite_errorname", None) or type(error).__name__)
    else:
        return
    raise raised from None


def _error(code: int, name: str) -> AppError:
    kind = _SAYS.get(code)
    if kind is StoreDamaged:
        return _damaged()
    if kind is NoSpace:
        return NoSpace(_("The disk is full; nothing was changed."), _("Free some space and try again."))
    if kind is Busy:
        return Busy(_("Another program has this store open."), _("Close it and try again."))
    if code == dbapi2.SQLITE_AUTH:
        return AppError(_("The store does not allow this."))
    return AppError(
        _("The store could not do this ({name}).").format(name=name), _("Run “fieldkeep doctor” to see more.")
    )


def _damaged() -> StoreDamaged:
    return StoreDamaged(
        _("The store on this device is damaged, or the key does not fit it."),
        _("Nothing was changed. Unsent work is kept in a sealed copy: ask IT to recover it."),
    )
