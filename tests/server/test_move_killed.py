"""A move to another store killed at each of its steps: one whole store is served, and the same command ends it."""

from __future__ import annotations

import json
import signal

import pytest

from sync.compose.migrating import FILE
from sync.protocol.errors import KnownError
from sync.server import config
from tests import forks
from tests.cluster import Cluster
from tests.forks import Answer
from tests.served import Server
from tests.server.driver import Device, Dial
from tests.server.running import Org

ALWAYS = ("opened", "noted", "made", "copied", "closed", "named", "given up", "settled")
TO_DATABASE = (*ALWAYS, "aside")
TO_FILE = (*ALWAYS, "placed")


class Moving:
    """An organisation that moves, and two devices that must notice nothing of it."""

    def __init__(self, org: Org, dial: Dial, cluster: Cluster, database: str) -> None:
        self.org, self._dial = org, dial
        self.url = cluster.url(database)
        self.server = Server(org.data, org.secrets, org.folder / "server.log")
        self.server.start()
        self.devices = []
        for name in ("ana", "bo"):
            org.admin("person", "add", f"{name}@example.com", "--role", "rep", "--team", "Sales")
            device = Device(dial(self.server.url, None), name)
            device.enrol(org.code(f"{name}@example.com"))
            self.devices.append(device)
        self.disputed = self.devices[0].add("customer", name="Moved")
        self.edits = 0
        self.exchange()
        self.epoch = self.devices[0].cursor.epoch
        assert self.server.stop() == 0

    def move(self, to: str, step: str = "") -> Answer:
        """`fieldkeep-server migrate`, which dies at a step."""
        folders = ["--data", str(self.org.data), "--secrets", str(self.org.secrets)]
        words = ["migrate", *folders, "--to", self.url if to else FILE, "--json"]
        return forks.run("tests.acts:back", [json.dumps({"words": words, "step": step})])

    def steps(self, to: str) -> list[str]:
        """All steps of a move, in their order."""
        done = self.move(to)
        assert done.code == 0, done.err
        return list(json.loads(done.out.splitlines()[-1]))

    def exchange(self) -> None:
        """Each device writes something, and both hold it."""
        for device in self.devices:
            device.send, device.session = self._dial(self.server.url, None), None
            device.sync()
            self.edits += 1
            device.edit(self.disputed, industry=f"Edit {self.edits}")
            device.add("customer", name=f"Added {self.edits}")
            device.sync()
        for device in self.devices:
            device.sync()
            assert device.cells(self.disputed)["industry"] == f"Edit {self.edits}"
            names = sorted(device.cells(id_)["name"] for id_ in device.rows)
            assert names == sorted(["Moved", *(f"Added {number}" for number in range(1, self.edits + 1))])
            assert not device.conflicts

    def serve(self) -> None:
        """Start the server on whatever is in force, and exchange."""
        self.server.start()
        self.exchange()
        assert self.server.stop() == 0
        assert {device.cursor.epoch for device in self.devices} == {self.epoch}

    def opening(self) -> set[str]:
        """The stores that can be served from: "" for the file."""
        folders, _settings = config.load(self.org.data, self.org.secrets)
        found = set()
        for store in ("", self.url):
            try:
                opened = config.store_at(folders, store)
            except KnownError:
                continue
            try:
                with opened.read():
                    found.add(store)
            except KnownError:  # it was given up
                pass
            finally:
                opened.close()
        return found


@pytest.fixture
def moving(org: Org, dial: Dial, cluster: Cluster, database: str) -> Moving:
    """An organisation that moves."""
    return Moving(org, dial, cluster, database)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "to_database", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["to a database", "to a file"]
)
def test_a_move_killed_at_any_step_ends_whole(moving: Moving, *, to_database: bool) -> None:
    to, back = (moving.url, "") if to_database else ("", moving.url)
    if not to_database:
        assert moving.move(back).code == 0
    seen = moving.steps(to)
    filled = [step for step in seen if step.endswith(" filled")]
    assert set(seen) - set(filled) == set(TO_DATABASE if to_database else TO_FILE)
    for step in [*(each for each in seen if each not in filled), filled[0], filled[-1]]:
        done = moving.move(back)
        assert done.code == 0, done.err
        assert moving.opening() == {back}
        assert moving.move(to, step).code == -signal.SIGKILL, step
        moving.serve()
        done = moving.move(to)
        # Where nothing was left to do, it says so.
        assert done.code == (1 if step == "settled" else 0), (step, done.err)
        assert moving.opening() == {to}, step
        moving.serve()
