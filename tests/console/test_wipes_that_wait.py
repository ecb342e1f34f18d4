"""Wipes that were called off or wait for their time: what the next order does, and what people are told."""

from __future__ import annotations

import json
from pathlib import Path

from sync.protocol.documents import WIPE
from tests.console.away import Person, draft, second_admin
from tests.server.driver import Device
from tests.server.inside import Inside
from tests.server.orders import at_rest, order, signed
from tests.server.running import Org

HOUR_MS = 3_600_000


def test_after_a_wipe_was_called_off_unfetched_the_next_one_is_filed(
    house: Org, inside: Inside, laptops: list[Device]
) -> None:
    house.admin("wipe", "LAP-1", "--reason", "lost")
    house.admin("cancel", "LAP-1")
    assert [each["state"] for each in house.json("orders")] == ["calling off", "filed"]
    again = house.json("wipe", "LAP-1", "--reason", "stolen after all")
    assert (again["number"], again["state"]) == (3, "filed")


def test_one_that_the_device_never_fetched_is_called_off_once_it_has_been_there(inside: Inside) -> None:
    laptop = inside.device(inside.person("ana@example.com"), "LAP-1")
    inside.wipe(laptop)
    (wiped,) = inside.office.orders()
    inside.office.file(signed(inside, order(inside, "cancel", laptop, cancels=wiped.id)))
    (called,) = [each for each in inside.office.orders() if each.op == "cancel"]
    laptop.ask(obeyed={called.id: "done"})
    assert [each.state for each in inside.office.orders()] == ["cancelled", "done"]
    assert inside.view(laptop).state == "active"


def test_a_wipe_that_the_device_has_refused_is_signed_again(house: Org, inside: Inside) -> None:
    """It is handed to the device no more: to say that it stands would be wrong."""
    first = house.json("wipe", "LAP-1", "--reason", "stolen")
    inside.open()
    device = next(each for each in inside.office.devices() if each.name == "LAP-1")
    with inside.store.write() as tx:
        tx.post.report(first["id"], device.enrolment, "refused:order_number", inside.now())
    inside.store.close()
    assert house.json("wipe", "LAP-1", "--reason", "stolen")["number"] == first["number"] + 1


def test_one_that_stands_is_named_with_its_number(house: Org) -> None:
    house.admin("wipe", "LAP-1", "--reason", "stolen")
    told = house.admin("wipe", "LAP-1", "--reason", "stolen").stdout
    assert "ordered to be wiped already: order 1 stands" in told
    assert len(house.json("orders")) == 1


def test_a_wipe_of_two_is_never_one_of_the_other_alone(house: Org) -> None:
    house.admin("wipe", "LAP-1", "--reason", "stolen")
    done = house.admin("wipe", "LAP-1", "LAP-2", "--reason", "stolen", check=False)
    assert done.returncode == 1
    assert "“LAP-1” is ordered to be wiped already; nothing was signed." in done.stderr
    assert "Leave it out" in done.stderr
    assert [each["device"] for each in house.json("orders")] == ["LAP-1"]
    both = house.admin("wipe", "LAP-1", "LAP-2", "--reason", "x", "--draft", "both.paper", check=False)
    assert (both.returncode, "Leave it out" in both.stderr) == (1, True)


def test_people_hear_from_when_on_it_holds_and_how_to_call_it_off(house: Org) -> None:
    house.admin("root", "rule", "--delay", "15")
    told = house.admin("wipe", "LAP-1", "--reason", "stolen").stdout
    at = house.json("orders")[0]["not_before"]
    assert f"It takes effect at {at}, and can be called off until then" in told
    assert f"fieldkeep-admin --data {house.data} --keys {house.keys} cancel LAP-1" in told
    assert "next contact" not in told
    off = house.admin("cancel", "LAP-1").stderr
    assert f"fieldkeep-admin --data {house.data} --keys {house.keys} orders" in off


