"""The benchmarks work: each group runs on a small book and leaves its acts in the file. No time is judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sync.protocol.kinds import KINDS
from tests.benchmarks import __main__ as bench
from tests.benchmarks import book, finding, million, names, wiping
from tests.benchmarks.measure import Act, Aim, at, keep
from tests.benchmarks.million import Ground
from tests.house.tree import ROOT

SMALL = 5_000


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """A small ground in a folder of its own."""
    return million.ground(SMALL, tmp_path_factory.mktemp("bench"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("group", [name for name in bench.GROUPS if name != "real"])
def test_every_group_measures(group: str, ground: Ground, tmp_path: Path) -> None:
    acts = bench.run(ground, [group], tmp_path / "store.json")
    kept = json.loads((tmp_path / "store.json").read_text(encoding="utf-8"))
    assert [each["act"] for each in kept] == [act.act for act in acts]
    assert all({"act", "ours", "twin", "ratio", "aim", "unit"} <= each.keys() for each in kept)
    assert any(act.ours for act in acts)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_real_sets_are_measured(ground: Ground, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDKEEP_REAL_DATA", str(real_data))
    acts = bench.GROUPS["real"](ground)
    assert len([act for act in acts if act.act.startswith("real file")]) == 12
    assert all(act.ours for act in acts)


@pytest.mark.timeout(300)
def test_wipes_lines_and_locks_are_measured(tmp_path: Path) -> None:
    """A wipe, two lines, three locks; in a process of its own, since it turns variables of the session."""
    out = tmp_path / "wipe.json"
    few = {**os.environ, wiping.WIPES: "1", wiping.LINES: "2"}
    words = [sys.executable, "-m", "tests.benchmarks.wiping", str(out)]
    done = subprocess.run(words, env=few, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    kept = {each["act"]: each for each in json.loads(out.read_text(encoding="utf-8"))}
    for act in (
        "an order filed to keys destroyed, p99",
        "an order filed to keys destroyed, 2 devices besides, p99",
    ):
        assert kept[act]["ours"] > 0
        assert kept[act]["ratio"] > 0
    assert {act for act in kept if act.startswith("an idle line: ")} and len(kept) == 24, sorted(kept)


def test_what_is_asked_of_like_is_asked_of_search() -> None:
    assert finding.LIKED.keys() <= {text for _name, text in finding.QUERIES}


def test_generated_values_are_those_that_the_store_keeps() -> None:
    """The ground is laid in without a check, so a value in another form would make it another store."""
    dice = names.Dice(book.SEED)
    products = book.products(dice)
    customers = list(book.customers(dice, 300))
    deals = list(book.deals(dice, 300, [c.id for c in customers], [p.id for p in products]))
    for kind, stored in (("product", products), ("customer", customers), ("deal", deals)):
        for each in stored:
            assert KINDS[kind].check(each.values, whole=True) == each.values
    assert len({each.id for each in (*products, *customers, *deals)}) == 600 + book.PRODUCTS


def test_the_same_seed_gives_the_same_book() -> None:
    one, other = (list(book.customers(names.Dice(book.SEED), 50)) for _time in range(2))
    assert one == other


def test_three_scripts_and_more_stand_in_the_names() -> None:
    found = "".join(str(each.values["name"]) for each in book.customers(names.Dice(book.SEED), 500))
    for first, last in (("a", "z"), ("一", "鿿"), ("а", "я"), ("가", "힣")):
        assert any(first <= letter <= last for letter in found)


def test_an_aim_is_judged_by_ratio_and_by_figure() -> None:
    assert Act("a", 2.0, 1.0, Aim(ratio=2)).met is True
    assert Act("a", 2.1, 1.0, Aim(ratio=2)).met is False
    assert Act("a", 17.0, 20.0, Aim(ratio=2, most=16)).met is False
    assert Act("a", 9.0, None, Aim(least=10), "rows/s").met is False
    assert Act("a", None, None, Aim(most=16)).met is False
    assert Act("a", 1.0, 1.0).met is None


def test_the_file_keeps_what_was_measured_before(tmp_path: Path) -> None:
    file = tmp_path / "store.json"
    keep([Act("one", 1.0, None), Act("two", 1.0, None)], file)
    keep([Act("one", 3.0, None)], file)
    assert {each["act"]: each["ours"] for each in json.loads(file.read_text())} == {"one": 3.0, "two": 1.0}


def test_a_group_that_is_none_is_named() -> None:
    with pytest.raises(SystemExit, match="no group: finds"):
        bench.chosen("find, finds")
    assert bench.chosen("find, save") == ["find", "save"]
    assert bench.chosen("") == list(bench.GROUPS)


def test_percentiles_are_samples() -> None:
    assert [at([5, 1, 4, 2, 3], part) for part in (0.5, 0.99, 1.0)] == [3, 5, 5]
