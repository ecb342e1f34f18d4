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


def test_a_stolen_laptop_gives_back_what_had_not_gone_up(town: Town, big: Path, tmp_path: Path) -> None:
    """The bytes lie encrypted under keys that went with the store, until the server has them: IT gives both back."""
    ben = town.laptop(BEN)
    customer = ben.add("customer", name="Photographed Ltd")
    ben.sync()
    town.server.stop()
    contract = ben.json("attach", customer, str(big))
    town.server.start()
    assert len([name for name in ben.files() if name.startswith("blobs.unsent/")]) == 1
    town.order("wipe", ben)
    assert ben.ask("sync").code == 4
    assert town.device(ben)["receipt"] == "verified"
    assert [name for name in ben.files() if "blob" in name] == []

    new = town.laptop(BEN)
    new.sync()
    town.admin("recover", ben.id, "--to", new.id)
    new.sync()
    place = tmp_path / "back.pdf"
    new.json("save-attachment", contract["id"], str(place))
    assert place.read_bytes() == big.read_bytes()


def test_a_locked_laptop_brings_its_files_up(town: Town, big: Path, tmp_path: Path) -> None:
    anna = town.laptop(ANNA)
    customer = anna.add("customer", name="Locked away Ltd")
    anna.sync()
    contract = anna.json("attach", customer, str(big))
    town.order("lock", anna)
    assert anna.ask("sync").code == 3
    assert anna.json("status")["unsent_attachments"] == 0
    assert anna.ask("save-attachment", contract["id"], str(tmp_path / "no.pdf")).code == 3
    town.order("unlock", anna)
    anna.sync()
    ben = town.laptop(BEN)
    ben.sync()
    ben.json("save-attachment", contract["id"], str(tmp_path / "yes.pdf"))
    assert (tmp_path / "yes.pdf").read_bytes() == big.read_bytes()


def test_removed_for_all_and_brought_back(town: Town, tmp_path: Path) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    customer = anna.add("customer", name="Second thoughts Ltd")
    photo = anna.json("attach", customer, str(PHOTO))
    anna.sync()
    ben.sync()
    ben.json("save-attachment", photo["id"], str(tmp_path / "first.png"))
    kept = [name for name in ben.files() if name.startswith("blobs/")]
    assert len(kept) == 1
    anna.json("delete", photo["id"])
    anna.sync()
    ben.sync()
    assert ben.json("attachments", customer) == []
    assert [name for name in ben.files() if name.startswith("blobs/")] == []
    assert ben.ask("save-attachment", photo["id"], str(tmp_path / "none.png")).code == 1
    anna.json("undelete", photo["id"])
    anna.sync()
    ben.sync()
    ben.json("save-attachment", photo["id"], str(tmp_path / "again.png"))
    assert (tmp_path / "again.png").read_bytes() == PHOTO.read_bytes()


def test_what_goes_to_another_team_leaves_the_disk(town: Town, tmp_path: Path) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    customer = anna.add("customer", name="Handed over Ltd")
    photo = anna.json("attach", customer, str(PHOTO))
    anna.sync()
    ben.sync()
    ben.json("save-attachment", photo["id"], str(tmp_path / "seen.png"))
    anna.edit(customer, owner=WEST)
    anna.sync()
    assert ben.sync()["left"] == 2
    assert [name for name in ben.files() if name.startswith("blobs/")] == []
    west = town.laptop(WEST)
    west.sync()
    west.json("save-attachment", photo["id"], str(tmp_path / "theirs.png"))
    assert (tmp_path / "theirs.png").read_bytes() == PHOTO.read_bytes()


def test_words_for_what_cannot_be(town: Town, tmp_path: Path) -> None:
    anna = town.laptop(ANNA)
    customer = anna.add("customer", name="Awkward Ltd")
    product = anna.add("product", name="A product")
    (tmp_path / "empty.txt").touch()
    assert anna.json("attach", customer, str(tmp_path / "empty.txt"))["size"] == 0
    for words, said in (
        (("attach", customer, str(tmp_path)), "no such file"),
        (("attach", customer, str(tmp_path / "gone.pdf")), "no such file"),
        (("attach", product, str(PHOTO)), "Nothing can be attached"),
        (("attach", "12", str(PHOTO)), "no record with this id"),
        (("save-attachment", customer, str(tmp_path / "x")), "no attachment"),
        (("add", "attachment", "name=x"), "made of a file"),
        (("add", "attachment", "name=x", "content=x"), "holds a file"),
        (("import", str(tmp_path / "empty.txt"), "--kind", "attachment"), "not imported"),
    ):
        done = anna.ask(*words)
        assert (done.code, said in done.err) == (1, True), done.err
        assert done.err.count("\n") >= 2, "a title and a next step"
    photo = anna.json("attach", customer, str(PHOTO))
    taken = anna.ask("save-attachment", photo["id"], str(PHOTO))
    assert "not replaced" in taken.err
    shown = anna.show(photo["id"])
    assert set(shown["content"]) == {"sha256", "size"}
    assert "key" not in anna.ask("show", photo["id"]).out
    rows = tmp_path / "attachments.csv"
    anna.json("export", "attachment", str(rows))
    assert PHOTO.name in rows.read_text()
    assert "key" not in rows.read_text()
