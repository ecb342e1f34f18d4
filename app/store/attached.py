"""Which files the records of this device name: those of kept records, by the digests that stand in them."""

from __future__ import annotations

from app.store.reader import Reader


def named(store: Reader) -> set[bytes]:
    """The digests that kept records name."""
    found: set[bytes] = set()
    for shape in store.shapes.values():
        for field in shape.kind.contents:
            asked = f'SELECT "{field.name}_sha256" FROM "{shape.table}" WHERE _deleted = 0'
            found.update(digest for (digest,) in store.db.all(asked) if digest is not None)
    return found
