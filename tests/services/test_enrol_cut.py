"""An enrolment whose line is cut, at any point: it is repeated with the same code, and IT sees one device."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from sync.protocol import codes
from tests.keyring_of_tests import device_entries
from tests.road import ANNA, BEN, Laptop, Town
from tests.services.test_enrolment import HELD

WHOLE = 10**9
ROOT, WISH = 0, 1  # an enrolment makes two connections: for the root, and for the wish
END = 100  # bytes by which the end of a connection is cut short: within the answer, before the farewell
PLACES = [0.0, 0.3, 0.6, 0.9, 1.0]  # parts of what the server sends back on the cut connection


@dataclass
class Wire:
    """A line to the server that lets only so many of its bytes through, by connection; counts what it carried."""

    port: int
    limits: list[int] = field(default_factory=list)
    carried: list[int] = field(default_factory=list)
    url: str = ""

    def cut(self, *limits: int) -> None:
        """From the next connection on: this many bytes of the server's on the first, then on the second."""
        self.limits, self.carried = list(limits), []

    def take(self, client: socket.socket) -> None:
        """One connection, to its end."""
        limit = self.limits.pop(0) if self.limits else WHOLE
        carried, at = self.carried, len(self.carried)
        carried.append(0)
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            up = threading.Thread(target=self._pump, args=(client, server), daemon=True)
            up.start()
            with suppress(OSError):
                while data := server.recv(65_536):
                    client.sendall(data[: limit - carried[at]])
                    carried[at] += len(data)
                    if carried[at] > limit:
                        break  # what the server did stays done: it only cannot say so
            for end in (client, server):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            up.join(10)

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)


@contextmanager
def _wire(town: Town) -> Iterator[Wire]:
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire(town.server.port)
    wire.url = f"https://127.0.0.1:{listener.getsockname()[1]}"

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=wire.take, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.fixture(scope="module")
def wire(town: Town) -> Iterator[Wire]:
    """One line for the module."""
    with _wire(town) as made:
        yield made


@pytest.fixture(scope="module")
def sizes(town: Town, wire: Wire) -> list[int]:
    """How much the server sends in a whole enrolment, by connection."""
    laptop = town.laptop()
    wire.cut()
    assert _enrol(laptop, _over(wire, town.code(ANNA))) == 0
    assert len(wire.carried) == 2
    return list(wire.carried)


def _over(wire: Wire, code: str) -> str:
    """The code with this line's address."""
    read = codes.read(code)
    return codes.write(codes.EnrolCode(wire.url, read.root_digest, read.secret))


def _enrol(laptop: Laptop, code: str, name: str = "") -> int:
    done = laptop.ask("enrol", "--name", name or laptop.name, "--json", stdin=code)
    if done.code == 0:
        laptop.id = done.json["device_id"]
    return done.code


def _devices(town: Town, laptop: Laptop) -> list[str]:
    return [each["name"] for each in town.admin("devices") if each["name"].startswith(laptop.name)]


def _whole(town: Town, laptop: Laptop) -> None:
    """It is enrolled, once, and works."""
    assert _devices(town, laptop) == [laptop.name]
    assert set(laptop.entries()) == HELD
    record = laptop.add("customer", name="After all")
    assert laptop.ask("sync").code == 0
    assert record in laptop.holds()


@pytest.mark.parametrize("part", PLACES)
@pytest.mark.parametrize("connection", [ROOT, WISH])
def test_cut_anywhere_the_same_code_goes_on(
    town: Town, wire: Wire, sizes: list[int], connection: int, part: float
) -> None:
    laptop = town.laptop()
    code = _over(wire, town.code(ANNA))
    limits = [WHOLE] * connection + [int((sizes[connection] - END) * part)]
    for _again in range(2):
        wire.cut(*limits)
        assert _enrol(laptop, code) == 5
        assert not laptop.profile.device.exists()
    wire.cut()
    assert _enrol(laptop, code) == 0
    _whole(town, laptop)


@pytest.fixture
def lost(town: Town, wire: Wire, sizes: list[int]) -> tuple[Laptop, str]:
    """A laptop that was let in and never heard so, and its code."""
    laptop = town.laptop()
    code = _over(wire, town.code(ANNA))
    wire.cut(WHOLE, sizes[WISH] - END)
    assert _enrol(laptop, code) == 5
    assert _devices(town, laptop) == [laptop.name]
    begun = json.loads((laptop.folder / "enrolling.json").read_text())["device"]
    assert set(device_entries(begun)) == {"ring.1", "share.1", "dev", "enc", "enrolling"}
    wire.cut()
    return laptop, code


def test_a_fresh_code_goes_on_too(town: Town, wire: Wire, lost: tuple[Laptop, str]) -> None:
    """A code is good for a day; whoever comes back later has another one."""
    laptop, _code = lost
    assert _enrol(laptop, _over(wire, town.code(ANNA))) == 0
    _whole(town, laptop)


def test_a_slip_in_between_loses_nothing(town: Town, wire: Wire, lost: tuple[Laptop, str]) -> None:
    laptop, code = lost
    read = codes.read(code)
    wrong = codes.write(codes.EnrolCode(wire.url, read.root_digest, bytes(16)))
    assert _enrol(laptop, wrong) == 1
    assert _enrol(laptop, code) == 0
    _whole(town, laptop)


def test_another_name_at_the_second_try_is_its_name(town: Town, lost: tuple[Laptop, str]) -> None:
    laptop, code = lost
    assert _enrol(laptop, code, f"{laptop.name} renamed") == 0
    assert _devices(town, laptop) == [f"{laptop.name} renamed"]
    assert laptop.json("status")["device"] == f"{laptop.name} renamed"


def test_the_code_of_somebody_else_does_not_take_the_device_over(
    town: Town, wire: Wire, lost: tuple[Laptop, str]
) -> None:
    """It is a new device then, with keys of its own; the old name stays with whom it was given to."""
    laptop, _code = lost
    before = set(laptop.folder.iterdir())
    assert before
    assert _enrol(laptop, _over(wire, town.code(BEN)), f"{laptop.name} Ben") == 1
    assert _enrol(laptop, _over(wire, town.code(BEN)), f"{laptop.name} Ben") == 0
    assert laptop.json("status")["person"] == BEN
    assert sorted(_devices(town, laptop)) == [laptop.name, f"{laptop.name} Ben"]


@pytest.mark.parametrize("sent", [False, True])
def test_a_file_laid_there_names_no_keys_to_take_back(town: Town, sent: bool) -> None:
    """Who prepares a folder and has somebody enrol in it must not destroy the keys of another device."""
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="Only here")
    card, before = laptop.card(), laptop.entries()
    trap = town.laptop()
    trap.folder.mkdir()
    laid = {"org": card.org, "device": card.device, "token": "00" * 16, "sent": sent}
    (trap.folder / "enrolling.json").write_text(json.dumps(laid))
    if sent:
        (trap.folder / "store.hdr").write_bytes(laptop.profile.header.read_bytes())
    assert trap.ask("enrol", "--name", trap.name, stdin=town.code(ANNA)).code == 0
    assert trap.card().device != card.device
    assert laptop.entries() == before
    assert len(laptop.json("list", "customer")) == 1
