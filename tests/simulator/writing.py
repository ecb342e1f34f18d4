"""What people find on a laptop to write in, and where they put it."""

from __future__ import annotations

from app.store import lists, records
from app.store.store import Store
from sync.protocol.kinds import KINDS
from tests.simulator import steps


def settle_in(store: Store, step: steps.Write, here: list[tuple[str, bytes]]) -> None:
    """A customer comes to lie in a territory, or another record comes to a customer."""
    customers = [id_ for name, id_ in here if name == "customer"]
    others = [id_ for name, id_ in here if name != "customer"]
    if step.verb == "place" and customers:
        land = steps.LANDS[step.cell % len(steps.LANDS)]
        records.edit(store, customers[step.pick % len(customers)], {"territory": land or None})
    elif step.verb == "join" and customers and others:
        whom = customers[step.cell % len(customers)]
        records.edit(store, others[step.pick % len(others)], {"customer": whom})


def kept(store: Store, kind: str) -> list[bytes]:
    """Ids of the records of a kind that are not deleted."""
    return [one.id for one in lists.by_rowids(store, KINDS[kind], lists.ids(store, KINDS[kind]))]


def deleted(store: Store, kind: str) -> list[bytes]:
    """Ids of those that are."""
    shape = store.shapes[kind]
    found = store.db.all(f"{shape.select} WHERE _deleted = 1")  # the name is one of the table of kinds
    return [shape.stored(row).id for row in found]
