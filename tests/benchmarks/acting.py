"""A field of many deals set in the window, here and beside: `python -m tests.benchmarks.acting [DEALS]` prints figures.

Processor time of both processes, how late the window's loop was meanwhile, and what the process beside held at most.
To be run as `make bench` is: in a keyring session of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from app.paths import Profile
from app.services import acting
from app.store.bulk import Selection, Setting
from app.store.rowset import RowSet
from sync.protocol.kinds import KINDS
from tests.benchmarks import million
from tests.benchmarks.measure import say
from tests.benchmarks.plain import ROOT
from tests.display import display

WAYS: Final = ("here", "beside")
_LIMIT_MS: Final = 3_000_000


def inside(profile: Profile, deals: int, way: str) -> dict[str, Any]:
    """Open the window, act, and tell; in a process of its own."""
    from tests.benchmarks.seen import Shown, let_run, wait_for
    from tests.benchmarks.window import Beat

    if way == "here":
        vars(acting)["MANY"] = deals
    shown = Shown(profile)
    shown.work.go("deal")
    wait_for(lambda: shown.desk.list.whole)
    beat = Beat()
    let_run(2000)
    beat.start()
    let_run(3000)
    idle = beat.stop()
    selection = Selection(KINDS["deal"], True, RowSet(), last=deals, count=deals)
    own, clock, others = time.process_time(), time.perf_counter(), _children()
    beat.start()
    shown.desk.acting.do(selection, Setting("stage", "won"))
    wait_for(lambda: not shown.desk.acting.running, _LIMIT_MS)
    late = beat.stop()
    found = {
        "idle": idle, "late": late, "own": time.process_time() - own, "clock": time.perf_counter() - clock,
        "beside": _children() - others, "held": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "said": shown.desk.aside.text if shown.desk.aside is not None else "",
    }  # fmt: skip
    shown.close()
    return found


def _children() -> float:
    """Processor seconds of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(deals: int) -> None:
    """Both ways by turns, each on a copy of the book."""
    ground = million.ground()
    for way in WAYS:
        with ground.copy(plain=False) as copy, display() as shown:
            command = [sys.executable, "-m", "tests.benchmarks.acting", "--inside", way, str(deals)]
            done = subprocess.run(
                [*command, str(copy.profile.folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
                env={**os.environ, **shown, "LC_ALL": "C.UTF-8"},
            )  # fmt: skip
        found = json.loads(done.stdout.splitlines()[-1])
        spent = found["own"] + found["beside"]
        say(f"{way}: {found['said']}")
        say(
            f"  {deals / spent:,.0f} rows a second of processor; window {found['own']:.1f} s, beside"
            f" {found['beside']:.1f} s and {found['held']:.0f} MB, clock {found['clock']:.0f} s"
        )
        for name in ("idle", "late"):
            say(f"  loop, {name}: {_spread(found[name])}")


def _spread(late: list[float]) -> str:
    parts = statistics.quantiles(late, n=100)
    return f"p50 {parts[49]:.2f}, p90 {parts[89]:.1f}, p99 {parts[98]:.1f}, max {max(late):.0f} ms"


if __name__ == "__main__":
    if "--inside" in sys.argv:
        told = inside(Profile(Path(sys.argv[4])), int(sys.argv[3]), sys.argv[2])
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(json.dumps(told) + "\n")
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
