"""The dashboard's figures over all deals: by stage, by owner and by month, in the store and in the plain twin."""

from __future__ import annotations

from functools import partial
from typing import Final

from tests.benchmarks.measure import FRAME_MS, Act, Aim, by_turns, timed
from tests.benchmarks.million import Ground

_SUMS = "amount_currency, count(*), sum(amount) FROM record_deal WHERE _deleted = 0 GROUP BY"
QUESTIONS: Final = (
    ("stage", f"SELECT stage, {_SUMS} stage, amount_currency"),
    ("stage and owner", f"SELECT owner, stage, {_SUMS} owner, stage, amount_currency"),
    ("month", f"SELECT substr(close_on, 1, 7), {_SUMS} 1, 2"),
)


def measure(ground: Ground) -> list[Act]:
    """The sums computed from the rows; figures that are kept are an act of their own."""
    acts = []
    with ground.store() as store, ground.twin() as twin:
        for name, sql in QUESTIONS:
            assert store.db.all(sql) == twin.db.all(sql)
            mine, other = by_turns(
                lambda sql=sql: timed(partial(store.db.all, sql)),  # type: ignore[misc]
                lambda sql=sql: timed(partial(twin.db.all, sql)),  # type: ignore[misc]
            )
            acts.append(Act(f"dashboard by {name}", mine, other, Aim(ratio=1.2)))
    kept = Act(
        "dashboard from kept counters", None, None, Aim(most=FRAME_MS), note="the store keeps none yet"
    )
    return [*acts, kept]
