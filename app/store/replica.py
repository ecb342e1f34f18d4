"""The store as the engine sees it (sync.client.ports.Replica): takes ops out, lays pages in.

The shown row is always the server's row with what still waits laid on top. A page is one transaction with its
cursor: results first, then rows, then conflicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager

import msgspec

from app.store import (
    as_sent,
    indexing,
    keyed,
    missed,
    outbox,
    recovered,
    restored,
    rows,
    seal_book,
    settled,
    sight,
    space,
    straight,
    unspoken,
)
from app.store.db import Database
from app.store.sameness import looks, same
from app.store.schema import Shape
from app.store.server_row import LEFT, ServerRow, shown
from app.store.store import Store
from sync.client.ports import Answer, Applied, Position, Stands
from sync.protocol import clock
from sync.protocol.errors import Outcome, UpgradeNeeded
from sync.protocol.fields import Care
from sync.protocol.merge import OPEN
from sync.protocol.messages import Change, OpResult
from sync.protocol.ops import Op
from sync.protocol.texts import gettext as _


class StoreReplica:
    """The replica over one open store; used in the store's thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._roads: dict[str, straight.Road] = {}

    def position(self) -> Position:
        """Where this replica stands."""
        here = self._store.here()
        return Position(here.cursor, here.incarnation, here.next_n - 1)

    def stands(self) -> Stands:
        """Where it stands, and what there is to say."""
        return Stands(self.position(), self.unsent(), self.recovered())

    def take(self, ops_max: int, bytes_max: int, after: int = 0) -> list[Op]:
        """The next waiting ops in order; an act is never split, and one larger than both bounds comes alone."""
        return outbox.take(self._store.db, ops_max, bytes_max, after)

    def unsent(self) -> int:
        """How many ops wait for the server's word."""
        return self._store.unsent()

    def apply(self, answer: Answer) -> Applied:
        """Results, rows, conflicts and cursor in one transaction; what still waits is laid on top.

        Raises UpgradeNeeded for a kind that this version does not know (nothing of the page is used), NoSpace.
        """
        for change in answer.changes:
            self._shape(change.kind)
        space.needed(self._store.db.folder, len(answer.changes) * space.ROW)
        with self._store.db.pen():
            applied = self._apply(answer)
            missed.send_again(self._store)
            return applied

    def lay_piece(self, changes: list[Change]) -> Applied:
        """Some rows of a page that ends no work and takes no record away; in a transaction. Laid in twice, they are
        there once.

        Raises UpgradeNeeded for a kind that this version does not know, NoSpace.
        """
        store, db = self._store, self._store.db
        space.needed(db.folder, len(changes) * space.ROW)
        here = store.here()
        world = self._world((), Answer(here.cursor, here.acked_n, here.durable_seq, changes=changes))
        for change in changes:
            world[change.id].take(change)
        looked = self._write(world, settled.conflicts(db, (), ()))
        unspoken.spoken(db, (change.id for change in changes))
        self._observe(here.hlc, changes)
        brought = {change.id for change in changes}
        return Applied(looked, received=sum(id_ in brought for _kind, id_ in looked))

    def loses(self, changes: list[Change]) -> tuple[int, int]:
        """How many records these changes would take away, and how many are kept here."""
        store, ids = self._store, [each.id for each in changes if each.gone]
        return rows.kept_of(store.db, store.shapes.values(), ids), sum(store.counts().values())

    def renumber(self, incarnation: bytes) -> None:
        """Give all waiting ops new numbers, from 1, under a new incarnation; they are sealed again."""
        store = self._store
        seal_book.number_anew(store, incarnation)
        # The same work under two numberings would come back twice from a wiped device.
        seal_book.tidy(store, at_once=True)

    def restart(self, common: int = 0) -> None:
        """The server's history changed: read again from its start, and send once more, ahead of what waits, what the
        former history took after `common`, up to which both are one (0 where nobody knows).
        """
        with self._store.db.pen():
            restored.begin(self._store, common)

    def take_in(self, packet: bytes, ops: list[Op], origin: tuple[bytes, bytes]) -> int:
        """Recovered ops of (device, incarnation) into the outbox, once per packet; how many were new."""
        return recovered.take_in(self._store, packet, ops, origin)

    def recovered(self) -> list[bytes]:
        """Ids of packets taken in and not yet reported."""
        return recovered.unreported(self._store)

    def reported(self, packets: list[bytes]) -> None:
        """The server knows of these packets."""
        recovered.reported(self._store, packets)

    # --- one page -----------------------------------------------------------------------------------

    def _apply(self, answer: Answer) -> Applied:
        store, db = self._store, self._store.db
        here, care = store.here(), answer.cursor.care
        acked = outbox.up_to(db, answer.acked_n)
        # Kinds of which words may have to go that no row has any more, as they do where a record leaves.
        bared = {op.kind for op in acked if sight.sets_hidden(op, care)}
        over = sight.gone_through(here.cursor, answer.cursor)
        if over:
            bared.update(store.shapes)
        # Rows alone can be had again from the server. What ends unsent work, or takes records away, waits for the disk.
        again = answer.acked_n <= here.acked_n and answer.durable_seq <= here.durable_seq
        again = again and not (bared or care < here.cursor.care or _any_leaves(answer.changes))
        with self._page_written(answer, durable=not again, bares=bool(bared)):
            results = {result.n: result for result in answer.results}
            # Where more becomes hidden, each record is looked at.
            told = over or care < here.cursor.care
            plain = {} if told else as_sent.found(store, acked, answer, results)
            others = [op for op in acked if op.id not in plain]
            world = self._world(others, answer)
            met = {conflict.id: conflict.ver for conflict in answer.conflicts}
            rejected = settled.results(
                store, acked, results, fallback_ver=answer.cursor.seq, care=care, met=met
            )
            self._take_words(world, others, results, answer)
            outbox.drop_up_to(db, answer.acked_n)
            if care < here.cursor.care:
                sight.forget_hidden(db, care)
                store.left_taken = True
            gone_ids = [id_ for id_, record in world.items() if record.left]
            conflicts = settled.conflicts(db, answer.conflicts, gone_ids, acked, store.clock())
            looked = self._write(world, conflicts) + as_sent.write(store, plain, conflicts)
            unspoken.spoken(db, _spoken_of(answer))
            self._observe(here.hlc, answer.changes)
            db.execute(
                "UPDATE here SET cursor = ?, acked_n = max(acked_n, ?), durable_seq = ?",
                (msgspec.msgpack.encode(answer.cursor), answer.acked_n, answer.durable_seq),
            )
            left = [(id_, record.shape) for id_, record in world.items() if record.left]
            orphans = [
                op.id
                for op in others
                if not world[op.id].is_known and settled.is_orphan(op, results.get(op.n))
            ]
            settled.forget_left(store, [*(id_ for id_, _shape in left), *orphans])
            settled.forget_old(store, answer.durable_seq)
            bared.update(shape.kind.name for _id, shape in left)
            if over:
                sight.strip_deleted(db, store.shapes.values(), care)
            self._looked_at_anew(here.cursor.care, care)
            sight.purge(db, [store.shapes[name] for name in sorted(bared)])
        if bared:
            db.checkpoint()
            store.no_copy()
        if acked or answer.durable_seq > here.durable_seq:
            seal_book.tidy(store)
        applied = _applied(answer, looked, world, rejected)
        if applied.left or bared.difference(shape.kind.name for _id, shape in left):
            store.no_aside()
        return applied

    def _page_written(
        self, answer: Answer, *, durable: bool, bares: bool
    ) -> AbstractContextManager[Database]:
        """The transaction of a page: one that may drop tables where something leaves and there are old indexes."""
        said = (*answer.changes, *(result.row for result in answer.results if result.row is not None))
        if (bares or _any_leaves(said)) and indexing.any_old(self._store.db, self._store.shapes.values()):
            return self._store.db.building()
        return self._store.db.write(durable=durable)

    def _looked_at_anew(self, before: int, care: int) -> None:
        """Pairs of records are told by what its person sees: where that becomes other, no row was looked at yet."""
        for shape in self._store.shapes.values():
            if shape.kind.alike and shape.kind.hidden(before) != shape.kind.hidden(care):
                keyed.begin(self._store.db, shape)

    def _observe(self, hlc: int, changes: Iterable[Change]) -> None:
        """This device's clock is behind none that it has seen."""
        now = self._store.clock()
        for change in changes:
            hlc = clock.observe(hlc, change.hlc, now)
        self._store.db.execute("UPDATE here SET hlc = ?", (hlc,))

    def _shape(self, kind: str) -> Shape:
        shape = self._store.shapes.get(kind)
        if shape is None:
            raise UpgradeNeeded(
                _("The server sent a kind of record that this version does not know."),
                _("Install the newest version of Fieldkeep."),
            )
        return shape

    def _world(self, acked: Iterable[Op], answer: Answer) -> dict[bytes, ServerRow]:
        """Every record that the page speaks of, as the server had it before."""
        kinds: dict[bytes, str] = {op.id: op.kind for op in acked}
        kinds.update((change.id, change.kind) for change in answer.changes)
        for conflict in answer.conflicts:
            if conflict.kind in self._store.shapes:
                kinds.setdefault(conflict.record, conflict.kind)
        by_kind: dict[str, list[bytes]] = {}
        for id_, kind in kinds.items():
            by_kind.setdefault(kind, []).append(id_)
        db = self._store.db
        waiting = outbox.of_records(db, kinds)
        bases = outbox.bases(db, waiting)
        world: dict[bytes, ServerRow] = {}
        for kind, ids in by_kind.items():
            shape = self._shape(kind)
            there = rows.fetch_raw(db, shape, ids)
            for id_ in ids:
                record = ServerRow(shape, there.get(id_))
                record.pending = [op for op in waiting.get(id_, ()) if op.n > answer.acked_n]
                if id_ in bases:
                    record.ver, record.deleted, record.cells = bases[id_]
                elif record.raw is not None and record.raw[straight.VER] > 0:
                    record.ver, record.deleted = record.raw[straight.VER], bool(record.raw[straight.DELETED])
                    record.as_stored = True
                world[id_] = record
        return world

    def _take_words(
        self,
        world: Mapping[bytes, ServerRow],
        ops: Iterable[Op],
        results: Mapping[int, OpResult],
        answer: Answer,
    ) -> None:
        """What the server says of these ops, and then of records."""
        care = answer.cursor.care
        for op in ops:
            self._settle(world[op.id], sight.seen_part(op, care), results.get(op.n))
        for change in answer.changes:
            world[change.id].take(change)
        for record in world.values() if care < Care.RESTRICTED else ():
            record.bare(care)

    def _settle(self, record: ServerRow, op: Op, result: OpResult | None) -> None:
        """What the server's word on one op means for its record."""
        if not _refused(result):
            # Taken, and the answer that said as what was lost: known to the server, open to its next word.
            record.lay(op, (result.ver if result else 0) or 1)
        if result is not None and result.row is not None:
            record.take(result.row)

    def _write(self, world: dict[bytes, ServerRow], conflicts: dict[bytes, int]) -> list[tuple[str, bytes]]:
        """Put every record of the page as it is shown now; (kind, id) of those that look different."""
        db = self._store.db
        looked: list[tuple[str, bytes]] = []
        by_shape: dict[str, list[rows.Change]] = {}
        bare: list[bytes] = []
        others = self._write_straight(world, conflicts, looked)
        for id_, record in others.items():
            before, after = record.stored, shown(id_, record, conflicts)
            if record.pending and record.cells is not None:
                outbox.keep_base(db, id_, record.shape.kind.name, record.ver, record.deleted, record.cells)
            elif before is not None and before.waiting:
                bare.append(id_)
            if before is None and after is None:
                continue
            if before is None or after is None or looks(before) != looks(after):
                looked.append((record.shape.kind.name, id_))
            elif same(before, after):
                continue
            by_shape.setdefault(record.shape.kind.name, []).append((before, after))
        for kind, changes in by_shape.items():
            rows.write(db, self._store.shapes[kind], changes)
        outbox.drop_bases(db, bare)
        return looked

    def _write_straight(
        self, world: dict[bytes, ServerRow], conflicts: dict[bytes, int], looked: list[tuple[str, bytes]]
    ) -> dict[bytes, ServerRow]:
        """Put those that are ordinary by the straight road; the others, which go the general one."""
        others: dict[bytes, ServerRow] = {}
        ordinary: dict[str, list[straight.New]] = {}
        for id_, record in world.items():
            if record.pending or record.deleted or record.known is None or not straight.takes(record.raw):
                others[id_] = record
                continue
            one = straight.New(
                id_, record.ver, conflicts.get(id_, 0), record.changed_ms, record.changed_by, record.known,
                record.raw,
            )  # fmt: skip
            ordinary.setdefault(record.shape.kind.name, []).append(one)
        for kind, some in ordinary.items():
            if kind not in self._roads:
                self._roads[kind] = straight.Road(self._store.shapes[kind])
            different, left = straight.lay_in(self._store.db, self._roads[kind], some)
            others.update((one.id, world[one.id]) for one in left)
            looked.extend((kind, id_) for id_ in different)
        return others


def _spoken_of(answer: Answer) -> Iterable[bytes]:
    """The records of which an answer says how they stand."""
    said = (result.row for result in answer.results if result.row is not None)
    return (change.id for change in (*answer.changes, *said))


def _any_leaves(changes: Iterable[Change]) -> bool:
    return any(change.gone == LEFT for change in changes)


def _refused(result: OpResult | None) -> bool:
    return result is not None and result.outcome is Outcome.REJECTED


def _applied(
    answer: Answer, looked: list[tuple[str, bytes]], world: Mapping[bytes, ServerRow], rejected: int
) -> Applied:
    there = [id_ for _kind, id_ in looked]
    gone = sum(id_ in world and world[id_].left for id_ in there)
    brought = {change.id for change in answer.changes}
    brought.update(result.row.id for result in answer.results if result.row is not None)
    received = sum(id_ in brought for id_ in there) - gone
    opened = sum(each.state == OPEN for each in answer.conflicts)
    return Applied(looked, opened, rejected, received, gone)
