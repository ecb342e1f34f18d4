"""What IT hears of orders that change nothing, and of work to be handed over."""

from __future__ import annotations

from tests.road import ANNA, Town


def test_no_second_order_for_what_stands_already(town: Town) -> None:
    laptop = town.laptop(ANNA)
    town.order("lock", laptop)
    for obeyed in (False, True):
        if obeyed:
            assert laptop.ask("sync").code == 3
        again = town.ask("lock", laptop.id)
        words = (
            "is locked already."
            if obeyed
            else "is ordered to be locked already; it obeys at its next contact."
        )
        assert (again.code, again.out.strip()) == (0, f"“{laptop.name}” {words}")
    assert f"fieldkeep --profile {laptop.folder} sync" in laptop.ask("unlock").err
    assert [order["op"] for order in town.admin("orders")] == ["lock"]
    assert laptop.id in town.ask("orders").out
    town.order("unlock", laptop)
    assert laptop.ask("sync").code == 0


def test_recovering_says_what_went_now_and_asks_which_device(town: Town) -> None:
    first, heir = town.laptop(ANNA, "twin"), town.laptop(ANNA, "heir")
    first.add("customer", name="Not sent")
    first.json("lock")  # so that the exchange brings the order and sends nothing
    first.folder.rename(first.folder.with_name("first-twin"))
    first.folder = first.folder.with_name("first-twin")
    town.order("wipe", first)
    assert first.ask("sync").code == 4
    for words in ("1 handed over now, 0 before.", "0 handed over now, 1 before."):
        assert town.ask("recover", "twin", "--to", heir.id).out.strip().endswith(words)
    second = town.laptop(ANNA, "twin")
    town.order("wipe", second)
    assert second.ask("sync").code == 4
    refused = town.ask("recover", "twin", "--to", heir.id)
    assert refused.code == 1
    assert first.id in refused.err
    assert second.id in refused.err
    nothing = town.ask("recover", second.id, "--to", heir.id)
    assert nothing.out == "The server has all the work of “twin”; nothing is left to hand over.\n"
