"""The story of one record, told on the device that asks."""

from __future__ import annotations

from tests.journeys.conftest import town
from tests.road import ANNA, BEN, Town

__all__ = ["town"]


def test_the_story_of_a_record_from_here_to_the_server_and_back(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    anna.sync()
    id_ = anna.add("customer", name="Told Ltd", stage="lead")
    told = anna.json("sync", "--explain", id_)
    assert [(each["act"], each["state"]) for each in told["deeds"]] == [("add", "waiting")]
    assert (told["here"], told["number"]) == (True, 0)
    assert told["server"]["gone"] == "left"  # it does not have it yet

    for each in (anna, ben):
        each.sync()
    anna.edit(id_, stage="customer")
    ben.edit(id_, stage="former")
    ben.sync()
    told = anna.json("sync", "--explain", id_)
    assert [each["state"] for each in told["deeds"]] == ["taken", "waiting"]
    assert told["deeds"][1]["fields"] == ["stage"]
    assert told["server"]["number"] > told["number"]
    assert told["server"]["changed_by"] == BEN

    anna.sync()
    (met,) = anna.json("sync", "--explain", id_)["open"]
    anna.json("conflicts", "--take", met["id"])
    anna.sync()
    ben.sync()
    told = ben.json("sync", "--explain", id_)
    assert told["open"] == []
    ben.edit(id_, industry="Tea")
    lines = ben.ask("sync", "--explain", id_).out.splitlines()
    settled, edited = (
        next(at for at, line in enumerate(lines) if text in line) for text in ("took the other", "Industry")
    )
    assert settled < edited  # in the order in which it happened
    ben.sync()
    told = ben.json("sync", "--explain", id_)
    assert [(each["field"], each["state"], each["by"]) for each in told["settled"]] == [
        ("stage", "swapped", ANNA)
    ]
    assert told["server"]["number"] == told["number"]