def test_until_its_time_a_device_is_served_like_any_other_and_then_it_is_closed(inside: Inside) -> None:
    person = inside.person("ana@example.com")
    laptop, other = (inside.device(person, name) for name in ("LAP-1", "LAP-2"))
    laptop.ask()
    later = inside.now() + HOUR_MS
    inside.office.file(signed(inside, order(inside, WIPE, laptop, not_before=later)))
    assert inside.view(laptop).state == "wiping"
    assert inside.view(laptop).wipe_from == later
    other.add("customer", name="Northwind")
    other.sync()
    reply = laptop.ask(lease_left_ms=0)
    assert [each.kind for each in reply.changes] == ["customer"]
    assert "lease" in {each.kind for each in reply.papers}
    inside.skew = HOUR_MS + 1000
    other.session = laptop.session = None
    for each in (other, laptop):
        each.now = inside.now
        each.sign_in()
    other.add("customer", name="Southwind")
    other.sync()
    shut = laptop.ask(lease_left_ms=0)
    assert not shut.changes
    assert "lease" not in {each.kind for each in shut.papers}


def test_a_device_whose_wipe_waits_can_be_locked_meanwhile(inside: Inside) -> None:
    laptop = inside.device(inside.person("ana@example.com"), "LAP-1")
    later = inside.now() + HOUR_MS
    inside.office.file(signed(inside, order(inside, WIPE, laptop, not_before=later)))
    inside.lock(laptop)
    assert [each.op for each in inside.office.orders()] == ["wipe", "lock"]
    assert {each.kind for each in at_rest(laptop).papers} >= {"order"}


def test_a_rule_asks_for_no_more_people_than_there_are(house: Org) -> None:
    second_admin(house)
    done = house.admin("root", "rule", "--many", "5", check=False)
    assert (done.returncode, "5, and there are 2" in done.stderr) == (1, True)
    assert house.admin("root", "rule", "--one", "3", "--many", "3", check=False).returncode == 1
    assert house.json("root", "show")["wipe"]["threshold_many"] == 2
    third = Person(house, house.folder / "third")
    house.admin("root", "admin-add", str(third.make(label="Third")))
    house.admin("root", "rule", "--many", "3")
    gone = house.json("root", "show")["admins"][-1]["id"]
    left = house.admin("root", "admin-drop", gone, check=False)
    assert (left.returncode, "3, and there are 2" in left.stderr) == (1, True)


def test_what_comes_after_signing_stands_there_whole(house: Org) -> None:
    file = draft(house, "one.paper", "LAP-1")
    done = Person(house, house.keys).sign(file, "wipe 1")
    assert "Nobody has signed it yet.\n1 signature is needed." in done.stderr
    assert "begins with" in done.stderr
    assert "fieldkeep-admin --data DIR file one.paper" in done.stdout


def test_shares_that_are_too_few_and_a_file_in_the_way_are_told(house: Org, tmp_path: Path) -> None:
    keeper, to = Person(house, house.keys), tmp_path / "shares"
    made = json.loads(keeper.run(
        "keys", "split", str(house.keys / "root.key"), "--shares", "3", "--need", "2", "--to", str(to), "--json"
    ).stdout)["files"]  # fmt: skip
    few = keeper.run("keys", "join", made[0], "--to", str(tmp_path / "x"), check=False)
    assert "2 are needed, and 1 is here." in few.stderr
    there = keeper.run("keys", "join", *made[:2], "--to", str(house.keys), check=False)
    assert there.returncode == 1
    assert "“root.key” is there already; nothing was written." in there.stderr
    assert "name another folder" in there.stderr


def test_a_conflict_that_is_met_while_a_wipe_waits_is_told(inside: Inside) -> None:
    """What it is not told of comes back as an open card for ever."""
    person = inside.person("ana@example.com")
    laptop, other = (inside.device(person, name) for name in ("LAP-1", "LAP-2"))
    record = laptop.add("customer", name="Northwind")
    laptop.sync()
    other.sync()
    later = inside.now() + HOUR_MS
    inside.office.file(signed(inside, order(inside, WIPE, laptop, not_before=later)))
    other.edit(record, name="Northwind Ltd")
    other.sync()
    laptop.edit(record, name="Northwind GmbH")
    reply = laptop.exchange()
    assert [each.id for each in reply.conflicts]
    assert [result.row is not None for result in reply.results] == [True]
