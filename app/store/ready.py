"""Makes the ready part of a person's records, and puts one in the place of a store that has just been begun.

Made is a store like a device's, by the road that pages of the server take there: what is in it is what a device would
hold that had read them. So whatever a page may bring, a part brings, and nothing of it is told twice here.

Laid in, it is the device's own file under the device's own key, with the device's numbering and whatever waits in it.
That is done only where the device has had no word on any op of its own: what was acknowledged comes in no feed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from app.errors import AppError, StoreDamaged
from app.keys.secret import SecretBytes
from app.paths import Profile
from app.store import outbox, pagefile, rows, schema
from app.store.anew import change_places, clear, laid
from app.store.db import KEY_BYTES, Database
from app.store.reader import Reader
from app.store.replica import StoreReplica
from app.store.schema import Shape
from app.store.store import Store
from sync.client.cycle import NUMBER_END
from sync.client.ports import Answer
from sync.protocol import clock, ready, version
from sync.protocol.codec import pack
from sync.protocol.fields import Care
from sync.protocol.messages import Cursor
from sync.protocol.ops import Act
from sync.protocol.ready import Fed, Made

_LOG = logging.getLogger("app.store.ready")

BEGUN_ROWS: Final = 10_000  # more were not read by a store that has just been begun
__all__ = ["carry", "clear", "layout", "make", "may_take", "put_in_place", "unpack"]

HELD_KIB: Final = 262_144  # of a store that is being made in memory
_FREE: Final = (
    "op_archive",
    "attention",
    "packet",
    "recovered",
    "begun",
    "chosen WHERE waiting = 1",  # what others settled, the server tells whoever sees the record
    "unspoken",
)  # empty, or there is a story
_CARRIED: Final = {
    "outbox": "n, first, kind, id, size, op",
    "sealed": "place, incarnation, first_n, last_n, length, digest",
}


def layout(db: Database) -> bytes:
    """What two stores must agree on of which one can be the other: version, program, tables and indexes."""
    made = db.all(
        "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name, type"
    )
    return hashlib.sha256(pack([schema.VERSION, version.APP_VERSION, made])).digest()


# --- making ------------------------------------------------------------------------------------------


def make(folder: Path, pages: Iterable[Fed], key: bytes, part: bytes, into: Path) -> Made:
    """Make the part of these pages in `folder`, which is empty; its sealed pieces stand in the file `into`.

    Raises AppError, OSError.
    """
    profile = Profile(folder)
    with SecretBytes.random(KEY_BYTES) as own:
        store = Store.create(
            profile, own, device=bytes(16), incarnation=bytes(8), recovery=_nobody(), person="",
        )  # fmt: skip
        try:
            store.db.hold(HELD_KIB)
            replica = StoreReplica(store)
            for page in pages:
                replica.apply(
                    Answer(page.cursor, 0, 0, page.more, changes=page.changes, conflicts=page.conflicts)
                )
            with store.db.write() as db:
                for shape in store.shapes.values():
                    db.execute(f'INSERT INTO "{shape.index}" ("{shape.index}") VALUES (\'optimize\')')
            made = layout(store.db), sum(store.counts().values())
            store.db.checkpoint()
        finally:
            store.close()
        lengths = []
        with into.open("xb") as file:
            for number, plain in enumerate(pagefile.read(profile.store, own)):
                sealed = ready.seal_piece(key, part, number, plain)
                file.write(sealed)
                lengths.append(len(sealed))
    return Made(*made, lengths)


def _nobody() -> bytes:
    """A recovery key of nobody: no op is ever sealed in a part."""
    return bytes([9] + [0] * 31)


# --- laying in ---------------------------------------------------------------------------------------


def unpack(profile: Profile, key: SecretBytes, plain: Iterable[bytes]) -> None:
    """The file of a part beside the store, under its key; it holds, each page in its place.

    Raises OSError, StoreDamaged, and what `plain` and opening a store raise.
    """
    clear(profile)
    with pagefile.Writer(profile.store_coming, key) as writer:
        for some in plain:
            writer.put(some)
    # Whatever a server sends: what takes the store's place, with the work that waits, is a store.
    db = Database(profile.store_coming, key, version=schema.VERSION, reading=True)
    try:
        db.check()
    finally:
        db.close()


def may_take(store: Store) -> bool:
    """Whether a part may take this store's place: nothing was heard of its own ops, and all that waits is whole."""
    here = store.here()
    told = here.acked_n or any(store.db.one(f"SELECT count(*) FROM {table}")[0] for table in _FREE)
    count, first, last = store.db.one("SELECT count(*), min(n), max(n) FROM outbox")
    whole = count == here.next_n - 1 and (not count or (first, last) == (1, count))
    return whole and not told and store.all_sealed


