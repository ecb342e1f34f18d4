"""Moves an organisation from one store to another, with the server stopped: from its file to a database, or back.

What is in force is what `server.json` names. It is changed once everything has arrived and was compared, and only
then is the old store given up, which `server.json` remembers until it is done. Killed at any step, the same command
begins the move again or carries it on, and a server that is started in between serves one whole store.
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Final

import msgspec

from sync.compose import founding, renewing
from sync.protocol.texts import gettext as _
from sync.server import config
from sync.server.config import Folders, Settings
from sync.server.db import moving
from sync.server.db.kept import AuditLine
from sync.server.db.moving import MovableStore
from sync.server.db.sqlite import KEY_BYTES, SqliteStore
from sync.server.errors import SetupError
from sync.server.exchange import Step
from sync.server.service import system_now

FILE: Final = "file"  # what stands for the SQLCipher file in the data folder


def migrate(folders: Folders, settings: Settings, to: str, step: Step = lambda name: None) -> dict[str, int]:
    """Move everything to the store `to`, an address or "file"; how many rows each table has. Raises KnownError."""
    to = "" if to == FILE else to
    with config.alone(folders):
        carried_on = settings.leaving is not None
        if carried_on:
            settings = _left(folders, settings, step)
        if to == settings.store:
            if carried_on:
                return _counted(folders)
            raise SetupError(_("The records are in this store already; nothing was changed."))
        source = config.open_store(folders)
        try:
            step("opened")
            counted = _copied(folders, source, to, step)
        finally:
            source.close()
        settings = msgspec.structs.replace(settings, store=to, leaving=settings.store)
        _settle(folders, settings)
        step("named")
        _left(folders, settings, step)
    return counted


def _left(folders: Folders, settings: Settings, step: Step) -> Settings:
    """Give up the store that was moved from; the settings that remember it no more."""
    if settings.leaving or folders.store.exists():
        former = config.store_at(folders, settings.leaving or "")
        try:
            former.give_up()
        finally:
            former.close()
        step("given up")
        if not settings.leaving:
            _put_aside(folders.store)
            step("aside")
    settings = msgspec.structs.replace(settings, leaving=None)
    _settle(folders, settings)
    step("settled")
    return settings


def _settle(folders: Folders, settings: Settings) -> None:
    renewing.replace(folders.settings, msgspec.json.encode(settings) + b"\n")
    _flush(folders.data)


def _counted(folders: Folders) -> dict[str, int]:
    store = config.open_store(folders)
    try:
        with store.telling() as whole:
            return {
                table: sum(1 for _row in whole.rows(table, columns[:1]))
                for table, columns in whole.tables().items()
            }
    finally:
        store.close()


def _copied(folders: Folders, source: MovableStore, to: str, step: Step) -> dict[str, int]:
    coming = folders.store.with_name(folders.store.name + ".coming")
    line = AuditLine(
        at=system_now(), actor="desk", verb="move to another store", object="database" if to else "file"
    )
    with source.write() as tx:
        tx.post.audit(line)  # before it is copied, so that both know of it
    step("noted")
    target = _database(folders, to) if to else _file(folders, coming)
    try:
        step("made")
        counted = moving.copy(source, target, step)
        step("copied")
    finally:
        target.close()
    step("closed")
    if not to:
        coming.rename(folders.store)
        _flush(folders.data)
        step("placed")
    return counted


def _database(folders: Folders, url: str) -> MovableStore:
    kind, where = config.database(folders, url)
    return kind.vacant(where)


def _file(folders: Folders, coming: Path) -> MovableStore:
    _put_aside(folders.store)  # not in force: a move broke off behind it
    for each in _files(coming):
        each.unlink(missing_ok=True)
    if not folders.store_key.exists():
        founding.write_new(folders.store_key, os.urandom(KEY_BYTES).hex().encode() + b"\n")
    made = SqliteStore.create(coming, config.read_store_key(folders.store_key))
    made.give_up()  # it has no history of its own
    return made


def _files(store: Path) -> list[Path]:
    """A SQLCipher store's files, those beside it too."""
    return [store.with_name(store.name + end) for end in ("", "-wal", "-shm")]


def _put_aside(store: Path) -> None:
    """Give the files of a store that is not in force another name; nothing where there is none."""
    day = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = store.with_name(f"{store.name}.given-up-{day}")
    for old, new in zip(_files(store), _files(aside), strict=True):
        if old.exists():
            old.rename(new)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
