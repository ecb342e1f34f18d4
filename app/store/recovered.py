"""Work that came back from another device of the same person: its ops go into the outbox as ours, once."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from app.store import outbox, rows
from app.store.schema import Stored
from app.store.store import Store
from sync.protocol import clock
from sync.protocol.ops import Act, Op, lay, print_of


def take_in(store: Store, packet: bytes, ops: list[Op], origin: tuple[bytes, bytes]) -> int:
    """Lay the ops of `origin` (device, incarnation) in the outbox under our numbers; how many were new.

    A packet is taken once, and an op that came in another packet before is passed over. Stamps and bases stay as
    their author had them, so the server merges the work as of the day it was done. A packet that comes again, since the
    server has refilled it, is reported again.
    """
    with store.writing() as writing:
        db = store.db
        db.execute("INSERT OR REPLACE INTO packet (id, reported) VALUES (?, 0)", (packet,))
        numbers: dict[int, int] = {}
        fresh: list[Op] = []
        for op in ops:
            if db.execute("INSERT OR IGNORE INTO recovered VALUES (?, ?)", (origin[0], print_of(op))) < 1:
                continue
            numbers[op.n] = writing.next_n
            first = numbers.get(op.first, writing.next_n)
            again = msgspec.structs.replace(
                op, n=writing.next_n, first=first, origin=op.origin or (*origin, op.n)
            )
            fresh.append(writing.put(again))
        for op in fresh:
            lay_on_top(store, writing.person, op)
        return len(fresh)


def unreported(store: Store) -> list[bytes]:
    """Ids of packets taken in and not yet reported to the server."""
    return [id_ for (id_,) in store.db.all("SELECT id FROM packet WHERE reported = 0 ORDER BY id")]


def reported(store: Store, packets: list[bytes]) -> None:
    """The server knows of these packets."""
    with store.db.write() as db:
        db.executemany("UPDATE packet SET reported = 1 WHERE id = ?", [(id_,) for id_ in packets])


def lay_on_top(store: Store, person: str, op: Op) -> None:
    """Show one op that came back; an edit of a record that is not here waits unseen until the record comes."""
    shape = store.shapes.get(op.kind)
    if shape is None:
        return
    before = rows.fetch(store.db, shape, [op.id]).get(op.id)
    if before is None and op.act is not Act.ADD:
        return
    was = before or Stored(op.id)
    cells = shape.cells(was)
    if before is not None and before.ver > 0 and before.waiting == 0:
        outbox.keep_base(store.db, op.id, op.kind, before.ver, before.deleted, cells)
    laid, deleted = lay(cells, was.deleted, [op])
    values, ext = shape.split(laid)
    after = replace(
        was, deleted=deleted, waiting=was.waiting + 1, changed_ms=clock.millis(op.hlc),
        changed_by=person, values=values, ext=ext,
    )  # fmt: skip
    rows.write(store.db, shape, [(before, after)])
