"""Makes a store anew in the place of one whose file does not hold: unsent work is carried over, or stays sealed for IT.

What the old file still tells of this device's own work (outbox, what was refused, what was sent of late, which sealed
records are its own) is read from it, all of it or nothing: each page proves itself, so what can be read is as it was
written. Rows are not carried: they come from the server, which has each of them. Where the old file does not tell, the
new store begins with a numbering of its own, and its first opening sets all sealed records aside for IT
(seal_book.mend), since nobody here can open them.

The new file is whole and on the disk before it takes the old one's place. A file that our key does not open is not
ours to judge: it is put aside.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Final

import msgspec

from app.errors import AppError, Busy, NewerStore, NoSpace, Stopped, StoreDamaged, not_written
from app.keys.secret import SecretBytes
from app.paths import Profile, remove, sync_folder
from app.store import building, outbox, rows, schema, space
from app.store.db import Database
from app.store.reader import Here, Reader
from app.store.schema import Shape, Stored
from sync.protocol import clock
from sync.protocol.errors import BadFrames
from sync.protocol.messages import Cursor
from sync.protocol.ops import Act, Op, lay
from sync.protocol.texts import gettext as _

_LOG = logging.getLogger("app.store.anew")

_CARRIED: Final = {
    "outbox": "n, first, kind, id, size, op",
    "base": "id, kind, ver, deleted, cells",
    "op_archive": "incarnation, n, id, ver, acked_ms, gone, op",
    "attention": "incarnation, n, kind, id, code, hint, at_ms, op",
    "sealed": "place, incarnation, first_n, last_n, length, digest",
    "packet": "id, reported",
    "recovered": "device, print",
}
_PIECE: Final = 1_000


class _SilentError(Exception):
    """Our key does not open the old file."""


class _TornError(Exception):
    """The outbox is not all that waits: a part of it would pass for the whole."""


class Anew(msgspec.Struct, frozen=True):
    """What became of the work: `carried` into the new store, or left to its sealed copy; how many ops wait in it."""

    carried: bool
    unsent: int


def make(profile: Profile, key: SecretBytes, *, device: bytes, incarnation: bytes, person: str) -> Anew:
    """Put a new store in the place of one that nobody has open; `incarnation` is for one that cannot carry on.

    Raises StoreDamaged where the file holds, so that what is wrong is elsewhere; NewerStore, Busy, NoSpace and
    AppError. Then the old file stands where it stood.
    """
    begun = Here(device, incarnation, person, 1, 0, 0, 0, Cursor(), 0)
    try:
        ours, made = _from_old(profile, key, device)
        if made is None:
            made = Anew(carried=False, unsent=_build(profile, key, begun, None))
    except BaseException:
        clear(profile)
        raise
    try:
        change_places(profile, ours=ours)
    except OSError as error:
        raise not_written(error) from None
    _LOG.warning(
        "the store was made anew; its unsent work was %s", "carried over" if made.carried else "left sealed"
    )
    return made


def _from_old(profile: Profile, key: SecretBytes, device: bytes) -> tuple[bool, Anew | None]:
    """Whether our key opens the old file, and a new store with all that it tells of this device's work, if it tells
    all of it."""
    try:
        # A connection that has met a page that does not hold reads nothing more: one to look, another to read.
        with _reading(profile, key) as old:
            _refuse_whole(old)
        with _reading(profile, key) as old:
            return True, _carried(profile, key, old, device) if old.version == schema.VERSION else None
    except _SilentError:
        return False, None


@contextlib.contextmanager
def _reading(profile: Profile, key: SecretBytes) -> Iterator[Database]:
    """The old file, to be read. Raises _SilentError where our key does not open it."""
    try:
        old = Database(profile.store, key, version=schema.VERSION, reading=True)
    except StoreDamaged:
        raise _SilentError from None
    try:
        yield old
    finally:
        with contextlib.suppress(AppError):
            old.close()


def _refuse_whole(old: Database) -> None:
    """Raises StoreDamaged for a file that holds."""
    try:
        old.check()
        Reader(old).here()
        if not old.indexes_hold():  # and making them anew was of no use
            return
    except StoreDamaged:
        return
    raise StoreDamaged(
        _("The file of the store holds; what is wrong lies elsewhere."), _("Nothing was changed. Ask IT.")
    )


def _carried(profile: Profile, key: SecretBytes, old: Database, device: bytes) -> Anew | None:
    try:
        with old.snapshot():
            here = Reader(old).here()
            if here.device != device:
                return None
            here = msgspec.structs.replace(here, cursor=_from_start(old, here.cursor))
            return Anew(carried=True, unsent=_build(profile, key, here, old))
    except (Busy, NewerStore, NoSpace, Stopped):
        raise
    except (AppError, BadFrames, msgspec.MsgspecError, _TornError) as problem:
        _LOG.info("the old store does not tell its unsent work: %s", type(problem).__name__)
        return None


def _from_start(old: Database, cursor: Cursor) -> Cursor:
    """Read from the start, in the history of which the carried work was told: a server restored meanwhile says by it
    that work is lost to it. Its numbers may be ahead of what was read."""
    (last,) = old.one("SELECT coalesce(max(ver), 0) FROM op_archive")
    seq = max(cursor.seq, last) if cursor.epoch else 0
    return Cursor(epoch=cursor.epoch, seq=seq, care=cursor.care)


def _build(profile: Profile, key: SecretBytes, here: Here, old: Database | None) -> int:
    """The new file, whole, beside the old one; how many ops wait in it."""
    clear(profile)
    size = profile.store.stat().st_size if old is not None else 0
    space.needed(profile.folder, min(size, 2**26))
    db = Database(profile.store_coming, key, version=schema.VERSION, create=True)
    try:
        shapes = Reader(db).shapes
        building.build(db, shapes)
        with db.write():
            db.execute(
                "INSERT INTO here (one, device, incarnation, person, next_n, hlc, acked_n, durable_seq, cursor, sealed)"
                " VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    here.device, here.incarnation, here.person, here.next_n, here.hlc, here.acked_n,
                    here.durable_seq, msgspec.msgpack.encode(here.cursor), here.sealed,
                ),
            )  # fmt: skip
            if old is not None:
                for table, columns in _CARRIED.items():
                    marks = ", ".join("?" * (columns.count(",") + 1))
                    with contextlib.closing(
                        old.pieces(f"SELECT {columns} FROM {table}", size=_PIECE)
                    ) as pieces:
                        while some := next(pieces):
                            db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", some)
                _refuse_gaps(db, here)
                for shape in shapes.values():
                    _show(db, shape, here.person)
        db.checkpoint()
        return outbox.count(db)
    finally:
        db.close()


def _refuse_gaps(db: Database, here: Here) -> None:
    """Raises _TornError."""
    count, first, last = db.one("SELECT count(*), min(n), max(n) FROM outbox")
    whole = count == 0 or (last - first + 1 == count and last == here.next_n - 1 and first > here.acked_n)
    if not whole:
        raise _TornError


def _show(db: Database, shape: Shape, person: str) -> None:
    """Show what waits, until the server's rows come below it."""
    for ids in _waiting(db, shape):
        bases = outbox.bases(db, ids)
        changes: list[rows.Change] = []
        for id_, ops in outbox.of_records(db, ids).items():
            ver, deleted, cells = bases.get(id_, (0, False, {}))
            if id_ in bases or any(op.act is Act.ADD for op in ops):
                changes.append((None, laid(shape, id_, ver, ops, cells, person, deleted=deleted)))
        rows.write(db, shape, changes)


