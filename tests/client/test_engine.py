"""The thread that exchanges: settles, repeats, waits longer while it fails, stops when told."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from sync.client import pace
from sync.client.engine import Engine
from sync.client.errors import NotOurServer, ServerRefused, Unreachable
from sync.client.status import Phase
from sync.protocol.errors import KnownError, Problem, UpgradeNeeded
from sync.protocol.messages import Trouble

SOON = 10.0  # the longest a busy machine may take for what is due now
SETTLE = 0.2


class World:
    """An engine, what its rounds do, and everything it told."""

    def __init__(self) -> None:
        self.rounds: queue.Queue[float] = queue.Queue()
        self.told: queue.Queue[tuple[Phase, KnownError | None]] = queue.Queue()
        self.do: Callable[[], None] = lambda: None
        self.engine = Engine(self._round, lambda phase, problem: self.told.put((phase, problem)))

    def _round(self) -> None:
        self.rounds.put(time.monotonic())
        self.do()

    def next_round(self, within: float = SOON) -> float:
        """When the next round began."""
        return self.rounds.get(timeout=within)

    def phases(self, count: int) -> list[Phase]:
        """The next phases that were told."""
        return [self.told.get(timeout=SOON)[0] for _ in range(count)]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An engine with short waits, not started yet; ended after the test."""
    monkeypatch.setattr(pace, "SETTLE_S", SETTLE)
    monkeypatch.setattr(pace, "BACKOFF_FIRST_S", 0.1)
    made = World()
    yield made
    made.engine.stop(5)
    assert not [thread for thread in threading.enumerate() if thread.name == "fieldkeep-engine"]


def held_inside(world: World) -> threading.Event:
    """Start the engine and wait until an exchange is under way; it goes on with the event given back."""
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        go_on.wait(SOON)

    world.do = hold
    world.engine.start()
    assert inside.wait(SOON)
    return go_on


def test_the_first_exchange_comes_at_once_and_then_nothing(world: World) -> None:
    world.engine.start()
    world.next_round()
    assert world.phases(2) == [Phase.SENDING, Phase.IDLE]
    with pytest.raises(queue.Empty):
        world.next_round(within=3 * SETTLE)


def _settled(world: World) -> None:
    world.engine.start()
    world.next_round()
    world.phases(2)


def test_an_edit_goes_out_after_it_settled(world: World) -> None:
    _settled(world)
    edited = time.monotonic()
    world.engine.edited()
    assert world.next_round() - edited >= SETTLE


def test_edits_in_a_row_go_out_in_one_exchange(world: World) -> None:
    _settled(world)
    for _ in range(49):
        world.engine.edited()
    last = time.monotonic()
    world.engine.edited()
    assert world.next_round() - last >= SETTLE
    with pytest.raises(queue.Empty):
        world.next_round(within=3 * SETTLE)


def test_a_person_who_asks_does_not_wait_for_settling(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "SETTLE_S", 60.0)
    _settled(world)
    world.engine.edited()
    world.engine.wanted()
    world.next_round()


def test_an_edit_during_an_exchange_is_not_forgotten(world: World) -> None:
    go_on = held_inside(world)
    world.engine.edited()
    world.do = lambda: None
    go_on.set()
    world.next_round()
    world.next_round()


@pytest.mark.parametrize(
    ("problem", "phase"),
    [
        (Unreachable("Offline."), Phase.OFFLINE),
        (NotOurServer("Not ours."), Phase.OFFLINE),
        (ServerRefused(Trouble(problem=Problem.GAP), "No."), Phase.REFUSED),
        (UpgradeNeeded("Update."), Phase.REFUSED),
        (KnownError("Disk full."), Phase.OFFLINE),
    ],
    ids=lambda each: getattr(each, "title", str(each)),
)
def test_a_failure_is_told_and_tried_again(world: World, problem: KnownError, phase: Phase) -> None:
    outcomes = iter([problem, None])

    def fail_once() -> None:
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome

    world.do = fail_once
    world.engine.start()
    told = [world.told.get(timeout=SOON) for _ in range(4)]
    assert told == [(Phase.SENDING, None), (phase, problem), (Phase.SENDING, None), (Phase.IDLE, None)]


def _fail() -> None:
    raise Unreachable("Offline.")


