"""What `status --json` says in each state a device can be in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from app.paths import Profile
from tests.road import ANNA, DAY_MS, Town, now_ms

FIELDS = {
    "state", "device", "device_id", "enrolment", "person", "role", "team", "organisation", "server", "unsent",
    "unsent_attachments", "last_sync", "policy_version", "lease_until", "customers", "conflicts", "refused", "wipe_at",
    "warning", "policy", "travelling",
    "not_allowed", "alarm", "message",
}  # fmt: skip


def _ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp() * 1000)


def test_active_then_locked_then_wiped(town: Town) -> None:
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="Counted one")
    laptop.add("customer", name="Counted two")
    said = laptop.json("status")
    assert set(said) == FIELDS
    assert {name: said[name] for name in ("state", "device", "device_id", "person", "role", "team")} == {
        "state": "active", "device": laptop.name, "device_id": laptop.id, "person": ANNA, "role": "rep",
        "team": "Sales/East",
    }  # fmt: skip
    assert said["server"] == town.server.url
    assert (said["unsent"], said["customers"], said["conflicts"], said["refused"]) == (2, 2, 0, 0)
    assert (said["policy_version"], said["warning"], said["message"]) == (1, None, None)
    assert abs(_ms(said["last_sync"]) - now_ms()) < 60_000
    assert 20 * DAY_MS < _ms(said["lease_until"]) - now_ms() <= 21 * DAY_MS

    laptop.sync()
    laptop.add("customer", name="Counted three")
    laptop.json("lock")
    said = laptop.json("status")
    assert set(said) == FIELDS
    assert (said["state"], said["unsent"], said["customers"], said["person"]) == ("locked", 1, None, ANNA)
    assert (
        said["message"] == f"Fieldkeep is locked. Unlock it with: fieldkeep --profile {laptop.folder} unlock"
    )
    laptop.json("unlock")

    town.order("lock", laptop)
    assert laptop.ask("sync").code == 3
    said = laptop.json("status")
    assert (said["state"], said["unsent"], said["customers"]) == (
        "locked",
        0,
        None,
    )  # sent with that exchange
    assert said["message"].startswith("This device was locked by Example.")

    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    said = laptop.json("status")
    assert set(said) == FIELDS
    assert {name: value for name, value in said.items() if value is not None} == {
        "state": "wiped",
        "message": "This device was wiped by Example. Reason: stolen",
    }


def test_a_long_silence_warns_before_it_locks(town: Town) -> None:
    laptop = town.laptop(ANNA)
    fifteen = 15 * DAY_MS
    done = laptop.later("status", "--json", wall_ms=fifteen, boot_ms=fifteen)
    assert (done.json["state"], done.json["warning"]) == ("active", "silence")
    assert laptop.json("status")["warning"] is None


def test_for_people_only_what_is_known_is_shown(town: Town) -> None:
    laptop = town.laptop(ANNA)
    said = laptop.ask("status").out.splitlines()
    assert said[0] == "state: active"
    assert f"device: {laptop.name}" in said
    assert not any(line.startswith(("warning", "message")) for line in said)


def _zeros(path: Path) -> None:
    path.write_bytes(bytes(len(path.read_bytes())))


@pytest.mark.parametrize(
    ("harm", "step"),
    [
        (lambda profile: _zeros(profile.header), "enrol in an empty folder."),
        (lambda profile: profile.store.write_bytes(b""), "doctor --repair"),
        (lambda profile: _zeros(profile.store), "doctor --repair"),
    ],
    ids=["header", "empty store", "store"],
)
def test_what_is_damaged_is_not_called_locked(town: Town, harm: Callable[[Profile], None], step: str) -> None:
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="Harmed")
    harm(laptop.profile)
    said = laptop.json("status")
    assert set(said) == FIELDS
    assert (said["state"], said["device"], said["customers"]) == ("damaged", laptop.name, None)
    assert said["message"].endswith(step)
    assert laptop.ask("status").out.startswith("state: damaged\n")
    assert laptop.ask("list", "customer").code == 1
