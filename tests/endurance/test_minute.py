"""One minute of what `make endure` plays for an hour: with faults of connections, and with packets that get lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.endurance import figures
from tests.endurance.__main__ import files
from tests.endurance.run import Run
from tests.network.lossy import Lossy, lossy, why_not

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def _played(folder: Path, seconds: float, place: Lossy | None = None) -> Run:
    run = Run(folder, 1, seconds, files(), place)
    try:
        run.play()
        verdict = run.judge()
    finally:
        run.close()
    told = figures.told(run.typed(), run.happened, [desk.proxy for desk in run.desks], verdict)
    assert not verdict.faults, "\n".join(told)
    assert not run.happened["a laptop ended by itself"]
    assert verdict.saved > seconds / 3, "\n".join(told)
    return run


def test_a_minute_on_a_bad_network(tmp_path: Path) -> None:
    run = _played(tmp_path, 60)
    assert {fault.name for desk in run.desks for fault in desk.proxy.came} > {"none"}


@pytest.mark.parametrize("percent", [3, 30])
def test_packets_get_lost(tmp_path: Path, percent: int) -> None:
    why = why_not()
    if why:
        pytest.skip(f"NO PACKETS WERE LOST, SO THIS IS UNTRIED HERE: {why}")
    with lossy(percent) as place:
        _played(tmp_path, 30, place)
        assert place.lost() > 0
