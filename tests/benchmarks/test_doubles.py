"""On real sets nearly nothing is told that is wrong; how much is told stands as it was when the rule was made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import doubles

pytestmark = pytest.mark.slow

# By set: at least so precise, and at least so much of what is right. Sets without a twin: nothing is told.
FLOORS = {
    "febrl 1, persons": (1.0, 0.75),
    "febrl 3, persons": (1.0, 0.62),
    "febrl 3, without their number": (1.0, 0.28),
    "dedupe, sites of a city": (0.97, 0.65),
    "splink, 1,000 persons": (1.0, 0.23),
    "splink, 20,000 persons": (1.0, 0.22),
    "S&P 500": (1.0, 1.0),
    "Chinese companies": (1.0, 1.0),
}


@pytest.mark.parametrize("name", FLOORS)
def test_what_is_told_is_right(real_data: Path, name: str) -> None:
    told = doubles.measure(name, *doubles.sets(real_data)[name]())
    precision, recall = FLOORS[name]
    assert told.precision >= precision, told
    assert told.recall >= recall, told
