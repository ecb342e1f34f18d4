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
    for words in (record, f"Industry: {SECRET}", industry["hint"], *industry["next"]):
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


def test_a_record_that_went_and_came_back_is_not_said_to_be_away(town: Town) -> None:
    """What was written went with the record; the server has it, and it can be typed again."""
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    record = anna.add("customer", name="Grey Harbour")
    anna.sync()
    ben.sync()
    ben.edit(record, industry=SECRET)
    town.admin("person", "add", BEN, "--role", "rep", "--team", "Sales/West")
    assert ben.sync()["refused"] == 1
    assert record not in ben.holds()
    told = ben.ask("sync", "--explain", record)
    assert (told.code, "not accepted" in told.out) == (0, True)
    town.admin("person", "add", BEN, "--role", "rep", "--team", "Sales/East")
    ben.sync()
    assert ben.show(record)["industry"] is None

    (change,) = ben.json("conflicts")
    assert (change["title"], change["values"]) == ("Grey Harbour", None)
    listed = ben.ask("conflicts")
    again = ben.ask("conflicts", "--again", change["id"])
    assert again.code == 1
    for said in (listed.out, again.err):
        assert "record is not on this device" not in said
        assert "left this device" not in said
        assert "on the server" in said
        assert said.count("What you wrote") == 1
        assert "fieldkeep-admin" not in said
    assert [each.split()[3] for each in change["next"]] == ["edit", "conflicts"]
    (deed,) = (each for each in ben.json("sync", "--explain", record)["deeds"] if each["state"] == "refused")
    assert (deed["act"], deed["fields"], deed["hint"]) == (None, [], change["hint"])
    assert change["hint"] in ben.ask("sync", "--explain", record).out

    # And so it is done.
    (kept,) = town.admin("refused", ben.id, "--values")
    assert kept["values"] == {"industry": SECRET}
    ben.edit(record, industry=SECRET)
    ben.json("conflicts", "--dismiss", change["id"])
    assert ben.sync()["sent"] == 1
    anna.sync()
    assert anna.show(record)["industry"] == SECRET


def test_a_reason_is_told_in_the_readers_language(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    record = anna.add("customer", name="Green Harbour")
    anna.sync()
    ben.sync()
    ben.edit(record, industry=SECRET)
    town.admin("person", "add", BEN, "--role", "privacy", "--team", "Sales/East")
    assert ben.sync()["refused"] == 1
    (change,) = ben.json("conflicts")
    told = ben.ask("conflicts", env={"LANGUAGE": "zh_CN"})
    assert change["hint"] not in told.out
    assert "联系 IT" in told.out
