"""The window on the million: start, typing, scrolling, memory, and the loop while a server's rows are laid in.

Each runs in a process of its own on an X display of its own, beside a bare window of the same size.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

from app.paths import Profile
from tests.benchmarks.measure import FRAME_MS, Act, Aim, at, by_turns, spread
from tests.benchmarks.million import FOLDER, Ground
from tests.benchmarks.plain import ROOT
from tests.benchmarks.window import ROWS
from tests.display import display

_LIMIT_S: Final = 900
_PARTS: Final = {"its part of what is shared": "pss", "its own": "uss"}


def start(ground: Ground) -> list[Act]:
    """From the start of the process to the first list painted, the keyring read; against a bare window."""
    with _display() as env:
        for program in (_desktop(ground.profile), _bare()):
            _until_painted(program, env)  # files come into the system's cache
        ours, bare = by_turns(
            lambda: _until_painted(_desktop(ground.profile), env), lambda: _until_painted(_bare(), env)
        )
    return [Act("process start to the first list painted", ours, bare, Aim(ratio=1.25))]


def typing(ground: Ground) -> list[Act]:
    """Keystroke to painted results, against a bare repaint of the list."""
    found = _inside("typing", ground.profile)
    slowest = ", ".join(f"“{text}” {took:.0f} ms" for took, text in found["slowest"])
    return spread(
        "keystroke to painted results", found["keys"], found["bare"], Aim(ratio=1.35), Aim(most=FRAME_MS),
        note=f"slowest: {slowest}",
    )  # fmt: skip


def scrolling(ground: Ground) -> list[Act]:
    """Wheel steps and jumps to anywhere, until all rows in view are painted."""
    found = _inside("scrolling", ground.profile)
    limit = Aim(most=FRAME_MS)
    return [
        *spread("scroll step to painted rows", found["steps"], found["bare"], Aim(), limit),
        *spread("scroll jump to painted rows", found["jumps"], found["bare"], Aim(), limit),
        Act("first rows to every place of the list known", found["whole_s"], None, unit="s"),
    ]


def applying(ground: Ground) -> list[Act]:
    """The event loop's delay while rows of a server are laid in."""
    rows = min(ROWS, ground.size)
    with ground.copy(plain=False) as copy:
        found = _inside("applying", copy.profile, str(rows))
    idle = found["idle"]
    acts = []
    for name, late, rate in (
        ("server rows arrive", found["quiet"], found["quiet_rate"]),
        ("server rows arrive and somebody types", found["typing"], found["typing_rate"]),
    ):
        acts += [
            Act(f"loop delay while {name}, p99", at(late, 0.99), at(idle, 0.99), Aim(most=8)),
            Act(f"loop delay while {name}, max", max(late), max(idle), Aim(most=FRAME_MS)),
            Act(f"rate while {name}", rate, None, Aim(least=15_000), unit="rows/s"),
        ]
    keys = found["keys"]
    if keys:
        acts.append(Act("keystroke to painted results while rows arrive, p99", at(keys, 0.99), None))
    return acts


def at_once(ground: Ground) -> list[Act]:
    """The loop's delay while files come in, pages arrive and somebody types; every ring goes to loop.csv."""
    rows = min(ROWS // 2, ground.size)
    with ground.copy(plain=False) as copy:
        found = _inside("at_once", copy.profile, str(rows))
    late = [each for _at, each in found["rings"]]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "loop.csv").open("w", encoding="utf-8") as stream:
        stream.write("at_ms,late_ms\n")
        stream.writelines(f"{when:.1f},{each:.2f}\n" for when, each in found["rings"])
    took = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found["took"].items())
    name = f"import of {rows // 2:,}, {rows:,} server rows and typing at once"
    return [
        Act(f"loop delay, {name}, p50", at(late, 0.5), None, note=took),
        Act(f"loop delay, {name}, p99", at(late, 0.99), None, Aim(most=8)),
        Act(f"loop delay, {name}, max", max(late), None, Aim(most=FRAME_MS)),
        Act(f"keystroke to painted results, {name}, p99", at(found["keys"], 0.99), None),
    ]


def memory(ground: Ground) -> list[Act]:
    """What the desktop holds more than a bare window, in megabytes; of that, what other programs may share with it."""
    bare, found = held_with(ground.profile)
    limit = Aim(most=round(bare["rss"] + 60))
    return [
        Act(f"memory {when} (RSS)", found[held]["rss"], bare["rss"], limit, unit="MB",
            note=", ".join(f"{name} {found[held][key]:.0f} ({bare[key]:.0f})" for name, key in _PARTS.items()))
        for when, held in (("with the list open", "open"), ("after scrolling and searching", "used"))
    ]  # fmt: skip


def held_with(profile: Profile) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Megabytes of a bare window, and of the desktop on this profile: `open` with its list, `used` after use."""
    with _display() as env:
        bare: dict[str, float] = json.loads(_run([*_bare(), "--stay"], env).splitlines()[-1])
    return bare, _inside("memory", profile)


def _desktop(profile: Profile) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.started", "--profile", str(profile.folder)]


def _bare() -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.bare"]


def _until_painted(command: list[str], env: dict[str, str]) -> float:
    """Milliseconds from the start of the process to what it says; both read the system's one clock."""
    began = time.monotonic_ns()
    return (int(_run(command, env).split()[-1]) - began) / 1e6


def _inside(act: str, profile: Profile, *more: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.window", act, str(profile.folder), *more]
    with _display() as env:
        found: dict[str, Any] = json.loads(_run(command, env).splitlines()[-1])
    return found


def _run(command: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, timeout=_LIMIT_S, check=True
    )
    return done.stdout


@contextlib.contextmanager
def _display() -> Iterator[dict[str, str]]:
    """The environment with an X display of its own."""
    with display() as shown:
        yield {**os.environ, **shown, "LC_ALL": "C.UTF-8"}