def laid(
    shape: Shape, id_: bytes, ver: int, ops: list[Op], cells: dict[str, object], person: str, *, deleted: bool
) -> Stored:
    """A record as it is shown with what waits on it."""
    shown, deleted = lay(cells, deleted, ops)
    values, ext = shape.split(shown)
    return Stored(id_, ver, deleted, len(ops), 0, clock.millis(ops[-1].hlc), person, values, ext)


def _waiting(db: Database, shape: Shape) -> Iterator[list[bytes]]:
    """Ids of records of a kind on which ops wait, some at a time."""
    after = b""
    asked = (
        "SELECT DISTINCT id FROM outbox INDEXED BY outbox_id WHERE kind = ? AND id > ? ORDER BY id LIMIT ?"
    )
    while ids := [id_ for (id_,) in db.all(asked, (shape.kind.name, after, rows.CHUNK))]:
        yield ids
        after = ids[-1]


def clear(profile: Profile) -> None:
    """A new file that came to nothing goes."""
    for end in ("-wal", "-shm", ""):
        remove(profile.store_coming.with_name(profile.store_coming.name + end))


def change_places(profile: Profile, *, ours: bool) -> None:
    """The new file into the old one's place. Ended anywhere in between, the old store is as little to be opened as it
    was, and what its log held is in the sealed outbox."""
    store = profile.store
    for end in ("-wal", "-shm"):
        remove(store.with_name(store.name + end))
    if not ours and store.is_file() and store.stat().st_size:
        store.replace(profile.store_aside)
        sync_folder(profile.folder)
    profile.store_coming.replace(store)
    sync_folder(profile.folder)
