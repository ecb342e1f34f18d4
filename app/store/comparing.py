"""What this store holds of the server, as digests to be compared; and records that differed, laid in anew.

Compared is the server's row: what stands below waiting ops where some wait, else the row itself. The outbox, its sealed
copy and whatever a person has not sent are never touched here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from app.store import outbox, rows
from app.store import unspoken as unspoken_rows
from app.store.reader import Reader
from app.store.replica import StoreReplica
from app.store.restored import FIRST
from app.store.rows import chunks, marks
from app.store.schema import Shape
from app.store.server_row import LEFT
from app.store.store import Store
from sync.client.ports import Answer, Applied
from sync.protocol import digest
from sync.protocol.digest import Sums
from sync.protocol.merge import Conflict
from sync.protocol.messages import Change

PIECE: Final = 2_000  # rows read at once


def sums(reader: Reader) -> Sums:
    """The sums of all that the server had shown when the cursor stood where it stands."""
    found, seq = Sums(), reader.here().cursor.seq
    for id_, ver, told in _all(reader, None):
        if ver <= seq:
            found.add(id_, told)
    return found


def digests(reader: Reader, buckets: frozenset[int]) -> dict[bytes, tuple[int, int]]:
    """Number and digest of each record in these buckets."""
    return {id_: (ver, told) for id_, ver, told in _all(reader, buckets)}


def lay_in(store: Store, changes: Sequence[Change], conflicts: Sequence[Conflict]) -> Applied:
    """Make these records what the server says, whatever number they had; what waits stays on top of them.

    One that has left goes, unless `keeps` says that it stays. Raises UpgradeNeeded, NoSpace.
    """
    here = store.here()
    kept = keeps(store, [change.id for change in changes if change.gone == LEFT])
    taken = [change for change in _named(store, changes) if change.id not in kept]
    with store.db.write() as db:
        # An older word than the last one changes nothing, and a number may be what is wrong.
        for change in taken:
            if change.gone == LEFT:
                continue
            at = (change.id, change.ver)
            if change.kind in store.shapes:
                table = store.shapes[change.kind].table
                db.execute(f'UPDATE "{table}" SET _ver = ?2 WHERE _id = ?1 AND _ver > ?2', at)
            db.execute("UPDATE base SET ver = ?2 WHERE id = ?1 AND ver > ?2", at)
    return StoreReplica(store).apply(
        Answer(here.cursor, here.acked_n, here.durable_seq, changes=taken, conflicts=list(conflicts))
    )


def keeps(reader: Reader, ids: Sequence[bytes]) -> set[bytes]:
    """Those of these records that are not taken away though the server does not have them for this person: where
    work on them waits, was sent from here or was refused and is still to be looked at, or where they come from an
    earlier history of the server, which may have been put back from a backup. This device may be all that holds them.
    """
    found: set[bytes] = set()
    for some in chunks(ids):
        asked = marks(len(some))
        for statement in (
            f"SELECT id FROM outbox WHERE id IN ({asked})",
            f"SELECT id FROM op_archive WHERE gone = 0 AND id IN ({asked})",
            f"SELECT id FROM attention WHERE op IS NOT NULL AND id IN ({asked})",
            *(
                f'SELECT _id FROM "{shape.table}" WHERE _ver <= {FIRST} AND _id IN ({asked})'
                for shape in reader.shapes.values()
            ),
        ):
            found.update(id_ for (id_,) in reader.db.all(statement, some))
    return found


def unspoken(store: Store, after: bytes = b"") -> tuple[list[bytes], bytes]:
    """Some records of a lost history of which the restored server has said nothing, and the id to go on behind, b"" at
    the end. None while the new one is not read under today's rights; asked for once it is read to its end.
    """
    return unspoken_rows.some(store.db, store.shapes, after) if store.here().cursor.scopes > 0 else ([], b"")


def hear(store: Store, told: Sequence[Change]) -> Applied:
    """The server's word on such records: what it has for others goes, as in an exchange. Raises NoSpace."""
    here = store.here()
    waiting = outbox.waiting(store.db, [each.id for each in told])
    left = [each for each in told if each.gone == LEFT and each.kind and each.id not in waiting]
    with store.db.write(durable=False) as db:
        unspoken_rows.spoken(db, [each.id for each in told if each.gone != LEFT])
    changes = [msgspec.structs.replace(each, ver=0) for each in left]
    return StoreReplica(store).apply(Answer(here.cursor, here.acked_n, here.durable_seq, changes=changes))


def _named(store: Store, changes: Sequence[Change]) -> Iterator[Change]:
    """The changes, each with its kind: of what is not for its person, the server does not say even that."""
    nameless = [change.id for change in changes if not change.kind]
    kinds: dict[bytes, str] = {}
    for shape in store.shapes.values():
        kinds.update(dict.fromkeys(rows.there(store.db, shape, nameless), shape.kind.name))
    for change in changes:
        if change.kind:
            yield change
        elif change.id in kinds:
            yield msgspec.structs.replace(change, kind=kinds[change.id])


def _all(reader: Reader, buckets: frozenset[int] | None) -> Iterator[tuple[bytes, int, int]]:
    """Id, number and digest of every record that the server has, as far as this store knows."""
    any_wait = outbox.count(reader.db) > 0
    for shape in reader.shapes.values():
        for some in _pieces(reader, shape, buckets):
            ids = [row[1] for row in some]
            waiting = outbox.waiting(reader.db, ids) if any_wait else set()
            bases = outbox.bases(reader.db, waiting)
            for row in some:
                id_ = row[1]
                if id_ in waiting:
                    if id_ in bases:  # else the server does not have it yet
                        ver, deleted, cells = bases[id_]
                        yield id_, ver, digest.digest_of(id_, ver, None if deleted else cells)
                elif row[2] > 0:
                    shown = None if row[3] else shape.cells(shape.stored(row))
                    yield id_, row[2], digest.digest_of(id_, row[2], shown)


def _pieces(reader: Reader, shape: Shape, buckets: frozenset[int] | None) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a kind, tombstones too."""
    after = 0
    while some := reader.db.all(f"{shape.select} WHERE _rowid > ? ORDER BY _rowid LIMIT ?", (after, PIECE)):
        after = some[-1][0]
        yield some if buckets is None else [row for row in some if digest.bucket_of(row[1]) in buckets]
