"""Finds records that are part of themselves by way of others: two edits made apart can leave such a circle."""

from __future__ import annotations

from app.store.reader import Reader
from app.store.schema import Shape


def circles(store: Reader) -> list[list[bytes]]:
    """The ids of each circle of kept records, in the order of their links; nothing when there is none."""
    return [
        circle
        for shape in store.shapes.values()
        for field in shape.kind.upward
        for circle in _closed(_links(store, shape, field.name))
    ]


def _links(store: Reader, shape: Shape, name: str) -> dict[bytes, bytes]:
    """What stands above each record that has something above it."""
    sql = f'SELECT _id, "{name}" FROM "{shape.table}" WHERE _deleted = 0 AND "{name}" IS NOT NULL'
    return {bytes(id_): bytes(above) for id_, above in store.db.all(sql)}


def _closed(above: dict[bytes, bytes]) -> list[list[bytes]]:
    """The circles among links, each once; every link is followed once."""
    found: list[list[bytes]] = []
    looked: set[bytes] = set()
    for start in above:
        way: dict[bytes, None] = {}
        at = start
        while at in above and at not in looked:
            looked.add(at)
            way[at] = None
            at = above[at]
        if at in way:
            ids = list(way)
            found.append(ids[ids.index(at) :])
    return found
