"""What a measured act is, how two things are timed side by side, and the table and file that come of it."""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROUNDS: Final = 5
LONG_S: Final = 15  # after this no further round is begun, but for the second
FRAME_MS: Final = 16.0


@dataclass(frozen=True, slots=True)
class Aim:
    """What an act must reach: at most this ratio to its twin, at most or at least this figure of its own."""

    ratio: float | None = None
    most: float | None = None
    least: float | None = None

    def text(self, unit: str) -> str:
        """The aim in a table."""
        said = []
        if self.ratio is not None:
            said.append(f"≤ {self.ratio:g}×")
        if self.most is not None:
            said.append(f"≤ {self.most:g} {unit}")
        if self.least is not None:
            said.append(f"≥ {self.least:,.0f} {unit}")
        return ", ".join(said)


@dataclass(frozen=True, slots=True)
class Act:
    """One measured thing. `ours` is None while the product does not do it yet; `twin` is None where there is none."""

    act: str
    ours: float | None
    twin: float | None
    aim: Aim = Aim()
    unit: str = "ms"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours to the twin's."""
        return self.ours / self.twin if self.ours is not None and self.twin else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is reached; None where there is no aim."""
        if self.aim == Aim():
            return None
        if self.ours is None:
            return False
        ratio = self.ratio
        return (
            (self.aim.ratio is None or (ratio is not None and ratio <= self.aim.ratio))
            and (self.aim.most is None or self.ours <= self.aim.most)
            and (self.aim.least is None or self.ours >= self.aim.least)
        )

    def json(self) -> dict[str, Any]:
        """As it stands in store.json."""
        return {
            "act": self.act, "ours": self.ours, "twin": self.twin, "ratio": self.ratio,
            "aim": self.aim.text(self.unit), "unit": self.unit, "met": self.met, "note": self.note,
        }  # fmt: skip


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds of one call by the clock, which tells of others at work, too, and of the processor."""

    clock: float
    processor: float


def taken(work: Callable[[], object]) -> Took:
    """Both of one call; the processor's of all threads of this process."""
    processor = time.process_time()
    clock = timed(work)
    return Took(clock, (time.process_time() - processor) * 1000)


def by_turns(
    ours: Callable[[], float], twin: Callable[[], float], rounds: int = ROUNDS
) -> tuple[float, float]:
    """A B A B …: the medians of what both give back, round by round; fewer rounds of what takes long."""
    until = time.monotonic() + LONG_S
    pairs: list[tuple[float, float]] = []
    while len(pairs) < 2 or (len(pairs) < rounds and time.monotonic() < until):
        pairs.append((ours(), twin()))
    return statistics.median(one for one, _other in pairs), statistics.median(other for _one, other in pairs)


def samples_by_turns(
    ours: Callable[[], Sequence[float]], twin: Callable[[], Sequence[float]], rounds: int = ROUNDS
) -> tuple[list[float], list[float]]:
    """A B A B …: all samples of both."""
    mine: list[float] = []
    others: list[float] = []
    for _round in range(rounds):
        mine.extend(ours())
        others.extend(twin())
    return mine, others


def at(samples: Sequence[float], part: float) -> float:
    """The sample below which `part` of them lie (0.5 is the median, 1.0 the largest)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def spread(
    act: str, ours: Sequence[float], twin: Sequence[float], p50: Aim, p99: Aim, note: str = ""
) -> list[Act]:
    """Two acts of one set of samples: its median and its 99th percentile, in milliseconds."""
    return [
        Act(f"{act}, p50", at(ours, 0.5), at(twin, 0.5) if twin else None, p50, note=note),
        Act(f"{act}, p99", at(ours, 0.99), at(twin, 0.99) if twin else None, p99),
    ]


def keep(acts: Sequence[Act], path: Path) -> None:
    """Write store.json: acts measured now take the place of those of the same name, the others stay."""
    there: dict[str, dict[str, Any]] = {}
    if path.is_file():
        there = {each["act"]: each for each in json.loads(path.read_text(encoding="utf-8"))}
    there.update({each.act: each.json() for each in acts})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(there.values()), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def figure(value: float | None) -> str:
    """A figure with three digits that count."""
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(acts: Sequence[Act]) -> str:
    """The acts as lines of a table."""
    lines = []
    for each in acts:
        met = {True: "met", False: "MISSED", None: ""}[each.met]
        ratio = "–" if each.ratio is None else f"{each.ratio:.2f}×"
        lines.append(
            f"{each.act[:62]:62} {figure(each.ours):>9} {figure(each.twin):>9} {ratio:>9} {each.unit:7}"
            f" {each.aim.text(each.unit):24} {met:6} {each.note}".rstrip()
        )
    return "\n".join(lines)


def say(text: str) -> None:
    """One line for whoever runs it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
