"""`doctor --repair` makes anew what the store reads off its rows, and leaves unsent work as it is."""

from __future__ import annotations

from app.services.opening import open_session
from app.store.store import Store
from tests.road import ANNA, Town


def _harm(store: Store) -> None:
    store.db.execute("INSERT INTO words_customer (words_customer) VALUES ('delete-all')")
    store.db.execute("UPDATE counts SET kept = 77 WHERE kind = 'customer'")


def test_doctor_mends_what_it_finds(town: Town) -> None:
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="Found again")
    with open_session(laptop.profile) as session:
        session.call(_harm)
    assert laptop.json("search", "again") == []
    told = laptop.ask("doctor")
    assert told.code == 1
    assert "The count of customers is wrong." in told.out
    assert "Search does not find all customers as they are." in told.out
    assert " doctor --repair" in told.out
    mended = laptop.json("doctor", "--repair")
    assert mended["ok"] is True
    assert laptop.ask("doctor").code == 0
    assert [each["id"] for each in laptop.json("search", "again")] == [record]
    assert laptop.json("status")["unsent"] == 1


def test_a_locked_store_is_not_mended(town: Town) -> None:
    laptop = town.laptop(ANNA)
    assert laptop.ask("lock").code == 0
    assert laptop.ask("doctor", "--repair").code == 3
    assert laptop.ask("unlock").code == 0
