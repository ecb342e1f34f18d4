"""What stays at home while a laptop travels: gone from it with every trace, sent before that, and back afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.services.opening import open_session
from tests.road import ANNA, Laptop, Town
from tests.services.test_rotation import _backed_up
from tests.store import pages

TAX = "XQ90817263ZV"
WORDS = ("pangolinquark", "zyzzyvastreet", TAX)


@pytest.fixture
def customer(laptop: Laptop) -> str:
    """A customer with fields of every class of care, sent to the server."""
    text = "zyzzyvastreet, third door"
    made = laptop.add("customer", name="Pangolinquark Ltd", industry="Tea", tax_number=TAX, notes=text)
    laptop.sync()
    return made


def traces(laptop: Laptop, *words: str) -> list[str]:
    """The words that stand on any page of its file, free ones too, or in its log, once decrypted."""
    with open_session(laptop.profile) as session, session.pin.key() as key:
        value = bytes(key.view)
    return pages.holding(laptop.profile.store, value, *words)


def test_what_stays_at_home_leaves_with_every_trace_and_comes_back(
    laptop: Laptop, customer: str, tmp_path: Path
) -> None:
    assert traces(laptop, *WORDS) == list(WORDS)
    file = tmp_path / "contract.txt"
    file.write_text("zyzzyvastreet")
    laptop.json("attach", customer, str(file))
    laptop.sync()
    assert list(laptop.profile.blobs.rglob("*"))
    gone = laptop.json("travel", "on")
    assert gone == {
        "travelling": True, "by_policy": False, "stays_home": "confidential", "gone": True, "waiting": 0,
    }  # fmt: skip
    assert traces(laptop, *WORDS) == []
    assert not [each for each in laptop.profile.blobs.rglob("*") if each.is_file()]
    away = laptop.show(customer)
    assert away["industry"] == "Tea"
    assert {"name", "tax_number", "notes"} <= set(away["hidden"])
    assert laptop.json("search", "pangolinquark") == []
    laptop.edit(customer, industry="Coffee")
    assert laptop.ask("edit", customer, "tax_number=DE1").code == 1
    laptop.sync()
    assert laptop.json("travel", "off")["travelling"] is False
    after = laptop.show(customer)
    assert (after["name"], after["tax_number"], after["industry"]) == ("Pangolinquark Ltd", TAX, "Coffee")
    assert customer in {each["id"] for each in laptop.json("search", "pangolinquark")}


def test_unsent_work_goes_first_and_without_the_server_nothing_goes(
    town: Town, laptop: Laptop, customer: str
) -> None:
    town.server.stop()
    laptop.edit(customer, tax_number="QQ5555555")
    refused = laptop.ask("travel", "on")
    assert refused.code == 5
    assert "The journey has not begun" in refused.err
    assert laptop.json("travel")["travelling"] is False
    assert laptop.show(customer)["tax_number"] == "QQ5555555"
    town.server.start()
    assert laptop.json("travel", "on")["gone"] is True
    assert traces(laptop, "QQ5555555", *WORDS) == []
    home = town.laptop(ANNA)
    home.sync()
    assert "QQ5555555" in {each["tax_number"] for each in map(home.show, _customers(home))}


def test_who_travels_is_told_so_and_what_to_do(town: Town, laptop: Laptop, customer: str) -> None:
    assert "travel:" not in laptop.ask("status").out
    began = laptop.ask("travel", "on").out
    assert "On the journey you cannot add any of these here: customers" in began
    assert "fieldkeep" in began
    assert "travel off" in began
    status = laptop.ask("status").out
    assert "travel: This device travels" in status
    assert "travel off" in status
    assert laptop.json("status")["travelling"] is True
    for words in (("edit", customer, "tax_number=DE1"), ("add", "task", "subject=Call")):
        refused = laptop.ask(*words)
        assert refused.code == 1
        assert "stays at home while this device travels" in refused.err
        assert "travel off" in refused.err
        assert "Ask IT" not in refused.err
    town.server.stop()
    assert "journey ends once the server is reached" in laptop.ask("travel", "off").err
    town.server.start()


def _customers(laptop: Laptop) -> list[str]:
    return [each["id"] for each in laptop.json("list", "customer")]


def test_what_no_backup_holds_leaves_with_the_next_one(
    town: Town, laptop: Laptop, customer: str, tmp_path: Path
) -> None:
    _backed_up(town, tmp_path)
    laptop.edit(customer, tax_number="QQ7777777")
    stands = laptop.json("travel", "on")
    assert (stands["gone"], stands["waiting"]) == (False, 1)
    assert "once the server has made its next backup. Ask IT" in laptop.ask("travel").out
    (tmp_path / "backup").unlink()
    _backed_up(town, tmp_path)
    laptop.sync()
    assert laptop.json("travel")["gone"] is True
    assert traces(laptop, "QQ7777777", *WORDS) == []


def test_policy_may_have_every_device_travel(
    town: Town, laptop: Laptop, customer: str, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[travel]\nstays_home = "restricted"\nalways = true\n')
    town.admin("policy", "publish", str(policy))
    _backed_up(town, tmp_path)
    laptop.sync()
    stands = laptop.json("travel")
    assert (stands["by_policy"], stands["stays_home"], stands["gone"]) == (True, "restricted", True)
    assert traces(laptop, TAX) == []
    assert laptop.show(customer)["name"] == "Pangolinquark Ltd"
    assert laptop.ask("travel", "off").code == 1
