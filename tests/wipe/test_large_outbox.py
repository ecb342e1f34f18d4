"""A hundred thousand unsent changes outlive their laptop: handed in, recovered and taken in, with kills all the way.

Everything is real, as in the other stories of a wipe; what it took is printed at the end.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.client.handing import PIECE
from tests import forks
from tests.keyring_of_tests import device_entries
from tests.road import ANNA, Laptop, Town
from tests.wipe import large
from tests.wipe.test_every_crash import LEFT

OPS = 100_000
AT_A_TIME = 20_000
MIB = 2**20
HANDING_IN_MIB, DESK_MIB, TAKING_MIB, SERVER_MIB = (
    48,
    96,
    192,
    192,
)  # what memory may grow by, whatever the size


class Figures:
    """Seconds and MiB of each part of the story."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, what: str, seconds: float, mib: float = 0.0) -> None:
        """One part is over."""
        self.lines.append(f"{what:<44}{seconds:8.1f} s" + (f"{mib:8.1f} MiB" if mib else ""))


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Figures]:
    """Printed at the end; what is started may take its time."""
    monkeypatch.setattr(forks, "DEADLINE_S", 600.0)
    found = Figures()
    yield found
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *found.lines, ""]))


@pytest.mark.slow
@pytest.mark.timeout(2_400)
def test_a_hundred_thousand_unsent_changes_come_back(town: Town, tmp_path: Path, figures: Figures) -> None:
    laptop = town.laptop(ANNA)
    laptop.sync()
    wanted = _fill(laptop, figures)
    laptop.json("lock")  # the exchange that brings the order sends no work
    town.order("wipe", laptop)
    size = laptop.profile.sealed_outbox.stat().st_size
    figures.note(f"sealed outbox: {size / MIB:.1f} MiB, {OPS} changes", 0.0)
    assert size > 16 * MIB
    _hand_in(town, laptop, size, figures)
    heir = town.laptop(ANNA)
    _hand_over(town, laptop, heir, figures)
    _take_in(town, heir, wanted, tmp_path / "came", figures)
    again = town.admin("recover", laptop.id, "--to", heir.id)
    assert (again["changes"], again["handed_over"]) == (0, 0)  # the server has answered all of them
    assert heir.sync()["recovered"] == 0
    assert town.device(heir)["unsent"] == 0


def _act(act: str, laptop: Laptop, **asked: Any) -> Any:
    """One act of tests/wipe/large.py; what it printed, None when it was killed."""
    words = [json.dumps({"profile": str(laptop.folder), **asked})]
    answer = forks.run(f"tests.wipe.large:{act}", words)
    assert "Traceback" not in answer.err, answer.err
    assert answer.code in (0, large.KILLED), answer.err
    return answer.json if answer.code == 0 else None


def _fill(laptop: Laptop, figures: Figures) -> Any:
    began = time.monotonic()
    for at in range(0, OPS, AT_A_TIME):
        _act("fill", laptop, **{"from": at, "count": AT_A_TIME})
    figures.note("written, forty to a transaction", time.monotonic() - began)
    wanted = _act("told", laptop)
    assert sorted(map(int, wanted["ops"])) == list(range(1, OPS + 1))
    return wanted


