"""A rep writes down a visit where there is no network; it reaches the team by itself."""

from __future__ import annotations

from tests.road import ANNA, BEN, Town


def test_visit_logged_in_a_lift(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    customer = anna.add(
        "customer", name="Lift & Shaft Ltd", phones=[{"label": "work", "value": "+49 30 5550101"}]
    )
    anna.sync()
    ben.sync()

    # The doors close: no network, and Anna writes.
    town.server.stop()
    visit = anna.add(
        "activity", subject="Visit on floor 9", type="visit", customer=customer, about="They want two."
    )
    task = anna.add("task", subject="Send the offer", due="2030-05-01", customer=customer)
    anna.edit(customer, stage="prospect")
    assert anna.ask("sync").code == 5
    said = anna.json("status")
    assert (said["state"], said["unsent"]) == ("active", 3)
    assert [each["id"] for each in anna.json("search", "floor 9")] == [visit]
    assert anna.show(visit)["waiting"] is True

    # The battery dies in her hand; what she wrote is there when it is back.
    reading = anna.start("list", "customer")
    reading.kill()
    reading.wait()
    assert anna.show(task)["subject"] == "Send the offer"

    # The doors open.
    town.server.start()
    assert anna.sync()["sent"] == 3
    assert anna.show(visit)["waiting"] is False
    ben.sync()
    assert ben.show(visit)["about"] == "They want two."
    assert ben.show(task)["customer"] == customer
    assert ben.show(customer)["stage"] == "prospect"
    assert ben.holds("activity") == anna.holds("activity")
