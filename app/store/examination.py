"""A look at the store as a whole: every page, the kept counts, and what waits against its sealed copy."""

from __future__ import annotations

from app.errors import StoreDamaged
from app.store.store import Store
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext


def examine(store: Store) -> list[str]:
    """What does not hold, in words; nothing when all does. Changes nothing."""
    problems = []
    try:
        store.db.check()
    except StoreDamaged as damage:
        problems.append(damage.title)
    counts = store.counts()
    for shape in store.shapes.values():
        (there,) = store.db.one(f'SELECT count(*) FROM "{shape.table}" WHERE _deleted = 0')
        if there != counts.get(shape.kind.name, 0):
            problems.append(_("The count of {kind} is wrong.").format(kind=_(shape.kind.plural)))
    (unsealed,) = store.db.one(
        "SELECT count(*) FROM outbox o, here h WHERE NOT EXISTS (SELECT 1 FROM sealed s"
        " WHERE s.incarnation = h.incarnation AND o.n BETWEEN s.first_n AND s.last_n)"
    )
    if unsealed:
        text = ngettext(
            "{n} unsent change has no sealed copy.", "{n} unsent changes have no sealed copy.", unsealed
        )
        problems.append(text.format(n=unsealed))
    return problems
