"""Works out where records lie that were kept before territories counted: once, piece by piece, before all else."""

from __future__ import annotations

from typing import Final

from sync.server import access
from sync.server.db.base import Store, Transaction

AT_ONCE: Final = 1_000  # records in one transaction


def place_all(store: Store) -> int:
    """Note for each record what it is about and in which territory it lies; how many there were."""
    placed, after = 0, 0
    while True:
        with store.read() as tx:
            if not tx.records.unplaced(after, 1):
                return placed
        with store.write() as tx:
            for id_ in tx.records.unplaced(after, AT_ONCE):
                after = max(after, _place(tx, id_, set()))
                placed += 1


def _place(tx: Transaction, id_: bytes, under_way: set[bytes]) -> int:
    """Place a record behind the one that it is about; its number. Records in a circle lie nowhere."""
    held = tx.records.held(id_)
    if held is None or id_ in under_way:
        return 0
    kind, cells = held.row.kind, held.row.cells
    subject = access.subject_of(kind, cells)
    if subject and not tx.records.is_placed(subject):
        _place(tx, subject, under_way | {id_})
    named = access.has_territory(kind)
    territory = access.territory_of(kind, cells) if named else tx.records.territory(subject)
    tx.records.place(id_, subject, territory)
    return held.row.ver