def _hand_in(town: Town, laptop: Laptop, size: int, figures: Figures) -> None:
    """The laptop dies at steps before and among the pieces, the server among them and while it looks them through."""
    began, kept = time.monotonic(), 0
    for at, pieces in (
        (0, 0),
        (4, 1),
        (5, 3),
        (20, 18),
        (21, 19),
    ):  # W5 is done once, W2 to W4 at every start
        assert _act("wipe", laptop, at=at) is None
        _promised(town, laptop)
        kept += pieces
    for step, times, unheard in (("piece read", 9, 0), ("piece applied", 12, 0), ("piece committed", 7, 1)):
        town.server.stop()
        town.server.start(step=step, times=times)
        seen = _act("wipe", laptop, at=None)
        assert seen["problem"] and "W6" not in seen["steps"]
        assert seen["mib"] < HANDING_IN_MIB
        town.server.wait_dead()
        town.server.start()
        _promised(town, laptop)
        kept += seen["steps"].count("W6a") + unheard
    figures.note(f"handing in {kept} pieces, 5 kills and 3 dead servers", time.monotonic() - began)
    done = _act("wipe", laptop, at=None)
    rest = done["steps"].count("W6a")
    figures.note(f"handing in the other {rest}", done["seconds"], done["mib"])
    assert done["mib"] < HANDING_IN_MIB
    assert kept + rest == -(-size // PIECE)  # nothing that the server had kept went up again
    assert done["steps"][-1] == "W7"
    assert laptop.files() == LEFT
    assert laptop.entries() == {}
    seen = town.device(laptop)
    assert (seen["state"], seen["receipt"]) == ("wiped", "verified")
    assert seen["outbox_records"] == OPS // large.AT_ONCE


def _promised(town: Town, laptop: Laptop) -> None:
    """Until the server has all: keys are gone, the outbox and the key that signs are there, nobody says wiped."""
    keys = {name.partition(".")[0] for name in device_entries(laptop.id.replace("-", ""))}
    if laptop.profile.wipe_receipt.exists():
        assert not keys & {"ring", "share", "enc"}
        assert "dev" in keys
    assert laptop.profile.sealed_outbox.exists()
    seen = town.device(laptop)
    assert (seen["state"], seen["receipt"], seen["outbox_records"]) == ("wiping", "none", 0)


def _hand_over(town: Town, laptop: Laptop, heir: Laptop, figures: Figures) -> None:
    """IT's command dies before and after it has handed some of it over."""
    words = [
        "--data",
        str(town.data),
        "--keys",
        str(town.keys),
        "--json",
        "recover",
        laptop.id,
        "--to",
        heir.id,
    ]
    began = time.monotonic()
    for at in (1, 2):
        died = forks.run("tests.wipe.large:desk", [json.dumps({"words": words, "at": at})])
        assert died.code == large.KILLED, died.err
    figures.note("recover, killed twice", time.monotonic() - began)
    done = forks.run("tests.wipe.large:desk", [json.dumps({"words": words, "at": None})])
    assert done.code == 0, done.err
    took = json.loads(done.err)
    figures.note("recover", took["seconds"], took["mib"])
    assert done.json["changes"] == OPS
    assert 0 < done.json["handed_over"] < OPS
    assert took["mib"] < DESK_MIB


def _take_in(town: Town, heir: Laptop, wanted: Any, into: Path, figures: Figures) -> None:
    """The next laptop dies at every step of an exchange, at one exchange and another; so does the server."""
    began, kills = time.monotonic(), 0
    for step, nth in ((3, 1), (4, 3), (5, 2), (6, 4), (1, 5), (2, 6)):
        assert _act("take", heir, into=str(into), step=step, nth=nth) is None
        kills += 1
    town.server.stop(signal.SIGKILL)
    town.server.start()
    before = large.memory(town.server.pid)["VmRSS"]
    figures.note(f"taking in, {kills} kills and a dead server", time.monotonic() - began)
    done = _act("take", heir, into=str(into))
    figures.note("taking the rest in, and sending all on", done["seconds"], done["mib"])
    assert done["mib"] < TAKING_MIB
    assert (done["given"], done["acked"], done["unsent"]) == (
        OPS,
        OPS,
        0,
    )  # each came once, and nothing besides
    came: dict[str, str] = {}
    for line in into.read_text().splitlines():
        device, incarnation, n, digest = line.split()
        assert (device, incarnation) == (wanted["device"], wanted["incarnation"])
        assert came.setdefault(n, digest) == digest
    assert came == wanted["ops"]
    assert done["rows"] == wanted["rows"]
    mib = large.memory(town.server.pid)["VmHWM"] - before
    figures.note("the server, since its start", 0.0, mib)
    assert mib < SERVER_MIB
