"""`make simulate SEEDS=N FROM=M`: plays N seeds on all cores; prints which broke a law, cut down, and ends with 1.

With OLDER=NAME, every other laptop is one of that earlier version (tests/versions/kept).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.simulator import run, steps
from tests.simulator.ground import Ground, lay
from tests.versions.kept import reads_of
from tests.versions.reads import Reads

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the runs hold nothing of anybody, and wait for no disk
SHRUNK_MAX: Final = 3  # runs cut down; more say the same


def main() -> int:
    """Play the seeds asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--older", default="", metavar="NAME")
    asked = parser.parse_args()
    if asked.jobs > 1 and asked.seeds > 1:
        return _shared(asked.first, asked.seeds, asked.jobs, asked.older)
    return _alone(asked.first, asked.seeds, reads_of(asked.older) if asked.older else None)


def _shared(first: int, count: int, jobs: int, older: str) -> int:
    """A process for each core, each with its share."""
    share = -(-count // jobs)
    parts = [(first + at, min(share, count - at)) for at in range(0, count, share)]
    running = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.simulator",
                "--from",
                str(begin),
                "--seeds",
                str(some),
                "--jobs",
                "1",
                "--older",
                older,
            ]
        )
        for begin, some in parts
    ]
    ended = [each.wait() for each in running]
    return int(any(ended))


def _alone(first: int, count: int, older: Reads | None) -> int:
    began, broken = time.monotonic(), 0
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        ground = lay(Path(folder))
        for done, number in enumerate(range(first, first + count), 1):
            found = run.seed(ground, number, older)
            if found:
                broken += 1
                _tell(f"seed {number}:", *found[:6])
                if broken <= SHRUNK_MAX:
                    _tell_shrunk(ground, number, older)
            if done % 500 == 0:
                _tell(f"{done:,} of {count:,} seeds from {first:,}: {broken} broke a law")
    _tell(f"{count:,} seeds from {first:,}: {broken} broke a law, {time.monotonic() - began:.0f} s")
    return int(broken > 0)


def _tell_shrunk(ground: Ground, number: int, older: Reads | None) -> None:
    script = run.shrunk(ground, steps.draw(number, run.STEPS), older=older)
    _tell(f"seed {number}, as short as it gets:", *map(str, script), *run.play(ground, script, older=older))


def _tell(first: str, *more: str) -> None:
    sys.stdout.write("\n  ".join((first, *more)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
