"""`make bench`: measures every act of the store, the search and the window on the generated million.

`FIELDKEEP_BENCH_ONLY` names groups, parted by commas; `FIELDKEEP_BENCH_SIZE` is the number of customers. Prints a
table, writes build/bench/store.json, and ends with 0: an aim that is missed is said, not a failure.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.benchmarks import counting, desktop, finding, importing, million, opening, real, saving, sizes
from tests.benchmarks.measure import Act, keep, say, table
from tests.benchmarks.million import Ground

ONLY: Final = "FIELDKEEP_BENCH_ONLY"
GROUPS: Final[dict[str, Callable[[Ground], list[Act]]]] = {
    "start": desktop.start,
    "open": opening.measure,
    "typing": desktop.typing,
    "find": finding.measure,
    "scroll": desktop.scrolling,
    "save": saving.measure,
    "apply": desktop.applying,
    "at_once": desktop.at_once,
    "import": importing.measure,
    "dashboard": counting.measure,
    "size": sizes.measure,
    "memory": desktop.memory,
    "real": real.measure,
}


def chosen(asked: str, there: tuple[str, ...] = tuple(GROUPS)) -> list[str]:
    """The groups asked for, all of them when none is. Raises SystemExit for a name that is none."""
    names = [name.strip() for name in asked.split(",") if name.strip()]
    unknown = [name for name in names if name not in there]
    if unknown:
        raise SystemExit(f"{ONLY} names no group: {', '.join(unknown)}; there are {', '.join(there)}")
    return names or list(there)


def run(ground: Ground, groups: list[str], out: Path) -> list[Act]:
    """Measure groups one after the other, each in a process of its own where it opens a window."""
    acts: list[Act] = []
    for name in groups:
        say(f"\n{name}")
        found = GROUPS[name](ground)
        say(table(found))
        keep(found, out)
        acts += found
    return acts


def main() -> int:
    """Make the ground, measure, and name what is missed."""
    groups = chosen(os.environ.get(ONLY, ""))
    ground = million.ground()
    say(
        f"{dt.datetime.now().astimezone():%Y-%m-%d %H:%M}, {ground.size:,} customers and {ground.size:,} deals"
    )
    say(f"{machine()}, load {os.getloadavg()[0]:.1f}")
    acts = run(ground, groups, million.FOLDER / "store.json")
    missed = [act for act in acts if act.met is False]
    say(f"\n{sum(act.met is True for act in acts)} aims met, {len(missed)} missed")
    if missed:
        say(table(missed))
    return 0


def machine() -> str:
    """What it ran on, as far as figures depend on it."""
    listed = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    model = next((line.partition(":")[2].strip() for line in listed.splitlines() if "Model name" in line), "")
    return f"{os.cpu_count()} cores {model}, Python {platform.python_version()}, {platform.system()}"


if __name__ == "__main__":
    sys.exit(main())
