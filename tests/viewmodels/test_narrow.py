"""A narrowed list says by what, in words that read well behind the field's name."""

from __future__ import annotations

import pytest

from app.store.filters import Asks, Condition
from app.viewmodels import narrow
from sync.protocol.kinds import KINDS


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (Condition("stage", Asks.EMPTY), "Stage: empty"),
        (Condition("phones", Asks.NOT_EMPTY), "Phones: filled in"),
        (Condition("stage", Asks.ONE_OF, ("lead", "prospect")), "Stage: Lead, Prospect"),
        (Condition("industry", Asks.IS_NOT, ("Tea",)), "Industry: not Tea"),
        (Condition("owner", Asks.MINE), "Owner: me"),
        (Condition("industry", Asks.CONTAINS, ("Te",)), "Industry: contains Te"),
    ],
)
def test_a_condition_reads_behind_its_field(condition: Condition, said: str) -> None:
    assert narrow.described(KINDS["customer"], condition, {}) == said
