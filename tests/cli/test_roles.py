"""What a role may not do is said at once on the device, not after the next exchange."""

from __future__ import annotations

import json
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
    done = reader.ask("list", "customer", "--where", "name=Looked at only")
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[0] == "Name is hidden on this device: no record can be found by it."
    done = reader.ask("search", "Looked")
    assert (done.code, done.out) == (0, "")
    said = done.err.splitlines()
    assert said[0] == "Nothing found."
    assert said[1].startswith(
        "Your role is IT: it gets no customer data" if person == IT else "Names are hidden"
    )
    shown = reader.ask("show", record)
    if person == IT:
        assert shown.err.splitlines()[0] == "There is no such record on this device."
        assert shown.err.splitlines()[1].startswith("Your role is IT")
    else:
        assert shown.out.startswith("•••  (Customer, ")


def test_an_owner_whom_nobody_here_has_is_kept_and_told(town: Town) -> None:
    laptop = town.laptop(ANNA)
    done = laptop.ask("add", "customer", "name=First", "owner=typo@nowhere")
    assert done.code == 0
    assert "Owner: typo@nowhere" in done.out
    assert done.err.splitlines() == [
        "No record here had the owner “typo@nowhere” before; it is kept as you wrote it.",
        "Check the spelling. Unless IT knows somebody by this e-mail, the record stays with whoever made it.",
    ]
    for known in ("Typo@Nowhere", ANNA.upper()):
        assert laptop.ask("add", "deal", "name=Next", f"owner={known}").err == ""
    two = [{"name": "a", "owner": "bob"}, {"name": "b", "owner": "bob"}]
    many = laptop.ask("add", "contact", "-", "--json", stdin=json.dumps(two))
    assert (len(many.json), many.err.count("bob")) == (2, 1)


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
