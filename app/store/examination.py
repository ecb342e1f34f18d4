"""A look at the whole store: pages, indexes, figures, search against the rows; unsent work against its copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.errors import StoreDamaged
from app.store import indexing, rebuilding, seal_book
from app.store.schema import Shape, Stored
from app.store.store import Store
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

SAMPLE: Final = 1_000  # records of a kind whose words are cut again and looked for
_TERMS: Final = 3  # of each of them


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what does not hold, nothing when all does."""

    name: str
    problems: tuple[str, ...] = ()


def checks(store: Store) -> list[Check]:
    """All that must hold, in order; where a page does not, nothing is asked of the others. Changes nothing."""
    try:
        for shape in store.shapes.values():
            # Once asked, an index is seen as it is now; the check alone may hold an older view of it against the pages
            # that the process beside has written since.
            store.db.all(f'SELECT rowid FROM "{shape.index}" WHERE rowid = 0')
        store.db.check()
    except StoreDamaged as damage:
        return [Check(_("Pages of the store"), (damage.title,))]
    indexes = () if store.db.indexes_hold() else (_("An index does not agree with its rows."),)
    return [
        Check(_("Pages of the store")),
        Check(_("Indexes"), indexes),
        Check(_("Counts and titles"), tuple(_counts(store))),
        Check(_("Totals"), tuple(_totals(store))),
        Check(_("Search"), tuple(_search(store))),
        Check(_("Copy of unsent work"), tuple(_unsealed(store))),
    ]


def examine(store: Store) -> list[str]:
    """What does not hold, in words; nothing when all does. Changes nothing."""
    return [problem for check in checks(store) for problem in check.problems]


def repair(store: Store) -> None:
    """Make anew whatever is read off the rows, and seal what has no copy. Rows and unsent work stay as they are.

    Raises StoreDamaged where a page does not hold: from such a file nothing is made. NoSpace.
    """
    store.db.check()
    with store.db.building() as db:
        db.execute("REINDEX")
        for shape in store.shapes.values():
            rebuilding.everything(db, shape)
    seal_book.seal_again(store)


def _counts(store: Store) -> Iterator[str]:
    counts = store.counts()
    for shape in store.shapes.values():
        (there,) = store.db.one(f'SELECT count(*) FROM "{shape.table}" NOT INDEXED WHERE _deleted = 0')
        if there != counts.get(shape.kind.name, 0):
            yield _("The count of {kind} is wrong.").format(kind=_said(shape))
        keys = store.db.all(
            f'SELECT _key, "{shape.kind.title}" FROM "{shape.table}" WHERE _rowid % ? = 0',
            (_step(store, shape),),
        )
        if any(key != shape.key({shape.kind.title: title}) for key, title in keys):
            yield _("Titles of {kind} are in the wrong order.").format(kind=_said(shape))


def _said(shape: Shape) -> str:
    """The kind's records, as a word in a sentence."""
    return _(shape.kind.plural).lower()


def _totals(store: Store) -> Iterator[str]:
    for shape in store.shapes.values():
        if not all(tally.holds(store.db) for tally in shape.tallies):
            yield _("The totals of {kind} are wrong.").format(kind=_said(shape))


def _search(store: Store) -> Iterator[str]:
    for shape in store.shapes.values():
        if not _index_holds(store, shape):
            yield _("Search does not find all {kind} as they are.").format(kind=_said(shape))


def _index_holds(store: Store, shape: Shape) -> bool:
    """Every record that is in the index is kept, and each of a sample is found by its words."""
    (strangers,) = store.db.one(
        f'SELECT count(*) FROM "{shape.index}_docsize" d WHERE NOT EXISTS'
        f' (SELECT 1 FROM "{shape.table}" r WHERE r._rowid = d.id AND r._deleted = 0)'
    )
    sample = f"{shape.select} WHERE _deleted = 0 AND _rowid % ? = 0 AND _rowid >= ?"
    rows = store.db.all(sample, (_step(store, shape), indexing.below(store.db, shape)))
    return strangers == 0 and all(_found(store, shape, shape.stored(row)) for row in rows)


def _found(store: Store, shape: Shape, stored: Stored) -> bool:
    words = shape.words(stored.values).split()
    if not words:
        return store.db.first(f'SELECT 1 FROM "{shape.index}_docsize" WHERE id = ?', (stored.rowid,)) is None
    asked = " AND ".join(f'"{word}"' for word in words[:: max(1, len(words) // _TERMS)])
    found = store.db.first(
        f'SELECT 1 FROM "{shape.index}" WHERE "{shape.index}" MATCH ? AND rowid = ?', (asked, stored.rowid)
    )
    return found is not None


def _step(store: Store, shape: Shape) -> int:
    (last,) = store.db.one(f'SELECT coalesce(max(_rowid), 0) FROM "{shape.table}"')
    return max(1, int(last) // SAMPLE)


def _unsealed(store: Store) -> Iterator[str]:
    unsealed = len(seal_book.without_copy(store))
    if unsealed:
        text = ngettext(
            "{n} unsent change has no sealed copy.", "{n} unsent changes have no sealed copy.", unsealed
        )
        yield text.format(n=unsealed)
