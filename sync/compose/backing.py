"""Backups of a server: made while it runs and verified before they count; put back where none runs, as a new history.

A backup is one file, encrypted (sync.server.db.copies). It is made beside its place, verified, placed, and only then
does the server tell its devices that it holds what they gave. A restore takes no number up again that the lost history
may have given since, neither of a record nor of an order, and that stands in the store before it is put in its place.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync.compose import office_socket
from sync.protocol import histories
from sync.protocol.desk import Backed
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.server import config
from sync.server.config import Folders, Settings
from sync.server.db import copies
from sync.server.db.books import EPOCH_BYTES
from sync.server.db.copies import Account
from sync.server.db.kept import AuditLine, Durable
from sync.server.db.sqlite import SqliteStore
from sync.server.errors import SetupError, StoreError
from sync.server.exchange import Step
from sync.server.office import StoreOffice
from sync.server.service import system_now

_UNFINISHED: Final = ".part"


@dataclass(frozen=True, slots=True)
class Backup:
    """A verified backup: up to which number, of how many records, its bytes; `told` once the server knows of it."""

    seq: int
    records: int
    size: int
    told: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """A store put back: up to which number it holds the lost history, and the file in which the former store lies."""

    seq: int
    records: int
    former: str


def refuse_database(settings: Settings) -> None:
    """Refuse a server that keeps its records in a database. Raises SetupError."""
    if settings.store:
        raise SetupError(
            _("Backups of a database are not built yet."),
            _(
                "Use the database's own, with the server stopped, or move the records: fieldkeep-server migrate"
            ),
        )


def backup(folders: Folders, target: Path, step: Step = lambda name: None) -> Backup:
    """Make a backup of a server, running or not, at a place where there is nothing. Raises KnownError."""
    if target.exists() or target.is_symlink():
        raise SetupError(
            _("“{name}” is there already; nothing was changed.").format(name=target.name),
            _("A backup takes no other's place: give it a new name, such as the day."),
        )
    now = system_now()
    # Of a run that was killed there may be another, under another name: nobody takes it for a backup.
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}{_UNFINISHED}")
    with _key(folders) as key:
        try:
            step("begun")
            held = copies.take(folders.store, key, part)
            step("copied")
            told = copies.look(part, key)
            if told != held:
                raise copies.damaged()
            step("verified")
            _place(part, target)
            step("placed")
        finally:
            _drop(part)
    backed = Backed(epoch=held.epoch, seq=held.seq, made=now)
    known = _tell(folders, backed)
    step("told")
    return Backup(held.seq, held.rows.get("record", 0), target.stat().st_size, known)


def verify(folders: Folders, file: Path) -> Account:
    """What a backup holds, once all of it is proven. Raises KnownError."""
    with _key(folders) as key:
        return copies.look(file, key)


def restore(
    folders: Folders, file: Path, *, replace: bool = False, step: Step = lambda name: None
) -> Restored:
    """Put a backup in the place of the store of a server that does not run. Raises KnownError.

    A store that holds more than the backup, or whose state nobody can tell, gives way with `replace` alone; it is put
    aside, not deleted. Killed at any step, it can be repeated.
    """
    fresh = folders.store.with_name("store.db.restoring")
    with config.alone(folders), _key(folders) as key:
        held = copies.look(file, key)
        step("verified")
        present = _present(folders)
        if not replace:
            _refuse_loss(folders, present, held)
        _drop(fresh)
        copies.put_back(file, key, fresh)
        step("copied")
        _begin_history(fresh, bytearray(key), held, present)
        step("begun")
        former = _put_aside(folders)
        step("aside")
        try:
            fresh.replace(folders.store)
        except OSError:
            raise StoreError(_("“{name}” could not be written.").format(name=folders.store.name)) from None
        copies.flushed(folders.store)
        step("placed")
    return Restored(held.seq, held.rows.get("record", 0), former)


@contextlib.contextmanager
def _key(folders: Folders) -> Iterator[bytearray]:
    key = config.read_store_key(folders.store_key)
    try:
        yield key
    finally:
        key[:] = bytes(len(key))


def _place(part: Path, target: Path) -> None:
    """Give a file its name, unless something has it. Raises SetupError."""
    try:
        os.link(part, target)  # unlike a renaming, it takes nobody's place
    except OSError as error:
        raise SetupError(
            _("“{name}” could not be written.").format(name=target.name),
            _("Choose a place where you may write. ({error})").format(error=error.strerror or ""),
        ) from None
    copies.flushed(target)


def _tell(folders: Folders, backed: Backed) -> bool:
    """Have the server note a verified backup; False where it answers for another history by now, or not at all."""
    try:
        with office_socket.connect(folders.socket) as office:
            return office.backed_up(backed)
    except office_socket.Unreachable:
        pass
    try:
        with config.alone(folders):
            store = config.open_store(folders)
            try:
                lease_key = config.read_lease_key(folders.lease_key)
                return StoreOffice(store, lease_key, "").backed_up(backed)
            finally:
                store.close()
    except SetupError:
        return False  # a server that starts or stops at this moment: the next backup is told


def _present(folders: Folders) -> Account | None:
    """What the store in place holds; None where there is none, or none that can be read."""
    try:
        with _key(folders) as key:
            store = SqliteStore.open(folders.store, key)
    except KnownError:
        return None
    try:
        with store.read() as tx:
            seq, number = tx.records.head(), tx.post.last_order_number()
            return Account(epoch=tx.epoch, seq=seq, order_number=number, version=0, rows={})
    finally:
        store.close()  # with it the log of writes comes into the file


def _refuse_loss(folders: Folders, present: Account | None, held: Account) -> None:
    """Refuse to replace a store that may hold what the backup does not."""
    if present is None:
        if not folders.store.exists() or folders.store.stat().st_size == 0:
            return
        raise SetupError(
            _("There is a store here that cannot be read; nothing was changed."),
            _("Look for its key first. To put the backup in its place: --replace"),
        )
    if present.epoch == held.epoch and present.seq <= held.seq and present.order_number <= held.order_number:
        return
    raise SetupError(
        _("The store here holds what this backup does not; nothing was changed."),
        _("Restore only when it is lost or wrong. To put the backup in its place: --replace"),
    )


def _begin_history(path: Path, key: bytearray, held: Account, present: Account | None) -> None:
    now = system_now()
    store = SqliteStore.open(path, key)  # which also brings its tables to this version
    try:
        with store.write() as tx:
            head = max(held.seq, present.seq if present else 0)
            number = max(held.order_number, present.order_number if present else 0)
            tx.histories.begin(
                os.urandom(EPOCH_BYTES), histories.next_head(head), histories.next_order(number, now)
            )
            tx.histories.put_durable(Durable(seq=held.seq, made=now))
            tx.post.audit(AuditLine(at=now, actor="desk", verb="restore", object=f"seq {held.seq}"))
    finally:
        store.close()


def _put_aside(folders: Folders) -> str:
    """Keep the store in place under another name; that name, "" where there was none."""
    store = folders.store
    if not store.exists():
        return ""
    kept = store.with_name(f"store.db.before-{secrets.token_hex(4)}")
    try:
        os.link(store, kept)
        # A log that was not brought in belongs to this file alone; beside another it would be read into that. It goes
        # once the file has its second name: until then the store in place would lack what the log holds.
        for name in ("-wal", "-shm"):
            beside = store.with_name(store.name + name)
            if beside.exists():
                beside.rename(kept.with_name(kept.name + name))
    except OSError:
        raise StoreError(_("“{name}” could not be written.").format(name=kept.name)) from None
    copies.flushed(kept)
    return kept.name


def _drop(part: Path) -> None:
    for name in ("", "-journal", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            part.with_name(part.name + name).unlink()
