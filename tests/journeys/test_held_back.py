"""A server whose store says that everything is deleted, and whose log knows of no such thing, takes nothing away."""

from __future__ import annotations

from sync.server import config
from sync.server.db.sqlite import SqliteStore
from tests.road import ANNA, BEN, Town

COUNT = 120


def _mark(town: Town, *, deleted: bool) -> None:
    """What damage or a fault of ours could do to a store: every customer is deleted, by nobody."""
    assert town.server.stop() == 0
    folders, _settings = config.load(town.data)
    store = SqliteStore.open(folders.store, config.read_store_key(folders.store_key))
    with store._writing() as connection:
        (head,) = connection.execute("SELECT seq FROM meta").fetchone()
        connection.execute(
            "UPDATE record SET deleted = ?, ver = ver + ? WHERE kind = 'customer'", (deleted, head)
        )
        connection.execute("UPDATE meta SET seq = seq + ?", (head,))
    store.close()
    town.server.start()


def test_what_goes_without_a_reason_stays_until_somebody_asks_twice(town: Town) -> None:
    mate, laptop = town.laptop(BEN), town.laptop(ANNA)
    names = [{"name": f"C {n}"} for n in range(COUNT)]
    made = {each["id"] for each in mate.json("add", "customer", "-", stdin=names)}
    mate.sync()
    laptop.sync()
    _mark(town, deleted=True)
    kept = laptop.add("deal", name="Goes up all the same")
    done = laptop.ask("sync")
    assert (done.code, f"{COUNT} of {COUNT + 1}" in done.err, "--let-go" in done.err) == (1, True, True)
    assert set(laptop.holds()) == made
    assert (laptop.json("status")["unsent"], kept in laptop.holds("deal")) == (0, True)
    assert town.device(laptop)["held_back"] == COUNT
    with_it = town.laptop(BEN)
    with_it.sync()
    assert kept in with_it.holds("deal")
    assert laptop.ask("sync").code == 1
    # Put right, it goes on by itself.
    _mark(town, deleted=False)
    laptop.sync()
    assert set(laptop.holds()) == made
    assert town.device(laptop)["held_back"] == 0
    # Meant, it goes once somebody has asked, and the server has said so of each record.
    _mark(town, deleted=True)
    assert laptop.ask("sync").code == 1
    assert laptop.json("sync", "--let-go")["unsent"] == 0
    assert laptop.holds() == {}
