"""Copies of the SQLCipher store: one moment of it, encrypted under a key of their own, held against what was copied.

The key of a copy is drawn from the store's key and the sixteen bytes with which the file begins. So each copy has its
own, and the store's key opens them all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlcipher3 import dbapi2 as sqlite

from sync.protocol.texts import gettext as _
from sync.server.db.schema import VERSION
from sync.server.db.sqlite import KEY_BYTES, foreign_errors
from sync.server.errors import StoreError

_SALT_BYTES: Final = 16
_ABOUT: Final = b"fieldkeep-backup/v1"
_PAGES: Final = 4_096  # copied at once; whoever writes to the store waits for none of them
_WAIT_S: Final = 30.0


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What a store holds at one moment: which history, how far, how much. `rows` is their number by table."""

    epoch: bytes
    seq: int
    order_number: int
    version: int
    rows: dict[str, int]


def take(store: Path, key: bytearray, target: Path) -> Account:
    """Copy the store, which may be in use, to a file that is not there yet; what it held. Raises StoreError.

    The copy is one file, on the disk, and not verified yet.
    """
    salt = os.urandom(_SALT_BYTES)
    with foreign_errors(), _opened(store, _spelled(key)) as source:
        source.execute("BEGIN")  # what is counted and what is copied is the same moment
        told = _account(source)
        with _made(target, _own(key, salt)) as copy:
            source.backup(copy, pages=_PAGES)
            copy.execute("PRAGMA journal_mode = DELETE")
    flushed(target)
    return told


def look(file: Path, key: bytearray) -> Account:
    """Verify a copy: every page has its proof, the tables hold together; what it holds. Raises StoreError."""
    with foreign_errors(), _proven(), _opened(file, _own(key, _salt(file))) as copy:
        copy.execute("PRAGMA query_only = ON")
        if copy.execute("PRAGMA cipher_integrity_check").fetchall():
            raise damaged()
        if copy.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise damaged()
        return _account(copy)


def put_back(file: Path, key: bytearray, target: Path) -> None:
    """Make a store under the store's own key of a copy; `target` is not there yet. Raises StoreError."""
    with (
        foreign_errors(),
        _opened(file, _own(key, _salt(file))) as copy,
        _made(target, _spelled(key)) as made,
    ):
        copy.backup(made, pages=_PAGES)
    flushed(target)


@contextlib.contextmanager
def _proven() -> Iterator[None]:
    """What SQLite finds wrong with a copy, in words about the copy."""
    try:
        yield
    except sqlite.OperationalError:
        raise
    except sqlite.DatabaseError:
        raise damaged() from None


def flushed(file: Path) -> None:
    """Have the disk hold a file and its name. Raises StoreError."""
    try:
        for each, flags in ((file, os.O_RDONLY), (file.parent, os.O_RDONLY | os.O_DIRECTORY)):
            handle = os.open(each, flags | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    except OSError:
        raise StoreError(_("“{name}” could not be written.").format(name=file.name)) from None


def damaged() -> StoreError:
    """The refusal of a copy that does not hold."""
    return StoreError(
        _("This backup is damaged, or the key of another server made it."),
        _("Take another backup. Its key is “store.key” in the folder of secrets."),
    )


def _account(connection: Any) -> Account:
    epoch, seq, order_number = connection.execute("SELECT epoch, seq, order_number FROM meta").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreError(
            _("This backup was made by a newer Fieldkeep."), _("Use that version, or a newer one.")
        )
    names = [
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    ]
    counted = {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - our own tables
        for name in names
    }
    return Account(epoch=bytes(epoch), seq=seq, order_number=order_number, version=version, rows=counted)


def _salt(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            salt = opened.read(_SALT_BYTES)
    except OSError:
        raise StoreError(
            _("The backup “{name}” cannot be read.").format(name=file.name),
            _("Check its name and its rights."),
        ) from None
    if len(salt) != _SALT_BYTES:
        raise damaged()
    return salt


def _own(key: bytearray, salt: bytes) -> bytearray:
    drawn = HKDF(hashes.SHA256(), KEY_BYTES, salt, _ABOUT).derive(bytes(key))
    return bytearray(b"x'" + drawn.hex().encode() + salt.hex().encode() + b"'")


def _spelled(key: bytearray) -> bytearray:
    return bytearray(b"x'" + key.hex().encode() + b"'")


@contextlib.contextmanager
def _opened(path: Path, spelled: bytearray) -> Iterator[Any]:
    connection = sqlite.connect(str(path), isolation_level=None, timeout=_WAIT_S)
    try:
        connection.set_key(spelled)
        spelled[:] = bytes(len(spelled))
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute("PRAGMA temp_store = MEMORY")
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def _made(path: Path, spelled: bytearray) -> Iterator[Any]:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError:
        raise StoreError(_("“{name}” could not be written.").format(name=path.name)) from None
    with _opened(path, spelled) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        yield connection
