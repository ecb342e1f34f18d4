"""The dashboard's figures over all deals: by stage, by owner and by month, in the store and in the plain twin.

Once computed from the rows, as a program without kept totals would, and once as ours tells them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from app.store import ahead, totals
from app.store.reader import Reader
from app.viewmodels import figures
from sync.protocol.kinds import KINDS
from tests.benchmarks.book import owner
from tests.benchmarks.measure import FRAME_MS, Act, Aim, by_turns, timed
from tests.benchmarks.million import Ground

_SUMS: Final = "amount_currency, count(*), sum(amount) FROM record_deal WHERE _deleted = 0 GROUP BY"
QUESTIONS: Final = (
    ("stage", ("stage",), f"SELECT stage, {_SUMS} stage, amount_currency"),
    ("stage and owner", ("owner", "stage"), f"SELECT owner, stage, {_SUMS} owner, stage, amount_currency"),
    ("month", ("close_on",), f"SELECT substr(close_on, 1, 7), {_SUMS} 1, 2"),
)


def measure(ground: Ground) -> list[Act]:
    """The sums computed from the rows, then the same figures from what is kept."""
    acts = []
    kept = Aim(most=FRAME_MS)
    with ground.store() as store, ground.twin() as twin:
        for name, by, sql in QUESTIONS:
            told = partial(totals.totals, kind=KINDS["deal"], by=by, sums=("amount",))
            assert _plainly(told(store)) == sorted(store.db.all(sql)) == sorted(twin.db.all(sql))
            acts.append(
                _side_by_side(
                    f"dashboard by {name}, from the rows", partial(_scan, sql), store, twin, Aim(ratio=1.2)
                )
            )
            acts.append(_side_by_side(f"dashboard by {name}, from kept totals", told, store, twin, kept))
        for field in figures.fields(KINDS["deal"]):
            page = partial(_page, field)
            acts.append(_side_by_side(f"page of totals by {field}, in words", page, store, twin, kept))
        acts.append(_side_by_side("deals ahead of one person", _ahead_of_one, store, twin, kept))
    return acts


def _page(by: str, store: Reader) -> figures.Shown:
    """What the page “Totals” shows."""
    return figures.read(store, KINDS["deal"], figures.Asked(by), dt.date(2026, 6, 30), "EUR")


def _ahead_of_one(store: Reader) -> ahead.Found:
    """Deals whose day has come and gone, as the page “Today” asks for them."""
    return ahead.found(store, KINDS["deal"], [owner(0)], ("0001-01-01", "2026-06-30"), 12, latest=True)


def _side_by_side(name: str, told: Callable[[Reader], object], store: Reader, twin: Reader, aim: Aim) -> Act:
    mine, other = by_turns(lambda: timed(partial(told, store)), lambda: timed(partial(told, twin)))
    return Act(name, mine, other, aim)


def _scan(sql: str, store: Reader) -> list[tuple[Any, ...]]:
    return store.db.all(sql)


def _plainly(groups: list[totals.Group]) -> list[tuple[Any, ...]]:
    return sorted(
        (*each.values, each.sums[0]["currency"], each.kept, each.sums[0]["minor"]) for each in groups
    )