def carry(profile: Profile, key: SecretBytes, store: Store) -> bool:
    """Bring the device's own into the file that `unpack` made: who it is, and what waits, on top. Whether it may then
    take the place of `store`. Raises AppError.
    """
    here = store.here()
    db = Database(profile.store_coming, key, version=schema.VERSION)
    try:
        if not may_take(store) or db.version != schema.VERSION or layout(db) != layout(store.db):
            return False
        shapes = Reader(db).shapes
        there = Reader(db).here()
        _refuse_implausible(db, there.cursor)
        # What waits was written by somebody who had seen what was read here: a part from before then would hide that.
        if there.cursor.epoch != here.cursor.epoch or there.cursor.seq < here.cursor.seq:
            return False
        if not _all_known(db, store, there.cursor.seq):
            return False
        hlc = clock.observe(here.hlc, there.hlc, store.clock())
        with db.write():
            db.execute(
                "UPDATE here SET device = ?, incarnation = ?, person = ?, next_n = ?, hlc = ?, acked_n = 0,"
                " durable_seq = ?, sealed = ?",
                (here.device, here.incarnation, here.person, here.next_n, hlc, here.durable_seq, here.sealed),
            )  # fmt: skip
            for table, columns in _CARRIED.items():
                marks = ", ".join("?" * (columns.count(",") + 1))
                rows_ = store.db.all(f"SELECT {columns} FROM {table}")
                db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows_)
            for shape in shapes.values():
                _lay_on_top(db, shape, store)
        db.checkpoint()
        return True
    finally:
        db.close()


def _refuse_implausible(db: Database, cursor: Cursor) -> None:
    """Refuse what speaks of a device's own in a part, or what no page may say: it would be sent as this person's work,
    taken for recovered or refused, or be a number that every server refuses. Raises StoreDamaged.
    """
    own = (*_FREE, *_CARRIED, "base")
    if (
        not 0 <= cursor.seq < NUMBER_END
        or abs(cursor.scopes) >= NUMBER_END
        or not 0 <= cursor.care <= Care.RESTRICTED
        or any(db.one(f"SELECT count(*) FROM {table}")[0] for table in own)
    ):
        raise pagefile.damaged()


def _all_known(db: Database, store: Store, seq: int) -> bool:
    """Whether whatever is here stands in the part, comes behind it, or waits. What does not may be nowhere else: a
    row of a history that the server has lost, which whoever made it sends again.
    """
    for shape in store.shapes.values():
        asked = f'SELECT _id FROM "{shape.table}" WHERE _ver <= ? AND _waiting = 0 LIMIT ?'
        ids = [id_ for (id_,) in store.db.all(asked, (seq, BEGUN_ROWS + 1))]
        if len(ids) > BEGUN_ROWS or len(rows.fetch_raw(db, shape, ids)) < len(ids):
            return False
    return True


def _lay_on_top(db: Database, shape: Shape, store: Store) -> None:
    """Show what waits of a kind on top of what the part says of its records."""
    ids = [id_ for (id_,) in db.all("SELECT DISTINCT id FROM outbox WHERE kind = ?", (shape.kind.name,))]
    before = rows.fetch(db, shape, ids)
    bases = outbox.bases(store.db, ids)
    changes: list[rows.Change] = []
    for id_, ops in outbox.of_records(db, ids).items():
        stored = before.get(id_)
        if stored is not None:
            ver, deleted, cells = stored.ver, stored.deleted, shape.cells(stored)
        elif id_ in bases:  # it changed behind the part, or left: the feed tells
            ver, deleted, cells = bases[id_]
        else:
            ver, deleted, cells = 0, False, {}
            if not any(op.act is Act.ADD for op in ops):
                continue
        if stored is not None or id_ in bases:
            outbox.keep_base(db, id_, shape.kind.name, ver, deleted, cells)
        after = laid(shape, id_, ver, ops, cells, store.person, deleted=deleted)
        if stored is not None:
            after.conflicts = stored.conflicts
        changes.append((stored, after))
    rows.write(db, shape, changes)


def put_in_place(profile: Profile, key: SecretBytes, store: Store) -> bool:
    """Close `store` and put the file that `unpack` made in its place, with all of its own; False where it may not, and
    then nothing has changed. Raises nothing: what goes wrong leaves the store that was there.
    """
    try:
        if carry(profile, key, store):
            store.close()  # the last one to close it leaves all of it in the one file
            change_places(profile, ours=True)
            return True
    except Exception as problem:  # noqa: BLE001 - what stands in the file of a server that lies may be anything
        known = isinstance(problem, (AppError, OSError)) and not isinstance(problem, StoreDamaged)
        tell = _LOG.info if known else _LOG.warning
        tell("a ready part was not laid in: %s", type(problem).__name__)
    with contextlib.suppress(OSError):
        clear(profile)
    return False
