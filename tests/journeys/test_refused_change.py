"""A change that the server does not take stays before its author's eyes, until it is made again or let go."""

from __future__ import annotations

from tests.road import ANNA, BEN, WEST, Town

SECRET = "Quincunx"


def test_a_refused_change_is_shown_and_taken_up_again(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    record = anna.add("customer", name="Blue Harbour", industry="Tea")
    anna.sync()
    ben.sync()
    ben.edit(record, industry=SECRET)
    ben.edit(record, employees=12)
    town.admin("person", "add", BEN, "--role", "privacy", "--team", "Sales/East")
    assert ben.sync()["refused"] == 2
    assert ben.sync()["refused"] == 0
    assert (ben.json("status")["refused"], ben.json("status")["unsent"]) == (2, 0)

    # The author sees what was refused, and what can be done about it.
    industry, employees = ben.json("conflicts")
    assert (industry["kind"], industry["record"], industry["code"]) == ("customer", record, "forbidden")
    assert (industry["fields"], industry["values"]) == (["industry"], {"industry": SECRET})
    assert industry["hint"]
    assert industry["next"] == [
        f"fieldkeep --profile {ben.folder} conflicts --dismiss {industry['id']}"
    ]  # nothing else can help now
    told = ben.ask("conflicts").out
    for words in (record, f"Industry: {SECRET}", "forbidden", industry["hint"], *industry["next"]):
        assert words in told

    # IT sees that there is something, of whom and why, and not what it says; the recovery key opens that.
    kept = town.admin("refused", ben.id)
    assert [(each["kind"], each["record"], each["person"], each["rule"]) for each in kept] == [
        ("customer", record, BEN, "forbidden")
    ] * 2
    assert kept[0]["device"] == ben.name
    assert kept[0]["at"].endswith("Z")
    assert town.admin("refused", anna.id) == []
    assert SECRET not in town.ask("refused").out + town.ask("refused", "--json").out
    assert [each["values"] for each in town.admin("refused", "--values")] == [
        {"industry": SECRET},
        {"employees": 12},
    ]
    assert f"Industry: {SECRET}" in town.ask("refused", ben.id, "--values").out
    away = (town.keys / "recovery.key").rename(town.folder / "in-the-safe.key")
    refused = town.ask("refused", "--values")
    assert (refused.code, SECRET in refused.out + refused.err) == (1, False)
    away.rename(town.keys / "recovery.key")

    # Nothing goes again by itself, even where it would be taken now.
    town.admin("person", "add", BEN, "--role", "rep", "--team", "Sales/East")
    assert ben.sync()["sent"] == 0
    assert anna.sync()["received"] == 0
    steps = [step.split()[3] for step in ben.json("conflicts")[0]["next"]]
    assert steps == ["conflicts", "edit", "conflicts"]
    assert ben.json("conflicts", "--again", industry["id"])["state"] == "waiting"
    assert ben.json("conflicts", "--dismiss", employees["id"])["state"] == "dismissed"
    assert ben.json("conflicts") == []
    assert ben.sync()["sent"] == 1
    anna.sync()
    assert (anna.show(record)["industry"], anna.show(record)["employees"]) == (SECRET, None)

    for words in (("--again", industry["id"]), ("--dismiss", "nothing-1")):
        gone = ben.ask("conflicts", *words)
        assert (gone.code, "no such" in gone.err) == (1, True)
    assert ben.ask("conflicts", "--again", "x", "--dismiss", "x").code == 2


def test_a_refused_change_of_a_record_that_left_is_kept_on_the_server_alone(town: Town) -> None:
    west = town.laptop(WEST)
    record = west.add("customer", name="Red Harbour")
    west.sync()
    town.laptop(ANNA).sync()
    west.edit(record, notes=SECRET)
    # Its team goes to others, and with it what the laptop may hold.
    giver = town.laptop(WEST)
    giver.sync()
    giver.edit(record, owner=ANNA)
    giver.sync()
    assert west.sync()["refused"] == 1
    (change,) = west.json("conflicts")
    assert (change["values"], change["fields"], len(change["next"])) == (None, [], 1)
    assert "kept on the server" in west.ask("conflicts").out
    assert SECRET not in west.ask("conflicts").out
    assert west.ask("conflicts", "--again", change["id"]).code == 1
    (kept,) = town.admin("refused", west.id, "--values")
    assert kept["values"] == {"notes": SECRET}
    west.json("conflicts", "--dismiss", change["id"])
    assert west.json("conflicts") == []
    assert len(town.admin("refused", west.id)) == 1
