"""IT runs everything and reads no customer: not on its laptop, not by its commands, not in what a wipe hands in."""

from __future__ import annotations

import sqlite3

from tests.road import ANNA, BEN, IT, PRIVACY, Town

SECRET = "Wolkenkuckucksheim"


def test_it_cannot_read(town: Town) -> None:
    ben = town.laptop(BEN)
    record = ben.add("customer", name=f"{SECRET} GmbH", notes=f"{SECRET} notes")
    ben.sync()
    unsent = ben.add("task", subject=f"{SECRET} unsent")
    ben.json("lock")

    # On a laptop of IT's own there is nothing, and nothing can be fetched.
    own = town.laptop(IT)
    assert own.sync()["received"] == 0
    assert own.json("search", SECRET) == []
    assert own.ask("show", record).code == 1

    # The commands of IT speak of devices and orders.
    town.order("wipe", ben)
    assert ben.ask("sync").code == 4
    for words in (("devices",), ("orders",), ("person", "list"), ("refused",)):
        assert SECRET not in town.ask(*words).out + town.ask(*words, "--json").out

    # The order keys open no work: without the recovery key there is no recovering.
    hidden = town.keys / "recovery.key"
    away = hidden.rename(town.folder / "in-the-safe.key")
    anna = town.laptop(ANNA)
    refused = town.ask("recover", ben.id, "--to", anna.id, "--other-person")
    assert refused.code == 1
    assert "recovery.key" in refused.err
    assert SECRET not in refused.out + refused.err
    away.rename(hidden)

    # And with it, work goes to who may hold customers, never to IT or privacy, and is not printed.
    for person in (IT, PRIVACY):
        other = town.laptop(person)
        assert town.ask("recover", ben.id, "--to", other.id, "--other-person").code == 1
        other.sync()
        assert other.json("search", "unsent") == []
    meant = town.ask("recover", ben.id, "--to", anna.id)
    assert (meant.code, meant.out) == (1, "")
    assert ANNA in meant.err
    assert "--other-person" in meant.err
    assert anna.sync()["recovered"] == 0
    done = town.ask("recover", ben.id, "--to", anna.id, "--other-person")
    assert done.code == 0
    assert SECRET not in done.out + done.err
    assert anna.sync()["recovered"] == 1
    assert anna.show(unsent)["subject"] == f"{SECRET} unsent"

    # The server's disk and its log say nothing either.
    for path in town.folder.rglob("*"):
        if path.is_file() and "laptop" not in str(path):
            assert SECRET.encode() not in path.read_bytes(), path.name
    try:
        sqlite3.connect(town.data / "store.db").execute("SELECT name FROM sqlite_master")
    except sqlite3.DatabaseError as error:
        assert "not a database" in str(error)
    else:
        raise AssertionError("the server's store opens without a key")
