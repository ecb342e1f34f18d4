"""A recorded organisation in this process: its server by the program of today, at the moment it was recorded."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from sync.console import desk, recovery
from sync.protocol import documents, messages, signing
from sync.protocol.documents import Enrolment, Order, SessionOpen
from sync.server import config, enrol
from sync.server.config import Folders
from tests.server.inside import Inside, nobody_asks
from tests.versions.kept import Said, Unpacked
from tests.versions.old_device import OldDevice
from tests.versions.reads import Reads


@dataclass
class Recorded(Inside):
    """A server on recorded folders; `folder` holds data, secrets and keys."""

    def __post_init__(self) -> None:
        self.folders: Folders
        self.folders, _settings = config.load(self.folder / "data", self.folder / "secrets")
        self.open()

    def turn_to(self, at: int) -> None:
        """Have its clock show this."""
        self.skew = at - time.time_ns() // 1_000_000


@dataclass
class Tape:
    """What was recorded, taken apart: who said it, and what IT did in between."""

    of: Unpacked
    reads: Reads = field(init=False)
    traffic: list[Said] = field(init=False)
    names: dict[str, str] = field(default_factory=dict)  # by enrolment
    devices: dict[str, bytes] = field(default_factory=dict)  # by enrolment

    def __post_init__(self) -> None:
        self.reads = Reads(self.of.picture)
        self.traffic = self.of.traffic
        for said in self.traffic:
            if said.path == messages.ENROL_PATH:
                wish = _document(said.up, Enrolment)
                reply = self.reads.answer(said.path, said.down)[0][1]
                self.names[reply["enrolment"]] = wish["name"]
                self.devices[reply["enrolment"]] = bytes.fromhex(wish["device"])

    def speaker(self, said: Said) -> str:
        """Whose request this is: the name of a device."""
        if said.path == messages.ENROL_PATH:
            return str(_document(said.up, Enrolment)["name"])
        if said.path == messages.SESSION_PATH:
            return self.names[_document(said.up, SessionOpen)["enrolment"]]
        if said.path == messages.RECEIPT_PATH:
            return "laptop-lost"
        if (session := said.headers.get("fieldkeep-session")) is not None:
            return self.speaker(next(each for each in self.traffic if self._opened(each) == session))
        return ""

    def _opened(self, said: Said) -> str:
        """The session that this answer opened, hex."""
        if said.path != messages.SESSION_PATH or said.status != 200:
            return ""
        found: bytes = self.reads.answer(said.path, said.down)[0][1]["session"]
        return found.hex()

    def of_device(self, name: str) -> list[Said]:
        """What one device said, in its order."""
        return [said for said in self.traffic if self.speaker(said) == name]

    def papers(self, said: Said) -> list[dict[str, Any]]:
        """The papers of an answer."""
        if said.path != messages.EXCHANGE_PATH or said.status != 200:
            return []
        return [value for tag, value in self.reads.answer(said.path, said.down) if tag == messages.PAPER]


Between = Callable[[Said], None]


class Replay:
    """The recorded session, said again to the server of today; IT does what it did then."""

    def __init__(self, tape: Tape, town: Recorded, patch: pytest.MonkeyPatch) -> None:
        self.tape, self.town = tape, town
        self.devices = {name: OldDevice(tape.reads, town.send) for name in tape.names.values()}
        self._filed: set[bytes] = set()
        self._recovered = False
        ids = iter(tape.names)
        # A device signs with the id that it was given: it is given the same one.
        patch.setattr(enrol, "secrets", SimpleNamespace(token_hex=lambda size: next(ids)))

    def play(self, between: Between = lambda said: None) -> None:
        """All of it, in the order in which it was said."""
        for said in self.tape.traffic:
            speaker = self.tape.speaker(said)
            if speaker:
                self.town.turn_to(said.at)
                self._by_it(said)
                between(said)
                self.devices[speaker].say(said)

    def _by_it(self, said: Said) -> None:
        """Orders and recovered work that this answer brought are there before it is asked for."""
        for paper in self.tape.papers(said):
            if paper["kind"] == "order" and paper["data"] not in self._filed:
                self._filed.add(paper["data"])
                seq = documents.parse(signing.open_envelope(paper["data"], Order.TYPE).payload, Order).seq
                while self.town.office.draft().number < seq:  # numbers are given out by the server
                    pass
                self.town.office.file(paper["data"])
            elif paper["kind"] == "recovered" and not self._recovered:
                self._recovered = True
                views = {each.name: each for each in self.town.office.devices()}
                lost = desk.find(list(views.values()), views["laptop-lost"].enrolment, wiped=True)
                heir = views[self.tape.speaker(said)]
                recovery.recover(self.town.office, self.town.keys, nobody_asks, lost, heir)


def _document(body: bytes, type_: type[Enrolment | SessionOpen]) -> dict[str, Any]:
    payload = signing.open_envelope(body, type_.TYPE).payload
    found: dict[str, Any] = msgspec.json.decode(payload)
    return found


def orders_of(tape: Tape) -> set[str]:
    """Which orders were given."""
    found = set()
    for said in tape.traffic:
        for paper in tape.papers(said):
            if paper["kind"] == "order":
                found.add(
                    tape.reads.document(Order.TYPE, signing.open_envelope(paper["data"], Order.TYPE).payload)[
                        "op"
                    ]
                )
    return found
