"""Some seeds hold every law, and every broken way of syncing is noticed by one of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.server.db import moving
from sync.server.db.moving import MovableStore
from sync.server.db.postgres import PostgresStore
from sync.server.db.postgres_line import address
from tests.cluster import Cluster
from tests.simulator import run, steps
from tests.simulator.found import FOUND
from tests.simulator.ground import Ground
from tests.simulator.mutations import MUTATIONS, Mutation
from tests.simulator.scripts import MEETINGS, RESTORES
from tests.simulator.twin import Twin

SEEDS = 24
BOTH = 4  # seeds that are played on both stores at once
TRIES = 120  # seeds in which a broken way must be noticed
FIRST = (26, 5, 12, 0, 1, 3, 15, 13, 32, 63, 74)  # of them those that noticed the most so far: played first


@pytest.mark.parametrize("number", range(SEEDS))
def test_a_seed_holds_every_law(ground: Ground, number: int) -> None:
    assert run.seed(ground, number) == []


@pytest.mark.parametrize("script", MEETINGS, ids=MEETINGS)
def test_a_meeting_holds_every_law(ground: Ground, script: str) -> None:
    assert run.play(ground, MEETINGS[script]) == []


@pytest.mark.parametrize("script", RESTORES, ids=RESTORES)
def test_a_restore_holds_every_law(ground: Ground, script: str) -> None:
    assert run.play(ground, RESTORES[script]) == []


@pytest.mark.parametrize("script", FOUND, ids=FOUND)
def test_what_was_found_once_holds(ground: Ground, script: str) -> None:
    assert run.play(ground, FOUND[script]) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.__name__)
def test_a_broken_way_is_noticed(
    ground: Ground,
    mutation: Mutation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    expect_warning: Callable[[str], None],
) -> None:
    mutation(monkeypatch)
    scripts = itertools.chain(
        MEETINGS.values(),
        (steps.draw(number, run.STEPS) for number in FIRST),
        RESTORES.values(),
        (steps.draw(number, run.STEPS) for number in range(TRIES) if number not in FIRST),
    )
    noticed = any(run.play(ground, script) for script in scripts)
    if "problem=set_back" in caplog.text:  # a server notices it, too, where its history goes on
        expect_warning("history problem=set_back")
    assert noticed, f"{TRIES} seeds noticed nothing"


@pytest.mark.parametrize("number", range(100, 100 + BOTH))
def test_the_same_seed_gives_the_same_log_in_a_file_and_in_a_database(
    ground: Ground, number: int, cluster: Cluster, database: str
) -> None:
    there = PostgresStore.vacant(address(cluster.url(database), Path("none"), Path("none")))
    twins: list[Twin] = []

    def keeping(file: MovableStore) -> Twin:
        moving.copy(file, there)
        twins.append(Twin(file, there))
        return twins[-1]

    assert run.play(ground, steps.draw(number, run.STEPS), keeping) == []
    assert twins[0].faults == []


def test_the_same_seed_draws_the_same_steps() -> None:
    assert steps.draw(7, 60) == steps.draw(7, 60)
    assert steps.draw(7, 60) != steps.draw(8, 60)
