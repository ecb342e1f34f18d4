"""The plain twin: the same store over SQLite without encryption, of the SQLite that is inside sqlcipher3.

All of app.store runs over it unchanged, so that a query of the twin is the same query.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from sqlcipher3 import dbapi2 as cipher

from app.store import binding, schema
from app.store import db as store_db
from app.store.db import Database
from app.store.functions import functions
from app.store.seal import SealedOutbox
from app.store.store import Store, now_ms

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = ROOT / "build" / "bench" / "parts"
LOCK = ROOT / "packaging" / "locks" / "bench.lock"


def sqlite() -> Any:
    """pysqlite3's dbapi2; installed beside the other parts of the benchmarks when it is not there yet.

    Raises CalledProcessError when it cannot be installed, RuntimeError when its SQLite is another one.
    """
    if not (PARTS / "pysqlite3").is_dir():
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "install", "--no-deps"]
        what = ["--require-hashes", "--only-binary=:all:", "--target", str(PARTS), "-r", str(LOCK)]
        subprocess.run([*pip, *what], check=True, stdin=subprocess.DEVNULL)
    if str(PARTS) not in sys.path:
        sys.path.append(str(PARTS))
    found = importlib.import_module("pysqlite3.dbapi2")
    binding.at_a_glance(found)
    if found.sqlite_version != cipher.sqlite_version:
        raise RuntimeError(f"SQLite {found.sqlite_version} beside {cipher.sqlite_version}: no fair twin")
    return found


def connect(path: Path) -> Any:
    """A plain connection as the product opens its own, without key and authorizer."""
    conn = sqlite().connect(str(path), isolation_level=None, cached_statements=256)
    for name, count, function in functions():
        conn.create_function(name, count, function, deterministic=True)
    for statement in store_db._OPENING:
        conn.execute(statement)
    return conn


class PlainDatabase(Database):
    """The store's database over a plain file; what it raises comes out as SQLite says it."""

    def __init__(self, path: Path) -> None:
        self._building = False
        self._conn = connect(path)
        self.version = int(self.one("PRAGMA user_version")[0])

    @property
    def connection(self) -> Any:
        """The connection itself."""
        return self._conn


def open_plain(path: Path, *, recovery: bytes) -> Store:
    """The store over a plain file, made when it is not there; its sealed outbox stands beside it."""
    db = cast("Database", PlainDatabase(path))
    store = Store(db, SealedOutbox(path.with_suffix(".seal"), recovery), now_ms)
    assert db.version == schema.VERSION
    return store
