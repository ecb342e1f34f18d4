"""What a role may not do is said at once on the device, not after the next exchange."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.road import ANNA, IT, PRIVACY, Town


@pytest.mark.parametrize("person", [PRIVACY, IT])
def test_a_role_that_changes_nothing_hears_it_at_once(town: Town, tmp_path: Path, person: str) -> None:
    writer, reader = town.laptop(ANNA), town.laptop(person)
    record = writer.add("customer", name="Looked at only")
    writer.sync()
    reader.sync()
    book = tmp_path / "customers.csv"
    book.write_text("Name\nBrought in\n", encoding="utf-8")
    asked = [("add", "customer", "name=X"), ("import", "--kind", "customer", str(book))]
    if person == PRIVACY:  # IT holds no record that it could name
        asked += [("edit", record, "industry=Tea"), ("delete", record), ("undelete", record)]
    for words in asked:
        done = reader.ask(*words)
        assert (done.code, done.out) == (1, ""), words
        assert done.err.splitlines()[0] == "Your role may not change customers.", words
    assert reader.ask("import", str(book)).err.splitlines()[0] == "Your role may not change records."
    assert reader.json("status")["unsent"] == 0


def test_sync_counts_apart_what_was_not_accepted(town: Town) -> None:
    email = "mover@example.com"
    town.admin("person", "add", email, "--role", "rep", "--team", "Sales/East")
    laptop = town.laptop(email)
    laptop.add("customer", name="Written too late")
    town.admin("person", "add", email, "--role", "privacy", "--team", "Sales/East")
    said = laptop.ask("sync").out.splitlines()[0]
    assert said.startswith("Sent 0, received ")
    assert said.endswith(", 1 not accepted.")
    assert laptop.ask("add", "customer", "name=X").err.startswith("Your role may not change customers.")
    town.admin("person", "add", email, "--role", "rep", "--team", "Sales/East")
    laptop.sync()
    assert laptop.ask("add", "customer", "name=X").code == 0
