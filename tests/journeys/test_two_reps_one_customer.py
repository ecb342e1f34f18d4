"""Two reps edit one customer while both are offline: what does not meet stays, and of what meets both values stay."""

from __future__ import annotations

from tests.road import ANNA, BEN, Laptop, Town

KINDS = ("customer", "contact", "deal", "task")


def _agree(*laptops: Laptop) -> None:
    for laptop in (*laptops, *laptops):
        laptop.sync()
    for kind in KINDS:
        assert laptops[0].holds(kind) == laptops[1].holds(kind)


def test_two_reps_one_customer(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    customer = anna.add(
        "customer", name="Meeting Point Ltd", industry="Tea", stage="lead", notes="Found at the fair.",
        tags=["fair"], phones=[{"label": "work", "value": "+49 30 5550110"}],
    )  # fmt: skip
    other = anna.add("customer", name="Nobody Else's Ltd")
    doomed = anna.add("customer", name="Deleted and edited Ltd")
    deal = anna.add(
        "deal", name="Ten crates", customer=customer, amount={"minor": 100_000, "currency": "EUR"}
    )
    _agree(anna, ben)

    # Both are on the road.
    anna.edit(
        customer,
        industry="Coffee",
        territory="North",
        notes="Found at the fair.\nAnna rang.",
        tags=["fair", "a"],
    )
    ben.edit(
        customer, industry="Cocoa", employees=40, notes="Found at the fair.\nBen rang.", tags=["fair", "b"]
    )
    anna.json("edit", customer, "phone.mobile=+49 171 5550111")
    ben.json("edit", customer, "phone.home=+49 171 5550112")
    anna.edit(deal, amount={"minor": 120_000, "currency": "EUR"})
    ben.edit(deal, amount={"minor": 90_000, "currency": "EUR"})
    anna.edit(other, do_not_contact=True)
    ben.edit(other, industry="Salt")
    anna.json("delete", doomed)
    ben.edit(doomed, industry="Still alive")
    _agree(anna, ben)

    # What did not meet is there from both.
    seen = anna.show(customer)
    assert (seen["territory"], seen["employees"]) == ("North", 40)
    assert sorted(seen["tags"]) == ["a", "b", "fair"]
    assert {each["label"] for each in seen["phones"]} == {"work", "mobile", "home"}
    assert "Anna rang." in seen["notes"]
    assert "Ben rang." in seen["notes"]
    both = anna.show(other)
    assert (both["do_not_contact"], both["industry"]) == (True, "Salt")

    # Of what met, one value is shown and the other is kept, on both laptops alike.
    for laptop in (anna, ben):
        met = {(each["record"], each["field"]): each for each in laptop.json("conflicts")}
        industry = met[customer, "industry"]
        assert {industry["shown"], industry["kept"]} == {"Coffee", "Cocoa"}
        assert seen["industry"] == industry["shown"]
        amount = met[deal, "amount"]
        assert {amount["shown"]["minor"], amount["kept"]["minor"]} == {120_000, 90_000}
        assert any(record == doomed for record, _field in met)
        assert not any(field in ("notes", "tags", "territory") for _record, field in met)
    assert [each["id"] for each in anna.json("conflicts")] == [each["id"] for each in ben.json("conflicts")]

    _settle(anna, ben, customer, deal, doomed)


def _settle(anna: Laptop, ben: Laptop, customer: str, deal: str, doomed: str) -> None:
    """They settle what met, each some of it, and both hold the same again."""
    wanted = next(each for each in anna.json("conflicts") if each["record"] == customer)
    anna.json("conflicts", "--take", wanted["next"][1].rpartition(" ")[2])
    held = next(each for each in ben.json("conflicts") if each["field"] == "amount")
    ben.json("conflicts", "--keep", held["id"])
    back = next(each for each in ben.json("conflicts") if each["record"] == doomed)
    ben.json("conflicts", "--take", back["id"])
    _agree(anna, ben)
    for laptop in (anna, ben):
        assert laptop.show(customer)["industry"] == wanted["kept"]
        assert laptop.show(doomed)["industry"] == "Still alive"
        settled = {(customer, "industry"), (deal, "amount"), (doomed, "industry")}
        assert not settled & {(each["record"], each["field"]) for each in laptop.json("conflicts")}
