"""No record is part of itself: not directly, and not by way of others."""

from __future__ import annotations

from tests.road import ANNA, Town

SAID = "Part of: a record cannot be part of itself, nor of one that is part of it."


def test_a_customer_is_no_part_of_itself(town: Town) -> None:
    laptop = town.laptop(ANNA)
    top = laptop.add("customer", name="Top")
    middle = laptop.add("customer", name="Middle", parent=top)
    low = laptop.add("customer", name="Low", parent=middle)
    for record, above in ((top, top), (top, middle), (top, low), (middle, low)):
        done = laptop.ask("edit", record, f"parent={above}")
        assert (done.code, done.out) == (1, "")
        assert done.err.splitlines()[0] == SAID
    assert laptop.show(top)["parent"] is None
    laptop.edit(low, parent=top)
    laptop.edit(middle, parent=low)
    assert laptop.show(middle)["parent"] == low
