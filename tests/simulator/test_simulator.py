"""Some seeds hold every law, and every broken way of syncing is noticed by one of them."""

from __future__ import annotations

import pytest

from tests.simulator import run, steps
from tests.simulator.mutations import MUTATIONS, Mutation
from tests.simulator.world import Ground, lay

SEEDS = 24
TRIES = 60  # seeds in which a broken way must be noticed


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The organisation that every run begins with."""
    return lay(tmp_path_factory.mktemp("simulator"))


@pytest.mark.parametrize("number", range(SEEDS))
def test_a_seed_holds_every_law(ground: Ground, number: int) -> None:
    assert run.seed(ground, number) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.__name__)
def test_a_broken_way_is_noticed(ground: Ground, mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation(monkeypatch)
    for number in range(TRIES):
        if run.seed(ground, number):
            return
    pytest.fail(f"{TRIES} seeds noticed nothing")


def test_the_same_seed_draws_the_same_steps() -> None:
    assert steps.draw(7, 60) == steps.draw(7, 60)
    assert steps.draw(7, 60) != steps.draw(8, 60)
