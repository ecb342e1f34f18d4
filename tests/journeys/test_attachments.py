"""A rep attaches files without a network; a colleague sees them at once, and opens them once they are up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.road import ANNA, BEN, WEST, Town

PHOTO = ROOT / "docs" / "pictures" / "list-light.png"


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file of many pieces, no two of which are alike."""
    made = tmp_path / "contract.pdf"
    made.write_bytes(b"".join(PHOTO.read_bytes() + bytes([at]) for at in range(30)))
    return made


def test_attached_here_opened_there(town: Town, big: Path, tmp_path: Path) -> None:
    anna, ben, west = town.laptop(ANNA), town.laptop(BEN), town.laptop(WEST)
    customer = anna.add("customer", name="Signed and Sealed Ltd")
    for laptop in (anna, ben, west):
        laptop.sync()

    # Anna is in a lift.
    town.server.stop()
    card = anna.json("attach", customer, str(PHOTO))
    contract = anna.json("attach", customer, str(big))
    assert (card["name"], card["media"], card["size"]) == (PHOTO.name, "image/png", PHOTO.stat().st_size)
    assert anna.ask("sync").code == 5
    assert {each["content"] for each in anna.json("attachments", customer)} == {"waiting"}
    kept = tmp_path / "own.pdf"
    anna.json("save-attachment", contract["id"], str(kept))
    assert kept.read_bytes() == big.read_bytes()

    town.server.start()
    assert (anna.sync()["attachments"], anna.sync()["unsent_attachments"]) == (2, 0)
    ben.sync()
    seen = {each["id"]: each for each in ben.json("attachments", customer)}
    assert seen[contract["id"]] == {**contract, "content": "not_here"}
    assert seen[card["id"]]["by"] == ANNA
    fetched = tmp_path / "fetched.pdf"
    ben.json("save-attachment", contract["id"], str(fetched))
    assert fetched.read_bytes() == big.read_bytes()
    assert fetched.stat().st_mode & 0o777 == 0o600
    town.server.stop()
    again = tmp_path / "again.pdf"
    ben.json("save-attachment", contract["id"], str(again))  # it is here now
    assert again.read_bytes() == big.read_bytes()
    offline = ben.ask("save-attachment", card["id"], str(tmp_path / "card.png"))
    assert offline.code == 5
    assert "not on this device yet" in offline.err
    town.server.start()

    # Who does not see the customer sees no attachment of it.
    west.sync()
    assert west.ask("attachments", customer).code == 1
    assert west.ask("show", contract["id"]).code == 1
    # Nothing of a file lies anywhere in clear.
    piece = PHOTO.read_bytes()[1_000:1_064]
    for folder in (anna.folder, ben.folder, town.data):
        assert [path for path in folder.rglob("*") if path.is_file() and piece in path.read_bytes()] == []
