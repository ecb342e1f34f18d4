"""`make endure MINUTES=60`: two laptops, one server, a bad network and a script of edits; ends with 0 when all held."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

from tests.endurance import figures
from tests.endurance.run import Run
from tests.network.lossy import lossy

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Play and judge; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.endurance", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--loss", type=int, default=0, help="of a hundred packets, how many get lost (as root)"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "endure")
    asked = parser.parse_args()
    folder = asked.folder / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:7.1f} s  {text}\n")
        sys.stdout.flush()

    with contextlib.ExitStack() as stack:
        place = stack.enter_context(lossy(asked.loss)) if asked.loss else None
        run = Run(folder, asked.seed, asked.minutes * 60, files(), place)
        run.say = say
        stack.callback(run.close)
        run.play()
        verdict = run.judge()
        if place is not None:
            say(f"{place.lost()} packets got lost")
    told = figures.told(run.typed(), run.happened, [desk.proxy for desk in run.desks], verdict)
    (asked.folder / "figures.txt").write_text("\n".join(told) + "\n", encoding="utf-8")
    for line in told:
        say(line)
    return 1 if verdict.faults or run.happened["a laptop ended by itself"] else 0


def files() -> list[Path]:
    """Small files of other CRMs, or the sample where there are none."""
    real = Path(os.environ.get("FIELDKEEP_REAL_DATA") or ROOT.parent / "shared" / "data")
    found = [real / "crm_maven_sales" / "accounts.csv"]
    return [each for each in found if each.is_file()] or [ROOT / "resources" / "sample" / "customers.csv"]


if __name__ == "__main__":
    sys.exit(main())
