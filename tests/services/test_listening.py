"""Two open windows and one server: what one saves the other has between two exchanges, and orders come at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from app.services import records
from app.services.opening import open_session
from app.services.session import LOCK_CRYPTO
from sync.client import pace
from sync.client.status import Phase
from sync.protocol.kinds import KINDS
from tests import forks
from tests.road import ANNA, BEN, Laptop, Town
from tests.windows import Window

CUSTOMER = KINDS["customer"]


@pytest.fixture(autouse=True)
def _seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes here does not come by the minute's exchange."""
    monkeypatch.setattr(pace, "LONGEST_WAIT_S", 3_600.0)


@contextmanager
def _open(town: Town, *laptops: Laptop) -> Iterator[list[Window]]:
    with ExitStack() as stack:
        windows = [Window(stack.enter_context(open_session(each.profile))) for each in laptops]
        for window in windows:
            window.keeping.start()
            stack.callback(window.keeping.stop)
            # The first exchange, and the one by which a line that has opened asks for what was missed.
            _wait(lambda window=window: window.rounds() >= 2)  # type: ignore[misc]
        yield windows


def _wait(held: Callable[[], bool]) -> None:
    forks.wait_until(held, "what was to come did not come")


def test_what_one_saves_the_other_has_between_two_exchanges(town: Town) -> None:
    with _open(town, town.laptop(ANNA), town.laptop(BEN)) as (first, second):
        made = records.add(first.session, CUSTOMER, {"name": "Told of"})
        _wait(lambda: second.holds(made.id, name="Told of"))
        records.edit(second.session, made.id, {"name": "Told back"})
        _wait(lambda: first.holds(made.id, name="Told back"))


def test_orders_reach_a_device_between_two_exchanges_locked_or_not(town: Town) -> None:
    laptop = town.laptop(ANNA)
    with _open(town, laptop) as (window,):
        town.order("lock", laptop)
        _wait(lambda: window.session.stage == LOCK_CRYPTO)
        town.order("unlock", laptop)
        _wait(lambda: window.session.stage == "active")


def test_a_server_that_comes_back_is_listened_to_again(town: Town) -> None:
    with _open(town, town.laptop(ANNA), town.laptop(BEN)) as (first, second):
        assert town.server.stop() == 0
        town.server.start()
        made = records.add(first.session, CUSTOMER, {"name": "After the restart"})
        _wait(lambda: second.holds(made.id))


def test_an_exchange_that_was_poked_and_brings_nothing_is_the_last(town: Town) -> None:
    with _open(town, town.laptop(ANNA), town.laptop(BEN)) as (first, second):
        made = records.add(first.session, CUSTOMER, {"name": "Once"})
        _wait(lambda: second.holds(made.id))
        before = second.rounds()
        other = records.add(first.session, CUSTOMER, {"name": "And again"})
        _wait(lambda: second.holds(other.id))
        _wait(lambda: second.told[-1].phase is Phase.IDLE)
        assert second.rounds() - before <= 3
