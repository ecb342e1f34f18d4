"""Customers in a store, and acts on all but some of them, piece by piece."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.services import acting
from app.services.acting import Act
from app.services.many import Outcome
from app.services.session import Session
from app.store import narrowing, records
from app.store.bulk import Selection, Setting
from app.store.filters import ALL, Filter
from app.store.rowset import RowSet
from app.store.store import Store
from sync.protocol.kinds import KINDS

CUSTOMER = KINDS["customer"]
COUNT = 2_400
NORTH = Setting("territory", "North")
SPARED = 7  # customers that are not selected


def fill(session: Session, count: int = COUNT) -> None:
    """New customers of two territories by turns."""

    def work(store: Store) -> None:
        with records.batch(store) as batch:
            for n in range(count):
                batch.add(CUSTOMER, {"name": f"Customer {n:05}", "territory": ("South", "East")[n % 2]})

    session.call(work)


def everyone(session: Session, filter_: Filter = ALL) -> Selection:
    """All customers of a filter but the first few."""

    def work(store: Store) -> Selection:
        last = narrowing.last_rowid(store, store.shapes["customer"])
        found = narrowing.scan(store, store.shapes["customer"], filter_, SPARED + 1, last)
        return Selection(CUSTOMER, True, RowSet(range(1, SPARED + 1)), filter_, last, len(found))

    return session.call(work)


def territories(session: Session) -> dict[str | None, int]:
    """How many customers each territory has."""
    found = session.call(
        lambda store: store.db.all(
            "SELECT territory, count(*) FROM record_customer WHERE _deleted = 0 GROUP BY 1"
        )
    )
    return dict(found)


def to_the_end(act: Act, at_piece: Callable[[Outcome], None] = lambda _outcome: None) -> Outcome:
    """Do all of it; `at_piece` hears of each."""
    act.begin()
    while (found := act.piece()) is not None:
        at_piece(found.outcome)
    act.end(whole=True)
    return act.outcome


def in_small_pieces(patch: pytest.MonkeyPatch) -> None:
    """So that something may come in between."""
    patch.setattr(acting, "PIECE", 60)


def pid_of(act: Act) -> int:
    """The number of the process that does it."""
    assert act._process is not None
    return act._process._process.pid
