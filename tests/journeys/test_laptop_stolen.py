"""A laptop is gone: locked and found again, or stolen and wiped; the rep has the unsent work back next day."""

from __future__ import annotations

import shutil

from tests.keyring_of_tests import device_entries
from tests.road import ANNA, BEN, Laptop, Town


def test_locked_and_found_again(town: Town) -> None:
    ben = town.laptop(BEN)
    customer = ben.add("customer", name="Long known Ltd")
    ben.sync()

    # It is gone from the car. IT locks it; whoever opens it learns nothing.
    town.order("lock", ben)
    assert town.device(ben)["pending"] == "lock"
    assert ben.ask("sync").code == 3
    assert town.device(ben)["state"] == "locked"
    for words in (
        ("list", "customer"),
        ("unlock",),
        ("search", "long"),
        ("export", "customer", str(town.folder / "none.csv")),
    ):
        done = ben.ask(*words)
        assert (done.code, done.out) == (3, ""), words
        assert "Long known" not in done.err

    # Found under the seat. IT unlocks it, and everything is as it was.
    town.order("unlock", ben)
    assert ben.ask("sync").code == 0
    assert ben.show(customer)["name"] == "Long known Ltd"


def test_laptop_stolen(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    customer = ben.add("customer", name="Well known Ltd")
    ben.sync()
    anna.sync()

    # Ben writes a visit down and closes the lid; then it is gone, with a copy in a thief's hands.
    town.server.stop()
    visit = ben.add("activity", subject="Signed on the spot", type="visit", customer=customer)
    ben.edit(customer, stage="customer")
    ben.json("lock")
    thief = Laptop(town, ben.folder.with_name("thief"), "thief")
    shutil.copytree(ben.folder, thief.folder)
    device = ben.card().device
    town.server.start()

    # A wipe needs a key that only IT holds.
    refused = town.ask("wipe", ben.id)
    assert refused.code == 2
    done = town.ask("wipe", ben.id, "--reason", "stolen", "--wait", "0.1")
    assert done.code == 1
    assert "No receipt yet" in done.err
    assert town.device(ben)["state"] == "wiping"
    assert ben.ask("sync").code == 4
    seen = town.device(ben)
    assert (seen["state"], seen["receipt"]) == ("wiped", "verified")
    assert town.ask("wipe", ben.id, "--reason", "stolen").code == 1
    assert device_entries(device) == {}
    assert ben.ask("status", "--json").json["message"] == "This device was wiped by Example. Reason: stolen"

    # The copy opens nothing, with or without a network.
    for words in (("list", "customer"), ("unlock",), ("sync",)):
        done = thief.ask(*words)
        assert done.code == 1, words
        assert "Well known" not in done.out + done.err

    # Next morning Ben has a new laptop, and what only the old one knew.
    new = town.laptop(BEN)
    new.sync()
    told = town.admin("recover", ben.id, "--to", new.id)
    assert (told["changes"], told["handed_over"]) == (2, 2)
    assert new.sync()["recovered"] == 2
    assert new.show(visit)["subject"] == "Signed on the spot"
    assert new.show(customer)["stage"] == "customer"
    anna.sync()
    assert anna.show(visit)["customer"] == customer
    assert anna.holds() == new.holds()
