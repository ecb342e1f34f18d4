"""After an update a search on the command line looks in the whole book; words of one field narrow a list."""

from __future__ import annotations

from app.services.opening import open_session
from app.store import indexing
from tests.road import ANNA, Town
from tests.store.test_steps import make_search_older


def test_a_search_waits_until_search_holds_every_record(town: Town) -> None:
    laptop = town.laptop(ANNA)
    made = [laptop.add("customer", name=f"Shop {n}", industry="tea trade") for n in range(3)]
    with open_session(laptop.profile) as session:
        session.call(make_search_older)
    found = laptop.json("search", "tea")
    assert {each["id"] for each in found} == set(made)
    with open_session(laptop.profile) as session:
        assert session.call(indexing.left) == (0, 0)
    assert laptop.ask("doctor").code == 0


def test_a_list_is_narrowed_by_words_of_a_field(town: Town) -> None:
    laptop = town.laptop(ANNA)
    made = laptop.json(
        "add", "customer", "name=Berlin Tools", "address.city=Köln", "phone.work=+49 221 77 60 12"
    )
    laptop.json("add", "customer", "name=Cologne Tools", "address.city=Berlin")
    one = made["id"]
    for asked in ("address~kol", "phone~7760", "name~too ber", "address~Köln", "address.city=köln",
                  "address.city~koeln", "phone.work=+49 221 77 60 12", "phone.work~7760"):  # fmt: skip
        assert [each["id"] for each in laptop.json("list", "customer", "--where", asked)] == [one], asked
    assert laptop.json("list", "customer", "--where", "address~oln") == []
    told = laptop.ask("list", "customer", "--where", "address.town=Köln")
    assert (told.code, "street, postcode, city" in told.err) == (1, True)
    told = laptop.ask("list", "customer", "--where", "stage~lead")
    assert (told.code, "Stage" in told.err) == (1, True)
