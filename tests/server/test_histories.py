"""Random histories of several devices with lost requests and answers: in the end everybody holds what the server holds
for them, and no edit was counted twice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sync.protocol.fields import Merge
from sync.protocol.kinds import KINDS
from sync.server import access
from tests.server.driver import Device
from tests.server.inside import Inside

PEOPLE = {
    "ana@example.com": ("rep", "Sales"),
    "bo@example.com": ("rep", "Sales"),
    "cora@example.com": ("rep", "Elsewhere"),
    "dan@example.com": ("manager", "Sales"),
}
STEPS = 120


class History:
    """One run; everything is drawn from the seed."""

    def __init__(self, inside: Inside, seed: int) -> None:
        self.inside = inside
        self.luck = random.Random(seed)
        self.devices = {}
        for email, (role, team) in PEOPLE.items():
            inside.person(email, role, team)
            self.devices[email] = inside.device(email)
        self.counter = 0

    def step(self) -> None:
        """One act of one person, or one exchange."""
        device = self.luck.choice(list(self.devices.values()))
        held = sorted(device.rows)
        waiting = {op.id for op in device.waiting}
        act = self.luck.choice(
            ["add", "edit", "edit", "edit", "give", "delete", "exchange", "exchange", "lost", "move"]
        )
        self.counter += 1
        if act == "add":
            kind = self.luck.choice(["customer", "customer", "product"])
            device.add(kind, name=f"No. {self.counter}")
        elif act in ("edit", "give", "delete") and held:
            id_ = self.luck.choice(held)
            if act == "delete" and id_ not in waiting:
                device.delete(id_)
            elif act == "give" and device.rows[id_].kind == "customer":
                device.edit(id_, owner=self.luck.choice(list(PEOPLE)))
            elif device.rows[id_].kind == "customer":
                field = self.luck.choice(["industry", "stage", "notes", "source"])
                value = self.luck.choice(["lead", "prospect"]) if field == "stage" else f"text {self.counter}"
                device.edit(id_, **{field: value})
        elif act == "exchange":
            device.exchange()
        elif act == "lost":
            device.ask(device.waiting[:1000])  # the server did it, and the answer never came
        elif act == "move" and self.luck.random() < 0.2:
            self.inside.person(
                "bo@example.com", "rep", self.luck.choice(["Sales", "Elsewhere", "Sales/East"])
            )

    def settle(self) -> None:
        """Let everybody exchange until nothing is left."""
        for _round in range(2):
            for device in self.devices.values():
                device.sync()

    def check(self) -> None:
        """Everybody holds what the server holds for them."""
        with self.inside.store.read() as tx:
            entries = list(tx.records.after(0))
            for email, device in self.devices.items():
                person = tx.people.by_email(email)
                assert person is not None
                rights = person.rights
                expected = {}
                for entry in entries:
                    if not entry.deleted and access.sees(rights, entry.kind, entry.scope):
                        held = tx.records.held(entry.id)
                        assert held is not None
                        expected[entry.id] = dict(held.row.cells)
                assert {id_: device.cells(id_) for id_ in device.rows} == expected


@pytest.mark.parametrize("seed", range(12))
def test_everybody_ends_with_what_the_server_holds_for_them(tmp_path: Path, seed: int) -> None:
    inside = Inside(tmp_path)
    history = History(inside, seed)
    for _step in range(STEPS):
        history.step()
    history.settle()
    history.check()
    with inside.store.read() as tx:
        for device in history.devices.values():
            numbering = tx.records.numbering(device.device, device.incarnation)
            assert numbering is not None
            assert numbering.acked_n == device.n
    inside.store.close()


def test_no_accepted_value_is_lost(tmp_path: Path) -> None:
    """Every text that somebody wrote into a field stands in the record, in a conflict, or was written over by
    somebody who had seen it."""
    inside = Inside(tmp_path)
    history = History(inside, 99)
    ana, bo = history.devices["ana@example.com"], history.devices["bo@example.com"]
    id_ = ana.add("customer", name="Northwind")
    for device in (ana, bo):
        device.sync()
    for number in range(30):
        for device in (ana, bo):
            device.edit(id_, industry=f"{number} {device.name}")
        first, second = history.luck.sample([ana, bo], 2)
        first.sync()
        second.sync()
        seen = {str(each.shown) for each in second.conflicts.values()}
        seen |= {str(each.kept) for each in second.conflicts.values()}
        assert {f"{number} {ana.name}", f"{number} {bo.name}"} <= seen
        first.sync()
        assert ana.cells(id_) == bo.cells(id_)
    assert KINDS["customer"].rule("industry") is Merge.LATEST
    inside.store.close()


__all__ = ["Device", "History"]
