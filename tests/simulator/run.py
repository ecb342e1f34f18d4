"""Plays a seed, and cuts a run that broke a law down to the steps that it needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tests.simulator import steps
from tests.simulator.ground import Ground
from tests.simulator.older import Mixed
from tests.simulator.oracle import judge
from tests.simulator.steps import Step
from tests.simulator.world import Keeping, as_it_is, world
from tests.versions.reads import Reads

STEPS: Final = 60


def play(
    ground: Ground, script: Sequence[Step], keeping: Keeping = as_it_is, older: Reads | None = None
) -> list[str]:
    """What a run broke; with `older`, every other laptop is one of an earlier version."""
    with world(ground, keeping, Mixed(older)) as run:
        for step in script:
            run.play(step)
        run.settle()
        return judge(run)


def seed(ground: Ground, number: int, older: Reads | None = None) -> list[str]:
    """What the run of a seed broke."""
    return play(ground, steps.draw(number, STEPS), older=older)


def shrunk(ground: Ground, script: Sequence[Step], most: int = 400, older: Reads | None = None) -> list[Step]:
    """The shortest run found, within so many runs, that still breaks one of the laws that this one broke."""
    broken = _laws(play(ground, script, older=older))
    left, size = list(script), max(1, len(script) // 2)
    while size and most > 0:
        at = 0
        while at < len(left) and most > 0:
            tried = left[:at] + left[at + size :]
            most -= 1
            if tried and broken & _laws(play(ground, tried, older=older)):
                left = tried
            else:
                at += size
        size //= 2
    return left


def _laws(found: Sequence[str]) -> set[str]:
    """What was broken, whichever record, value or laptop it was."""
    return {re.sub(r"\b\w*\d+\b|'[^']*'", "", each) for each in found}
