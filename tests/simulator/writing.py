"""Where people put what is on a laptop: a customer in a territory, another record with a customer."""

from __future__ import annotations

from app.store import records
from app.store.store import Store
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
