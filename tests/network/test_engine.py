"""The engine in the background on a bad network: it leaves what hangs, says so, and goes on when it can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from app.services import records
from app.services.opening import open_session
from sync.client import pace
from sync.client.status import Phase
from sync.protocol.kinds import KINDS
from tests import forks
from tests.client.servers import Authority, always, answer, serving
from tests.network import reverse
from tests.network.places import behind
from tests.network.proxy import Deed, Fault, Proxy, Way
from tests.road import ANNA, BEN, Laptop, Town
from tests.windows import Window

CUSTOMER = KINDS["customer"]
PAGE = b"<html><body>Please sign in to the hotel network</body></html>"
PORTAL = answer(b"", status="302 Found", extra="Location: http://portal.example/\r\n")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed exchange is tried again within a second; what comes here does not come by the minute's exchange."""
    monkeypatch.setattr(pace, "LONGEST_WAIT_S", 3_600.0)
    monkeypatch.setattr(pace, "BACKOFF_LAST_S", 1.0)


@contextmanager
def _open(*laptops: Laptop) -> Iterator[list[Window]]:
    with ExitStack() as stack:
        windows = [Window(stack.enter_context(open_session(each.profile))) for each in laptops]
        for window in windows:
            window.keeping.start()
            stack.callback(window.keeping.stop)
            _wait(lambda window=window: window.told and window.told[-1].phase is Phase.IDLE)  # type: ignore[misc]
        yield windows


def _wait(held: Callable[[], object]) -> None:
    forks.wait_until(lambda: bool(held()), "what was to come did not come")


def _says(window: Window, phase: Phase) -> bool:
    return window.told[-1].phase is phase


def _comes_back(first: Window, second: Window, name: str) -> None:
    """After whatever it was: what was typed meanwhile goes out, and news come in, once each."""
    made = records.add(second.session, CUSTOMER, {"name": f"{name}, back"})
    _wait(lambda: first.holds(made.id))
    _wait(lambda: _says(first, Phase.IDLE) and not first.told[-1].waiting)
    assert [each.phase for each in first.told].count(Phase.STOPPED) == 0


@pytest.mark.parametrize("way", Way)
def test_a_half_open_connection_is_left_at_the_deadline(
    town: Town, proxy: Proxy, impatient: None, way: Way
) -> None:
    """Nobody hears that it is dead: no spinner outlives the deadline of one request."""
    with _open(behind(proxy.url, town, ANNA), town.laptop(BEN)) as (first, second):
        proxy.draw = lambda: Fault(Deed.STALL, way, 1)
        proxy.cut()
        made = records.add(first.session, CUSTOMER, {"name": f"Half open {way.value}"})
        _wait(lambda: _says(first, Phase.OFFLINE))
        assert first.told[-1].title and first.told[-1].hint
        assert first.told[-1].waiting == 1
        proxy.calm()
        _wait(lambda: second.holds(made.id))
        _comes_back(first, second, f"Half open {way.value}")


def test_a_network_that_goes_away_and_comes_back(town: Town, proxy: Proxy, impatient: None) -> None:
    with _open(behind(proxy.url, town, ANNA), town.laptop(BEN)) as (first, second):
        proxy.leave()
        made = records.add(first.session, CUSTOMER, {"name": "Away"})
        _wait(lambda: _says(first, Phase.OFFLINE))
        proxy.back()
        _wait(lambda: second.holds(made.id))
        _comes_back(first, second, "Away")


@pytest.mark.parametrize("said", [PORTAL, answer(PAGE, media="text/html")], ids=["moved", "page"])
def test_a_captive_portal_in_clear(town: Town, proxy: Proxy, impatient: None, said: bytes) -> None:
    with _open(behind(proxy.url, town, ANNA), town.laptop(BEN)) as (first, second):
        proxy.answer = said
        proxy.cut()
        made = records.add(first.session, CUSTOMER, {"name": "In a hotel"})
        _wait(lambda: _says(first, Phase.OFFLINE))
        proxy.calm()
        _wait(lambda: second.holds(made.id))
        _comes_back(first, second, "In a hotel")


def test_a_portal_with_a_certificate_of_its_own(
    town: Town, proxy: Proxy, impatient: None, tmp_path: Path
) -> None:
    foreign = Authority().context(tmp_path)
    with (
        _open(behind(proxy.url, town, ANNA), town.laptop(BEN)) as (first, second),
        serving(always(answer(PAGE, media="text/html")), foreign) as portal,
    ):
        proxy.lead_to(int(portal.url.rpartition(":")[2]))
        made = records.add(first.session, CUSTOMER, {"name": "Behind a foreign certificate"})
        _wait(lambda: _says(first, Phase.OFFLINE))
        assert "belongs to your organisation" in first.told[-1].title
        assert portal.connections and not portal.asked
        proxy.calm()
        _wait(lambda: second.holds(made.id))
        _comes_back(first, second, "Behind a foreign certificate")


@pytest.mark.parametrize("fault", [Fault(delay_s=0.05), Fault(delay_s=0.002, piece=40)], ids=["slow", "drip"])
def test_a_slow_network_is_slow_and_no_more(town: Town, proxy: Proxy, fault: Fault) -> None:
    with _open(behind(proxy.url, town, ANNA), town.laptop(BEN)) as (first, second):
        proxy.draw = lambda: fault
        proxy.cut()
        made = records.add(first.session, CUSTOMER, {"name": f"By and by {fault.name}"})
        _wait(lambda: second.holds(made.id))
        _comes_back(first, second, f"By and by {fault.name}")


def test_a_drip_that_takes_too_long_ends_at_the_total_deadline(
    town: Town, proxy: Proxy, impatient: None
) -> None:
    """Bytes come all the time, and a time-out between two bytes would never end it."""
    with _open(behind(proxy.url, town, ANNA), town.laptop(BEN)) as (first, second):
        proxy.draw = lambda: Fault(delay_s=0.1, piece=20)
        proxy.cut()
        made = records.add(first.session, CUSTOMER, {"name": "Drop by drop"})
        _wait(lambda: _says(first, Phase.OFFLINE))
        proxy.calm()
        _wait(lambda: second.holds(made.id))
        _comes_back(first, second, "Drop by drop")


def test_news_come_also_behind_a_box_that_holds_back_what_comes_bit_by_bit(
    town: Town, impatient: None
) -> None:
    """The held line never delivers; single events do."""
    with (
        serving(reverse.buffering(lambda: town.server.port), reverse.certificate(town.secrets)) as box,
        _open(behind(box.url, town, ANNA), town.laptop(BEN)) as (first, second),
    ):
        _wait(lambda: any("wait=" in each.target for each in box.asked))
        made = records.add(second.session, CUSTOMER, {"name": "Told singly"})
        _wait(lambda: first.holds(made.id))
        back = records.add(first.session, CUSTOMER, {"name": "And back"})
        _wait(lambda: second.holds(back.id))
        assert any("wait=" not in each.target for each in box.asked)
