"""The one verb: `python -m tests.check` runs lint, format, types and tests, and says at the end what failed.

`--quick` keeps to lint, format, types and the house rules. `--slow` runs what the plain verb leaves out: the
slow tests, and the quick ones once more against a wheel that was built and installed, as a customer gets it.
All steps run even when one fails; the exit code is 1 then. pytest's count line comes last.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WHEEL = ROOT / "build" / "wheel"
TESTS_FAILED = 1  # pytest's exit code for just that
AGAIN_MAX = 5  # more failures than this are no bad luck


@dataclass(frozen=True)
class Step:
    """One command: what it is called, what is run, what its environment has besides ours."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]


def _step(name: str, *words: str) -> Step:
    return Step(name, [sys.executable, "-m", *words], {})


def _workers() -> tuple[str, ...]:
    """A pytest worker per core; more than four gain nothing against the time each takes to start.

    Each begins with a stretch of the tests in their order and takes from another's end when it is through: what a
    module's tests share is made once.
    """
    return ("-n", str(min(4, os.cpu_count() or 1)), "--dist", "worksteal")


def lint() -> list[Step]:
    """Ruff and mypy; the scripts of packaging/ apart, since they are no package."""
    return [
        _step("lint", "ruff", "check", "."),
        _step("format", "ruff", "format", "--check", "."),
        _step("types", "mypy"),
        _step("types of the scripts", "mypy", "packaging"),
    ]


def tests(*words: str) -> Step:
    """Every test that is not slow."""
    return _step("tests", "pytest", *_workers(), *words)


def slow() -> Step:
    """The slow tests, one after the other: they measure time, or kill processes at chosen moments."""
    return _step("slow tests", "pytest", "-m", "slow")


def wheel() -> list[Step]:
    """Build the wheel, install it beside the locked parts, run the tests that are not about the tree.

    The second environment borrows the parts of .venv through a path file, which costs no disk and no network;
    path files are not followed from there, so `app` and `sync` can come from the wheel alone.
    """
    shutil.rmtree(WHEEL, ignore_errors=True)
    venv.create(WHEEL / "venv", with_pip=False, symlinks=True)
    parts = Path(sysconfig.get_path("purelib"))
    inside = WHEEL / "venv" / parts.relative_to(Path(sys.prefix))
    (inside / "parts.pth").write_text(f"{parts}\n")
    python = str(WHEEL / "venv" / "bin" / "python")
    build = ("build", "--wheel", "--no-isolation", "--outdir", str(WHEEL / "dist"), ".")
    install = ("--isolated", "--python", python, "install", "--no-deps", "--no-index", "--force-reinstall")
    env = {"PYTHONSAFEPATH": "1", "FIELDKEEP_TEST_INSTALLED": "1"}
    # What needs resources, catalogues and the table of kinds from the wheel; processes of tests start in the tree.
    whole = ("tests/protocol", "tests/ui/kit", "tests/ui/theme", "tests/wire")
    tree = "tests/ui/theme/test_tokens.py::test_no_colour_is_written_anywhere_else"
    run = [python, "-P", "-m", "pytest", *_workers(), *whole, "--deselect", tree]
    return [
        _step("build the wheel", *build),
        _step("install the wheel", "pip", *install, "--find-links", str(WHEEL / "dist"), "fieldkeep"),
        Step("tests on the installed wheel", run, env),
    ]


def run(steps: Sequence[Step]) -> list[str]:
    """Run them all; gives the names of those that failed."""
    failed = []
    for step in steps:
        print(f"== {step.name}", flush=True)
        began = time.monotonic()
        done = subprocess.run(step.command, cwd=ROOT, env={**os.environ, **step.env}, check=False)
        if done.returncode != 0 and not _holds_alone(step, done.returncode):
            failed.append(step.name)
        print(f"== {step.name}: {time.monotonic() - began:.1f} s, ended with {done.returncode}", flush=True)
    return failed


def _holds_alone(step: Step, code: int) -> bool:
    """Whether the few tests that failed hold when each is run once more, alone; told loudly, never in silence.

    The parts are real: a keyring daemon or a window that answers late on two busy cores is no fault of the product.
    A fault of the product fails again.
    """
    if "pytest" not in step.command or code != TESTS_FAILED:
        return False
    names = sorted(json.loads((ROOT / "build" / "pytest" / "v" / "cache" / "lastfailed").read_text()))
    if not 0 < len(names) <= AGAIN_MAX:
        return False
    alone = [word for word in step.command if word not in _workers()]
    command = [*alone, "-n", "0", "--last-failed", "--last-failed-no-failures", "none"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **step.env}, check=False)
    if done.returncode != 0:
        return False
    print(f"== again alone, held: {len(names)}", *names, sep="\n   ", flush=True)
    return True


def main() -> int:
    """Run what was asked for; 0 when all of it held."""
    parser = argparse.ArgumentParser(prog="check", description="Lint, types, floors and tests in one go.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="no tests but those of the house rules")
    which.add_argument("--slow", action="store_true", help="what the plain verb leaves out")
    asked = parser.parse_args()
    quick = tests("tests/house") if asked.quick else tests()
    failed = run([*wheel(), slow()] if asked.slow else [*lint(), quick])
    print(f"failed: {', '.join(failed)}" if failed else "all held", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
