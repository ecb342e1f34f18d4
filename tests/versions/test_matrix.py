"""Devices of an earlier version and one of today in one organisation: both push, pull and meet in conflicts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from app.keys.secret import SecretBytes
from app.paths import Profile
from app.store import choices, conflicts, lists, records
from app.store.store import Store
from sync.protocol import codec, messages, signing
from sync.protocol.kinds import KINDS
from sync.protocol.ops import Op
from sync.server.db.base import Transaction
from sync.server.db.kept import Held
from tests.server.driver import Device
from tests.simulator.laptop import Card, Laptop, Plain
from tests.versions.conftest import Opened
from tests.versions.here import cells_of
from tests.versions.kept import Said, Unpacked
from tests.versions.story import ANNA
from tests.versions.town import Recorded, Replay, Tape

HARBOUR = "Blue Harbour"


@dataclass
class Near(Plain):
    """The server, without anything between."""

    town: Recorded

    def session(self, body: bytes) -> bytes:
        """The answer to a sign-in."""
        return self.town.service.session(body)

    def exchange(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """The answer to an exchange."""
        return self.town.service.exchange(headers, target, body)

    def dies_at(self, step: str) -> None:
        """It does not."""


@dataclass
class Beside:
    """The laptop of today: it writes into what the others write, and settles what met, with all that is new."""

    town: Recorded
    laptop: Laptop
    wrote: set[str] = field(default_factory=set)
    settled: bytes = b""

    def sync(self) -> None:
        """Exchange until nothing is left."""
        while self.laptop.exchange().more or self.laptop.unsent():
            pass

    def between(self, said: Said) -> None:
        """Before each request of the others."""
        self.sync()
        store = self.laptop.store
        id_ = _harbour(store)
        if id_ is None:
            return
        if "source" not in self.wrote:
            _write_as_a_later_version(self.town, id_)
            self._edit(id_, {"source": "Fair", "territory": "North"})
        elif "stage" not in self.wrote and "stage" in _written(said, id_):
            self._edit(id_, {"stage": "lead"})  # and they meet: this waits until the other one was heard
        elif "stage" in self.wrote and not self.settled:
            for each in conflicts.open_conflicts(store):
                if "lead" in (each.conflict.kept, each.conflict.shown):
                    self.settled = each.conflict.id
                    choices.settle(store, each.conflict.id, choices.SWAPPED)

    def _edit(self, id_: bytes, values: dict[str, Any]) -> None:
        records.edit(self.laptop.store, id_, values)
        self.wrote.update(values)


def test_older_devices_and_one_of_today_hold_the_same_in_the_end(
    kept: Unpacked, tape: Tape, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = opened(kept.begin(tmp_path / "server"))
    town.turn_to(tape.traffic[0].at)
    beside = Beside(town, _laptop(town, tmp_path / "laptop"))
    replay = Replay(tape, town, monkeypatch)
    replay.play(beside.between)
    anna, ben = replay.devices["laptop-anna"], replay.devices["laptop-ben"]
    for _round in range(3):
        beside.sync()
        anna.look()
        ben.look()

    assert [device.problems for device in replay.devices.values()] == [[], [], []]
    store = beside.laptop.store
    assert beside.wrote == {"source", "territory", "stage"}
    assert {id_: cells_of(store, id_) for id_ in anna.now.rows} == anna.now.rows
    (harbour,) = [cells for cells in anna.now.rows.values() if cells.get("name") == HARBOUR]
    assert (harbour["source"], harbour["territory"]) == ("Fair", "North")  # past every edit of the older ones
    assert harbour["industry"] == "Tea"  # and theirs past it
    assert harbour == next(cells for cells in ben.now.rows.values() if cells.get("name") == HARBOUR)
    with town.store.read() as tx:
        (there,) = [
            held.row for id_ in anna.now.rows if (held := _held(tx, id_)).row.cells.get("name") == HARBOUR
        ]
    assert there.cells["colour"] == "of a later version"  # no older device took it away
    # What met is told to all of them, and that it was settled is told in a word that they know.
    assert len(anna.now.conflicts) > len(anna.then.conflicts)
    assert beside.settled in anna.now.conflicts
    assert anna.now.conflicts[beside.settled]["state"] in ("kept", "swapped")
    left = {each.conflict.id for each in conflicts.open_conflicts(store)}
    assert {id_ for id_, each in anna.now.conflicts.items() if each.get("state", "open") == "open"} == left
    beside.laptop.store.close()


def _laptop(town: Recorded, folder: Path) -> Laptop:
    """A laptop of today, enrolled and empty."""
    made = Device(town.send, "laptop-today", now=town.now)
    made.enrol(town.office.enrol_code(ANNA))
    assert made.root is not None
    key = SecretBytes.random(32)
    card = Card(
        ANNA, made.root.org, made.enrolment, bytes(made.device), bytes(made.incarnation),
        lambda document: signing.sign(document, ("", made.sign_key)), bytes(key.view), made.root.recovery,
    )  # fmt: skip
    folder.mkdir()
    Store.create(
        Profile(folder),
        key,
        device=card.device,
        incarnation=card.incarnation,
        recovery=card.recovery,
        person=ANNA,
    ).close()
    return Laptop(folder, card, Near(town), town.now)


def _harbour(store: Store) -> bytes | None:
    """The customer that everybody writes into, once it is here."""
    customers = lists.by_rowids(store, KINDS["customer"], lists.ids(store, KINDS["customer"]))
    return next((each.id for each in customers if each.values["name"] == HARBOUR), None)


def _held(tx: Transaction, id_: bytes) -> Held:
    held = tx.records.held(id_)
    assert held is not None
    return held


def _write_as_a_later_version(town: Recorded, id_: bytes) -> None:
    """A cell that neither they nor the server of today knows."""
    with town.store.write() as tx:
        held = _held(tx, id_)
        cells = {**held.row.cells, "colour": "of a later version"}
        row = replace(held.row, cells=cells, ver=tx.records.next_seq())
        tx.records.put(replace(held, row=row, device=b"", incarnation=b""), held.scope, town.now())


def _written(said: Said, id_: bytes) -> set[str]:
    """The cells of a record that this request writes."""
    if said.path != messages.EXCHANGE_PATH:
        return set()
    ops = [codec.read(raw, Op) for tag, raw in codec.decode(said.up) if tag == messages.OP]
    return {cell for op in ops if op.id == id_ for cell in op.set}
