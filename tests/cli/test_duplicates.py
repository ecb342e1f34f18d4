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


def test_pairs_that_refer_to_a_record_are_told_in_words(town: Town) -> None:
    """What a reference is called is read while the store is open."""
    anna = town.laptop(ANNA)
    customer = anna.add("customer", name="Nordlicht GmbH")
    made = [
        anna.add("contact", name="Otto Weber", emails="otto@example.org", customer=customer)
        for _twice in range(2)
    ]
    told = anna.ask("duplicates")
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[0] == "Nearly one name, and the same e-mail address"
    assert all(id_ in told.out for id_ in made)
    assert told.out.count("Nordlicht GmbH") == 2
    assert f"--join {made[0]} {made[1]}" in told.out


def test_a_join_and_its_way_back_say_what_comes_back_and_what_stays(town: Town) -> None:
    anna = town.laptop(ANNA)
    one, two, plain = (anna.add("customer", name=name) for name in ("Hansen AG", "Hansen", "Plain"))
    contact = anna.add("contact", name="Otto", customer=two)
    said = anna.ask("duplicates", "--join", one, two, "--take", "name=first").out
    assert said.startswith(
        "Joined as “Hansen AG”, and waits to be sent. 1 record that referred to the second refers to the first.\n"
    )
    assert "comes back as it was" in said
    assert "stays with the first" in said
    back = anna.ask("undelete", two).out
    assert "comes back as it was" in back
    assert f"stays with “Hansen AG” {one}" in back.replace("\n", " ")
    assert anna.show(contact)["customer"] == one  # as it was said

    anna.json("delete", plain)
    assert "stays with" not in anna.ask("undelete", plain).out

    said = anna.ask("duplicates", "--join", one, two).out
    assert "Joined as “" in said
    assert "0 records" not in said
    assert (
        "can be brought back"
        not in anna.ask("duplicates", "--join", one, plain, env={"LANGUAGE": "zh_TW"}).out
    )
