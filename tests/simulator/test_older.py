"""Runs in which every other laptop is one of an earlier version: all laws hold, and what it cannot read is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from sync.protocol import codec, messages
from tests.simulator import run
from tests.simulator.ground import Ground
from tests.simulator.world import World
from tests.versions.kept import forms_of_today, reads_of, recordings

OLDER = [each.name for each in recordings() if each.forms != forms_of_today()]
SEEDS = 6
TRIES = 12

Frames = list[tuple[str, Any]]


@pytest.mark.parametrize("number", range(200, 200 + SEEDS))
@pytest.mark.parametrize("name", OLDER)
def test_a_run_with_older_laptops_holds_every_law(ground: Ground, name: str, number: int) -> None:
    assert run.seed(ground, number, reads_of(name)) == []


def _a_field_that_was_required_is_gone(frames: Frames) -> None:
    del frames[0][1]["durable_seq"]


def _a_result_is_called_otherwise(frames: Frames) -> None:
    for tag, value in frames:
        if tag == messages.RESULT and value["outcome"] == "merged":
            value["outcome"] = "joined"


def _conflicts_come_under_another_tag(frames: Frames) -> None:
    frames[:] = [("met" if tag == messages.CONFLICT else tag, value) for tag, value in frames]


@pytest.mark.parametrize(
    "change",
    [_a_field_that_was_required_is_gone, _a_result_is_called_otherwise, _conflicts_come_under_another_tag],
    ids=lambda each: each.__name__.strip("_"),
)
def test_an_answer_that_an_older_laptop_cannot_read_is_noticed(
    ground: Ground, change: Callable[[Frames], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To laptops of today, who would know of it, the answer goes as it is."""
    whole = World.exchange

    def exchange(self: World, headers: dict[str, str], target: str, body: bytes) -> bytes:
        answer = whole(self, headers, target, body)
        who = next(at for at, each in self.laptops.items() if each.card.person == self.asking)
        frames = [(tag, msgspec.msgpack.decode(raw)) for tag, raw in codec.decode(answer)]
        if self.mixed.is_older(who):
            change(frames)
        return codec.encode(frames)

    monkeypatch.setattr(World, "exchange", exchange)
    reads = reads_of(OLDER[-1])
    assert any("does not understand" in each for at in range(TRIES) for each in run.seed(ground, at, reads))
