"""A wipe that is killed at every step, and at every pair of steps, ends wiped, receipted once, with its work safe.

Real SQLCipher, the real keyring, a real server. The laptop's process dies by SIGKILL; the next one carries on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.errors import Wiped
from app.keys import vault
from app.keys.ring import SystemKeyring
from app.services.card import Card
from app.services.opening import open_session
from app.store.seal import read
from sync.protocol.messages import Paper
from sync.server import config
from tests.keyring_of_tests import device_entries
from tests.road import ANNA, BEN, Laptop, Town

STEPS = ("W1", "W2", "W3", "W4", "W5", "W6", "W7a", "W7b", "W7b", "W7b", "W7b", "W7b", "W7b", "W7b", "W7")
_SLOW = (pytest.mark.slow,)  # some of the seven removals at the end, which are alike
LEFT = ["profile.lock", "tombstone.json"]  # the lock is an empty file


@dataclass
class Doomed:
    """A laptop with unsent work whose wipe is ordered and not yet fetched."""

    town: Town
    laptop: Laptop
    card: Card
    unsent: int

    def die(self, at: int) -> bool:
        """One process on the laptop, killed after this many steps of the wipe; False when it got further."""
        answer = self.laptop.act("wipe", at=at)
        if answer.code == -9:
            self._hold_what_was_promised()
            return True
        assert answer.code == 4, answer.err
        return False

    def end(self) -> None:
        """Start it as often as needed, then look at what must be so."""
        for _start in range(3):
            if self.laptop.files() == LEFT:
                break
            assert self.laptop.ask("sync").code == 4
        assert self.laptop.files() == LEFT
        assert device_entries(self.card.device) == {}
        seen = self.town.device(self.laptop)
        assert (seen["state"], seen["receipt"]) == ("wiped", "verified")
        assert seen["outbox_records"] == self.unsent
        orders = [each for each in self.town.admin("orders") if each["enrolment"] == self.card.enrolment]
        assert [each["state"] for each in orders if each["op"] == "wipe"] == ["done"]
        assert [self.laptop.ask(*words).code for words in (("list", "customer"), ("sync",), ("unlock",))] == [
            4
        ] * 3

    def _hold_what_was_promised(self) -> None:
        """Before the intent nothing is harmed; from it on nothing opens, and no key outlives the header."""
        profile = self.laptop.profile
        keys = {name.partition(".")[0] for name in device_entries(self.card.device)}
        if not profile.wipe_intent.exists() and not profile.tombstone.exists():
            assert {"ring", "share", "dev", "enc"} <= keys
            assert profile.header.exists()
            return
        if profile.wipe_intent.exists():
            with pytest.raises(Wiped):
                vault.open_key(profile, SystemKeyring(self.card.org, self.card.device))
        if not profile.header.exists():
            assert not keys & {"ring", "share", "enc"}
        if not profile.tombstone.exists():
            assert profile.sealed_outbox.exists()


def doomed(town: Town, person: str = ANNA, unsent: int = 3) -> Doomed:
    """A laptop of this person under a wipe order; locked, so that the exchange which brings it sends no work."""
    laptop = town.laptop(person)
    laptop.add("customer", name="Sent long ago")
    laptop.sync()
    write(laptop, unsent)
    laptop.json("lock")
    town.order("wipe", laptop)
    return Doomed(town, laptop, laptop.card(), sealed_records(laptop))


def write(laptop: Laptop, count: int) -> None:
    """So many pieces of work that only this laptop has."""
    if count:
        laptop.json(
            "add", "task", "-", stdin=[{"subject": f"{laptop.name} unsent {n}"} for n in range(count)]
        )


def sealed_records(laptop: Laptop) -> int:
    """How many records the sealed outbox holds: what no backup of the server is known to hold."""
    return sum(1 for _record in read(laptop.profile.sealed_outbox))


def recover(town: Town, lost: Doomed, heir: Laptop) -> list[str]:
    """Give the unsent work of a wiped laptop to another one; the subjects it holds of it then."""
    town.admin("recover", lost.laptop.id, "--to", heir.id)
    heir.sync()
    subjects = [each["subject"] for each in heir.json("list", "task")]
    return sorted(text for text in subjects if text.startswith(f"{lost.laptop.name} unsent"))


def wanted(lost: Doomed, count: int = 3) -> list[str]:
    """The subjects of its unsent work."""
    return sorted(f"{lost.laptop.name} unsent {n}" for n in range(count))


def test_the_steps_are_these(town: Town) -> None:
    lost = doomed(town)
    answer = lost.laptop.act("wipe", at=None)
    assert tuple(json.loads(answer.out)) == STEPS
    lost.end()


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(n, marks=_SLOW if n in (7, 9, 10, 11, 12, 13) else (), id=f"{n}-{name}")
        for n, name in enumerate(STEPS)
    ],
)
def test_killed_after_each_step(town: Town, at: int) -> None:
    lost = doomed(town)
    assert lost.die(at)
    lost.end()
    if at in (0, 4, 5):
        assert recover(town, lost, town.laptop(ANNA)) == wanted(lost)


@pytest.mark.parametrize("at", [3, 5, 6])
def test_a_file_that_had_not_gone_up_comes_through(town: Town, tmp_path: Path, at: int) -> None:
    """Killed after W4, after a piece of the file, and after W6: the record and the bytes come back."""
    lost = doomed(town)
    source = tmp_path / "contract.pdf"
    source.write_bytes(bytes(range(256)) * 2_000)
    lost.laptop.json("unlock")
    (customer,) = [each["id"] for each in lost.laptop.json("list", "customer", "--limit", "1")]
    attachment = lost.laptop.json("attach", customer, str(source))["id"]
    lost.laptop.json("lock")
    lost.unsent = sealed_records(lost.laptop)
    assert lost.die(at)
    lost.end()
    heir = town.laptop(ANNA)
    heir.sync()
    town.admin("recover", lost.laptop.id, "--to", heir.id)
    heir.sync()
    heir.json("save-attachment", attachment, str(tmp_path / "back.pdf"))
    assert (tmp_path / "back.pdf").read_bytes() == source.read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(len(STEPS)), ids=[f"{n}-{name}" for n, name in enumerate(STEPS)])
def test_killed_at_each_pair_of_steps(town: Town, first: int) -> None:
    """The second process dies too, after each of the steps that are left to it."""
    heir = town.laptop(ANNA)
    for second in range(len(STEPS)):
        lost = doomed(town)
        assert lost.die(first)
        went_on = lost.die(second)
        lost.end()
        assert recover(town, lost, heir) == wanted(lost)
        if not went_on:
            break


def test_work_of_every_size_comes_back(town: Town) -> None:
    heir = town.laptop(BEN)
    for count in (0, 20):
        lost = doomed(town, BEN, unsent=count)
        assert lost.laptop.ask("sync").code == 4
        lost.end()
        assert recover(town, lost, heir) == wanted(lost, count)
        assert recover(town, lost, heir) == wanted(lost, count)  # a second time brings nothing twice


@pytest.mark.slow
def test_two_thousand_unsent_changes_come_back(town: Town) -> None:
    heir, lost = town.laptop(BEN), doomed(town, BEN, unsent=2_000)
    town.server.stop()
    assert lost.laptop.ask("sync").code == 5  # a week in the mountains
    town.server.start()
    assert lost.laptop.act("wipe", at=1).code == -9
    assert lost.laptop.ask("sync").code == 4
    assert lost.laptop.files() == LEFT
    town.admin("recover", lost.laptop.id, "--to", heir.id)
    assert heir.sync()["recovered"] == 2_000
    subjects = {task["subject"] for task in heir.json("list", "task")}
    assert set(wanted(lost, 2_000)) <= subjects
    assert town.admin("recover", lost.laptop.id, "--to", heir.id)["handed_over"] == 0


@pytest.mark.parametrize("locked", [(), ("order",), ("person", "order")], ids=["open", "by order", "by both"])
def test_open_or_locked_a_laptop_is_wiped(town: Town, locked: tuple[str, ...]) -> None:
    laptop = town.laptop(ANNA)
    write(laptop, 3)
    if "person" in locked:
        laptop.json("lock")
    if "order" in locked:
        town.order("lock", laptop)
        assert laptop.ask("sync").code == 3
    town.order("wipe", laptop)
    lost = Doomed(town, laptop, laptop.card(), 0 if "person" not in locked else 1)
    assert laptop.ask("sync").code == 4
    lost.end()


def test_the_receipt_is_lost_after_the_server_has_it(town: Town) -> None:
    lost = doomed(town)
    town.server.stop()
    town.server.start(step="receipt committed")
    assert lost.laptop.ask("sync").code == 4
    town.server.wait_dead()
    assert "wipe.receipt" in lost.laptop.files()  # no word from the server: nothing is thrown away
    assert lost.laptop.ask("sync").code == 4
    assert "wipe.receipt" in lost.laptop.files()
    town.server.start()
    lost.end()
    assert recover(town, lost, town.laptop(ANNA)) == wanted(lost)


@pytest.mark.expected_warnings("paper order refused by rule device")
def test_the_old_order_does_nothing_to_a_new_enrolment(town: Town) -> None:
    """The same folder again: the order, shown again by a hostile server, names another enrolment."""
    laptop = town.laptop(ANNA)
    town.order("wipe", laptop)
    before = laptop.card()
    assert laptop.act("wipe", at=0).code == -9
    intent = json.loads(laptop.profile.wipe_intent.read_text())
    assert laptop.ask("enrol", "--name", "too soon", stdin=town.code(ANNA)).code == 1
    assert laptop.ask("sync").code == 4
    laptop.enrol(ANNA)
    assert laptop.card().enrolment != before.enrolment
    assert not laptop.profile.tombstone.exists()
    record = laptop.add("customer", name="A new life")
    envelope = _filed_envelope(town, intent["order_id"])
    with open_session(laptop.profile) as session:
        session.papers.take_papers([Paper(kind="order", data=envelope)], "")
        assert session.papers.pending() == []
        assert session.obey() is False
    assert record in laptop.holds()


def _filed_envelope(town: Town, order_id: str) -> bytes:
    """An order as the server filed it, read from its store while it rests."""
    town.server.stop()
    folders, _settings = config.load(town.data)
    store = config.open_store(folders)
    try:
        with store.read() as tx:
            orders = [o for d in tx.people.devices() for o in tx.post.orders_for(d.enrolment)]
            return next(order.envelope for order in orders if order.order_id == order_id)
    finally:
        store.close()
        town.server.start()


def test_a_second_wipe_in_the_same_folder_is_a_whole_one(town: Town) -> None:
    """A stone that a crash left beside the new card must not make the next wipe think it is over."""
    laptop = town.laptop(ANNA)
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    stone = laptop.profile.tombstone.read_bytes()
    laptop.enrol(ANNA)
    laptop.profile.tombstone.write_bytes(stone)
    write(laptop, 1)
    assert laptop.state() == "active"
    laptop.json("lock")
    lost = Doomed(town, laptop, laptop.card(), 1)
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    lost.end()
