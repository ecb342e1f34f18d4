"""Lines that devices hold open to a real server over TLS: who is told of what, when a line ends, who gets none."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sync.protocol import codec, messages
from sync.protocol.errors import Problem
from sync.protocol.messages import BEAT, EVENT_END, EVENTS_PATH, POKE, Trouble
from tests.served import Server
from tests.server.driver import Device, Dial, Tls
from tests.server.running import Org

ANA, BO, WEST = "ana@example.com", "bo@example.com", "west@example.com"


@dataclass
class Ear:
    """One line as a device hears it."""

    answer: http.client.HTTPResponse
    data: bytes = b""

    def next(self) -> bytes:
        """The next event; b"" at the end. The socket's own time-out is the deadline."""
        while EVENT_END not in self.data:
            piece = self.answer.read1(1_000)
            if not piece:
                return b""
            self.data += piece
        event, _end, self.data = self.data.partition(EVENT_END)
        return event + EVENT_END


Listen = Callable[[Device], Ear]


@pytest.fixture
def devices(org: Org, server: Server, dial: Dial) -> tuple[Device, Device, Device]:
    """Of two reps of one team, and of one of another team, each signed in and up to date."""
    made = []
    for email, team in ((ANA, "Sales/East"), (BO, "Sales/East"), (WEST, "Sales/West")):
        org.admin("person", "add", email, "--role", "rep", "--team", team)
        device = Device(dial(server.url, None), email)
        device.enrol(org.code(email))
        device.sync()
        made.append(device)
    ana, bo, west = made
    return ana, bo, west


@pytest.fixture
def listen(server: Server, dial: Dial) -> Listen:
    """Opens a line; the first heartbeat has come."""

    def opened(device: Device) -> Ear:
        assert device.root is not None
        line = dial(server.url, device.root.tls_ca[0])
        ear = Ear(_held(line, EVENTS_PATH, device.headers(b"", EVENTS_PATH, "GET")))
        assert ear.answer.status == 200
        assert ear.next() == BEAT
        return ear

    return opened


def test_an_edit_is_told_to_the_team_and_not_to_its_maker(
    devices: tuple[Device, Device, Device], listen: Listen
) -> None:
    ana, bo, west = devices
    ears = [listen(each) for each in devices]
    ana.add("customer", name="Northwind")
    ana.sync()
    assert ears[1].next() == POKE
    # Had the others been told of this, it would stand before what each is told of now.
    bo.sync()
    assert len(bo.rows) == 1
    west.add("product", name="Tea")  # a kind that everybody sees
    west.sync()
    assert ears[0].next() == POKE
    ana.sync()
    assert len(ana.rows) == 2
    bo.sync()
    bo.add("product", name="Coffee")
    bo.sync()
    assert ears[2].next() == POKE
    west.sync()
    assert {row.kind for row in west.rows.values()} == {"product"}


def test_an_order_is_told_at_once_and_the_line_ends_by_it(
    org: Org, devices: tuple[Device, Device, Device], listen: Listen
) -> None:
    _ana, bo, _west = devices
    ear = listen(bo)
    org.admin("lock", BO)
    assert (ear.next(), ear.next()) == (POKE, b"")
    locked = listen(bo)  # locked as it is, it is told of the unlock
    org.admin("unlock", BO)
    assert (locked.next(), locked.next()) == (POKE, b"")


def test_a_locked_device_is_not_told_of_records(
    org: Org, devices: tuple[Device, Device, Device], listen: Listen
) -> None:
    ana, bo, _west = devices
    org.admin("lock", BO)
    ear = listen(bo)
    ana.add("customer", name="Northwind")
    ana.sync()
    org.admin("unlock", BO)
    assert (ear.next(), ear.next()) == (POKE, b"")


def test_somebody_who_moves_is_told_and_hears_of_the_new_team_then(
    org: Org, devices: tuple[Device, Device, Device], listen: Listen
) -> None:
    ana, _bo, west = devices
    ear = listen(west)
    org.admin("person", "add", WEST, "--role", "rep", "--team", "Sales/East")
    assert (ear.next(), ear.next()) == (POKE, b"")
    again = listen(west)
    ana.add("customer", name="Northwind")
    ana.sync()
    assert again.next() == POKE


def test_a_wiped_device_has_no_line(
    org: Org, devices: tuple[Device, Device, Device], listen: Listen, server: Server, dial: Dial
) -> None:
    _ana, bo, _west = devices
    org.admin("wipe", BO, "--reason", "lost")
    ear = listen(bo)
    wipe = bo.ask().paper("order").data
    bo.hand_in(bo.receipt(wipe))
    assert ear.next() == b""
    answer = _held(dial(server.url, None), EVENTS_PATH, bo.headers(b"", EVENTS_PATH, "GET"))
    assert (answer.status, _problem(answer.read())) == (403, Problem.UNKNOWN_DEVICE)


def test_a_line_is_signed_and_each_signature_opens_one(
    devices: tuple[Device, Device, Device], server: Server, dial: Dial
) -> None:
    ana = devices[0]
    unsigned = _held(dial(server.url, None), EVENTS_PATH, {})
    assert (unsigned.status, _problem(unsigned.read())) == (401, Problem.UNSIGNED)
    headers = ana.headers(b"", EVENTS_PATH, "GET")
    assert _held(dial(server.url, None), EVENTS_PATH, headers).status == 200
    again = _held(dial(server.url, None), EVENTS_PATH, headers)
    assert (again.status, _problem(again.read())) == (401, Problem.UNSIGNED)
    other = _held(dial(server.url, None), f"{EVENTS_PATH}?wait=1", ana.headers(b"", EVENTS_PATH, "GET"))
    assert (other.status, _problem(other.read())) == (401, Problem.UNSIGNED)


def test_the_second_line_of_a_device_ends_the_first(
    devices: tuple[Device, Device, Device], listen: Listen
) -> None:
    ana, bo, _west = devices
    first = listen(bo)
    second = listen(bo)
    assert first.next() == b""
    ana.add("customer", name="Northwind")
    ana.sync()
    assert second.next() == POKE


def test_a_single_event_comes_when_there_is_one_or_when_its_time_is_over(
    devices: tuple[Device, Device, Device], server: Server, dial: Dial, org: Org
) -> None:
    bo = devices[1]
    path = f"{EVENTS_PATH}?wait=1"
    over = _held(dial(server.url, None), path, bo.headers(b"", path, "GET"))
    assert (over.status, over.read()) == (200, BEAT)
    # What is filed before the line stands is not told on it, and brought by the exchange that follows on an opening.
    path = f"{EVENTS_PATH}?wait=25"
    line = dial(server.url, None)
    line._line.request("GET", path, None, bo.headers(b"", path, "GET"))
    while "1" not in org.admin("orders").stdout:
        org.admin("lock", BO)
    answer = line._line.getresponse()
    assert (answer.status, answer.read()) == (200, POKE)


def test_a_server_that_stops_ends_its_lines(
    devices: tuple[Device, Device, Device], listen: Listen, server: Server
) -> None:
    ears = [listen(each) for each in devices]
    assert server.stop() == 0
    assert [each.next() for each in ears] == [b"", b"", b""]


def _held(line: Tls, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    """An answer that is held open."""
    line._line.request("GET", path, None, headers)
    return line._line.getresponse()


def _problem(body: bytes) -> Problem:
    ((tag, raw),) = codec.decode(body)
    assert tag == messages.TROUBLE
    return codec.read(raw, Trouble).problem