def test_it_waits_longer_the_longer_it_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.client.engine.random.random", lambda: 0.5)
    world.do = _fail
    world.engine.start()
    times = [world.next_round() for _ in range(5)]
    waits = [after - before for before, after in itertools.pairwise(times)]
    expected = [0.05 + 0.5 * 0.1 * 2**number for number in range(4)]
    assert all(wait >= least for wait, least in zip(waits, expected, strict=True))


def test_an_edit_while_offline_does_not_hurry_it_and_a_person_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "BACKOFF_FIRST_S", 60.0)
    world.do = _fail
    world.engine.start()
    world.next_round()
    assert world.phases(2) == [Phase.SENDING, Phase.OFFLINE]
    world.engine.edited()
    with pytest.raises(queue.Empty):
        world.next_round(within=3 * SETTLE)
    world.engine.wanted()
    world.next_round()


def test_the_servers_word_on_when_to_come_is_heeded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.client.engine.random.random", lambda: 0.0)

    def busy() -> None:
        raise ServerRefused(Trouble(problem=Problem.BUSY, retry_after=1), "Busy.")

    world.do = busy
    world.engine.start()
    first = world.next_round()
    assert world.next_round() - first >= 1.0


def test_it_stops_at_once_while_it_waits_and_says_so(world: World) -> None:
    _settled(world)
    began = time.monotonic()
    world.engine.stop()
    assert time.monotonic() - began < 2.0
    assert world.phases(1) == [Phase.STOPPED]


def test_it_ends_the_exchange_under_way_before_it_stops(world: World) -> None:
    inside, done = threading.Event(), threading.Event()

    def work() -> None:
        inside.set()
        world.told.get(timeout=SOON)
        done.set()

    world.do = work
    world.engine.start()
    assert inside.wait(SOON)
    world.engine.stop()
    assert done.is_set()


def test_stopping_does_not_wait_for_ever(world: World) -> None:
    go_on = held_inside(world)
    began = time.monotonic()
    world.engine.stop(0.2)
    assert time.monotonic() - began < 2.0
    go_on.set()


def test_it_can_be_stopped_before_it_began_and_from_its_own_thread(world: World) -> None:
    world.engine.stop()
    other = World()
    other.do = other.engine.stop
    other.engine.start()
    assert other.phases(3) == [Phase.SENDING, Phase.IDLE, Phase.STOPPED]


@pytest.mark.expected_warnings("exchange ended with a fault")
def test_a_fault_of_ours_is_not_taken_for_being_in_step(world: World) -> None:
    """It goes on trying, for orders must keep coming; the window must not go on saying that all is sent."""

    def fault() -> None:
        raise ZeroDivisionError

    world.do = fault
    world.engine.start()
    assert world.phases(2) == [Phase.SENDING, Phase.OFFLINE]
    world.do = lambda: None
    world.engine.wanted()
    while world.phases(1) != [Phase.IDLE]:
        pass


def test_a_poke_exchanges_at_once_and_once(world: World) -> None:
    _settled(world)
    world.engine.poked()
    world.next_round()
    with pytest.raises(queue.Empty):
        world.next_round(within=3 * SETTLE)


def test_a_lost_line_tells_of_an_outage_within_seconds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "LOST_FIRST_S", 0.1)
    monkeypatch.setattr(pace, "LOST_SPREAD_S", 0.1)
    _settled(world)
    world.do = _fail
    world.engine.lost()
    world.next_round()
    assert Phase.OFFLINE in world.phases(2)


def test_pokes_during_an_exchange_make_one_more_of_it(world: World) -> None:
    go_on = held_inside(world)
    for _each in range(5):
        world.engine.poked()
    world.do = lambda: None
    go_on.set()
    world.next_round()
    world.next_round()
    with pytest.raises(queue.Empty):
        world.next_round(within=3 * SETTLE)


def test_a_poke_does_not_hurry_an_exchange_that_fails_and_a_line_that_opens_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "BACKOFF_FIRST_S", 60.0)
    world.do = _fail
    world.engine.start()
    world.next_round()
    world.phases(2)
    for _each in range(5):
        world.engine.poked()
    with pytest.raises(queue.Empty):
        world.next_round(within=3 * SETTLE)
    world.engine.reached()
    world.next_round()
    world.phases(2)
    world.engine.returned()
    world.next_round()
