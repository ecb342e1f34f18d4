"""How long an act still takes is told by its pace of late, from wherever it went on; and that a fault ends it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from app.services.acting import Act
from app.services.many import Doing, Outcome, chosen
from app.services.session import Session
from app.store.bulk import Selection, Setting
from app.store.rowset import RowSet
from app.viewmodels.acting import Acting, Many
from app.viewmodels.base import Errands
from sync.protocol.kinds import KINDS
from tests.viewmodels.conftest import Held

DEAL = KINDS["deal"]


def asked(count: int) -> Doing:
    return Doing(chosen(Selection(DEAL, True, RowSet(), last=count, count=count)), Setting("stage", "won"))


def waiting(until: Callable[[], bool], held: Held) -> None:
    limit = time.monotonic() + 30
    while not until():
        assert time.monotonic() < limit
        held.turn()


def test_the_estimate_goes_by_the_pace_of_late(
    session: Session, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Acting(session, Errands(held), lambda *_said, **_more: None, lambda _act: None)
    made._act = Act(session, asked(1_000_000), Outcome(at=600_000))
    made.total = 1_000_000
    now = 1_000.0
    monkeypatch.setattr("app.viewmodels.acting.time.monotonic", lambda: now)
    made._took(600_000)
    assert made.seconds_left() is None
    now += 1
    made._took(610_000)
    assert made.seconds_left() is None  # nobody is sure yet
    now += 1
    made._took(620_000)
    assert made.seconds_left() == pytest.approx(38.0)  # what was done before it went on says nothing
    for at in range(620_000, 650_000, 500):  # it has become slower
        now += 1
        made._took(at)
    assert made.seconds_left() == pytest.approx((1_000_000 - 649_500) / 500, rel=0.1)


@pytest.mark.expected_warnings("an act on many records ended with a fault")
def test_a_fault_of_ours_ends_it_and_is_told(
    session: Session, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    made = Acting(session, Errands(held), lambda text, **_more: said.append(text), lambda _act: None)

    def broken(_act: Act) -> None:
        raise RuntimeError

    monkeypatch.setattr(Act, "piece", broken)
    made.go_on(asked(2_000), Outcome())
    waiting(lambda: not made.running, held)
    assert said == ["This failed in a way we did not expect. Try again; tell IT if this stays."]


def test_a_second_act_waits_for_the_first(session: Session, held: Held) -> None:
    said: list[str] = []
    made = Acting(session, Errands(held), lambda text, **_more: said.append(text), lambda _act: None)
    made.go_on(asked(3), Outcome())
    made.undo(Many(DEAL, ((b"", 1, 1),), 1))
    assert said == ["Something is still being done. Wait for it, or stop it."]
    held.turn()
    assert not made.running and len(said) == 2
