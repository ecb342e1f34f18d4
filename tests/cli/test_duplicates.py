"""Two people make one customer offline; everybody is told, one joins them, and all devices follow."""

from __future__ import annotations

from tests.journeys.conftest import town
from tests.road import ANNA, BEN, Town

__all__ = ["town"]


def test_one_customer_made_twice_is_told_to_both_and_made_one(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    one = anna.add("customer", name="Nordlicht GmbH", phones="030 5550123")
    two = ben.add("customer", name="Nordlicht", phones="+49 30 5550123")
    contact = ben.add("contact", name="Otto", customer=two)
    assert anna.json("duplicates") == ben.json("duplicates") == []
    anna.sync()
    ben.sync()
    assert anna.json("sync")["duplicates"] == 1
    for each in (anna, ben):
        (told,) = each.json("duplicates")
        assert (told["why"], {told["first"]["id"], told["second"]["id"]}) == ("phone", {one, two})

    lines = anna.json("duplicates", one, two)
    assert {line["field"]: line["takes"] for line in lines}["phones"] == "both"
    made = anna.json("duplicates", "--join", one, two, "--take", "name=first", "--take", "phones=first")
    assert (made["moved"], made["state"]) == (1, "waiting")
    for each in (anna, ben, anna):
        each.sync()
    for each in (anna, ben):
        assert each.json("duplicates") == []
        assert [row["name"] for row in each.json("list", "customer")] == ["Nordlicht GmbH"]
        assert each.json("show", contact)["customer"] == one
        assert each.json("sync", "--explain", two)["joined_into"] == one
        assert each.json("sync", "--explain", one)["joined"] == [two]


def test_different_is_heard_by_everybody_and_taken_back(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    one = anna.add("customer", name="Hansen AG", phones="040 5550123")
    two = anna.add("customer", name="Hansen", phones="040 5550123")
    anna.sync()
    ben.sync()
    assert len(ben.json("duplicates")) == 1
    anna.json("duplicates", "--different", one, two)
    anna.sync()
    ben.sync()
    assert anna.json("duplicates") == ben.json("duplicates") == []
    ben.json("duplicates", "--alike", two, one)
    ben.sync()
    anna.sync()
    assert len(anna.json("duplicates")) == 1
