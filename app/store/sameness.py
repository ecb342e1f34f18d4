"""Whether two states of a row are the same to whoever looks at it, so that nothing need be written."""

from __future__ import annotations

from app.store.schema import Stored


def same(before: Stored, after: Stored) -> bool:
    """Whether two rows that look the same also are the same, and nothing needs to be written."""
    one, other = (
        (each.ver, each.waiting, each.changed_ms, each.changed_by, each.ext) for each in (before, after)
    )
    return one == other


def looks(stored: Stored) -> tuple[object, ...]:
    """What a person sees of a row."""
    return stored.values, stored.deleted, stored.waiting > 0, stored.conflicts
