"""A long import tells how far it is, can be stopped, and leaves nothing behind however it ends before its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Stopped
from app.services.exchange import relate
from app.services.exchange.apply import apply
from app.services.exchange.book import book_of
from app.services.exchange.plan import prepare
from app.services.exchange.ports import Book
from app.services.exchange.progress import Far, Progress, Stage, sentence
from app.store import examination, outbox, records
from app.store.words import fold_key
from tests.protocol.strategies import tries
from tests.services.exchange.conftest import TODAY, Made
from tests.store.device import CUSTOMER, Device

ROOT = Path(__file__).resolve().parents[3]
ROWS = 6_000

CHILD = """
import datetime as dt, sys
from pathlib import Path
from app.services.exchange.apply import apply
from app.services.exchange.book import book_of
from app.services.exchange.plan import prepare
from app.services.exchange.progress import Stage
from tests.store.device import Device
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

device = Device(Path(sys.argv[1]))
device.recovery = X25519PrivateKey.from_private_bytes(bytes.fromhex(sys.argv[2]))
store = device.open()

def told(stage, at, total):
    if stage is Stage.WRITING and at >= int(sys.argv[4]):
        print("so far", flush=True)
        sys.stdin.readline()

apply(prepare([Path(sys.argv[3])], book_of(store), today=dt.date(2026, 11, 22)), book_of(store), told)
"""
STAGES = (Stage.READING, Stage.COMPARING, Stage.WRITING)  # of an import


def rows_of(count: int) -> str:
    return "name,number,notes\n" + "".join(f"Company {n},N{n},{'x' * 900}\n" for n in range(count))


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_is_that_of_the_pace_so_far_in_each_stage() -> None:
    clock = Clock()
    progress = Progress(clock)
    assert progress.far() is None
    progress(Stage.COMPARING, 0, 100)
    clock.now += 0.5
    progress(Stage.COMPARING, 10, 100)
    assert progress.far() == Far(Stage.COMPARING, 10, 100, None)  # too early to tell
    clock.now += 9.5
    progress(Stage.COMPARING, 50, 100)
    assert progress.far() == Far(Stage.COMPARING, 50, 100, 10.0)
    progress(Stage.WRITING, 0, 40)
    clock.now += 60
    progress(Stage.WRITING, 10, 40)
    assert progress.far() == Far(Stage.WRITING, 10, 40, 180.0)
    assert sentence(progress.far()) == "Bringing in: 10 of 40 · about 3 minutes left"


def test_every_row_is_counted_once_in_each_stage(made: Made, store_book: Book) -> None:
    heard: dict[Stage, list[tuple[int, int]]] = {stage: [] for stage in STAGES}

    def told(stage: Stage, at: int, total: int) -> None:
        heard[stage].append((at, total))

    path = made("customers.csv", rows_of(1_300))
    apply(prepare([path], store_book, today=TODAY, told=told), store_book, told)
    for stage, said in heard.items():
        assert said == sorted(said)
        assert {total for _at, total in said} == {1_300}
        assert len(said) >= 3
        assert stage is Stage.READING or said[-1] == (1_300, 1_300)


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_stopped_leaves_nothing_and_its_plan_still_holds(
    made: Made, store_book: Book, stage: Stage
) -> None:
    path = made("customers.csv", rows_of(ROWS))
    progress = Progress()

    def told(now: Stage, at: int, total: int) -> None:
        if now is stage and at >= total // 2:
            progress.stop()
        progress(now, at, total)

    plan = prepare([path], store_book, today=TODAY)
    with pytest.raises(Stopped):
        apply(prepare([path], store_book, today=TODAY, told=told), store_book, told)
    assert not list(store_book.records(CUSTOMER))
    assert apply(plan, store_book).total("added") == ROWS


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    folder = tmp_path / "profile"
    folder.mkdir()
    made = Device(folder)
    yield made
    made.close()


@pytest.mark.parametrize("at", [500, 4_500, ROWS])
def test_a_kill_in_the_midst_of_an_import_leaves_nothing(device: Device, made: Made, at: int) -> None:
    """Rows and sealed ops have gone to the disk by then; none of them was ever committed."""
    path = made("customers.csv", rows_of(ROWS))
    store = device.create()
    kept = records.add(store, CUSTOMER, {"name": "Kept"})
    sealed = store.seal.length
    device.close()
    recovery = device.recovery.private_bytes_raw().hex()
    command = [sys.executable, "-c", CHILD, str(device.profile.folder), recovery, str(path), str(at)]
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdin is not None
    try:
        assert child.stdout.readline() == "so far\n"
        if at > 4_400:
            assert device.profile.sealed_outbox.stat().st_size > sealed + 2**20
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
        child.stdout.close()
        child.stdin.close()
    again = device.open()
    assert examination.examine(again) == []
    assert again.counts()["customer"] == 1
    assert [op.id for op in outbox.every(again.db)] == [kept.id]
    assert again.seal.length == device.profile.sealed_outbox.stat().st_size == sealed
    device.assert_sealed(again)
    report = apply(prepare([path], book_of(again), today=TODAY), book_of(again))
    assert report.total("added") == ROWS
    device.assert_sealed(again)


def test_a_file_reads_those_records_alone_that_it_may_mean(made: Made, store_book: Book) -> None:
    text = "name,industry\n" + "".join(f"Company {n},Food\n" for n in range(3_000))
    apply(prepare([made("customers.csv", text)], store_book, today=TODAY), store_book)
    index = relate.Index()
    said = relate.Mentions(
        titles=frozenset(["COMPANY  7", "New one"]), texts=frozenset(["Ｃompany 8", "Company 9"])
    )
    relate.know(index, store_book, CUSTOMER, said)
    assert sorted(index.titles.values()) == ["Company 7", "Company 8", "Company 9"]
    relate.know(index, store_book, CUSTOMER, relate.Mentions(texts=frozenset(["company-11"])))
    found, how = index.find("company-11")
    assert how is relate.How.FOLDED
    assert found is not None and index.titles[found] == "Company 11"


@given(st.text(max_size=12), st.text(max_size=12))
@tries(300)
def test_the_same_light_title_is_looked_for_under_the_same_key(one: str, other: str) -> None:
    for a, b in ((one, other), (one, one.upper()), (one, f" {one}  "), (one, one.swapcase())):
        if relate.light(a) == relate.light(b):
            assert fold_key(a) == fold_key(b)
