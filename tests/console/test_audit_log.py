"""The audit table is a tree: whoever keeps a checkpoint can tell that nothing of it was changed, cut or slipped in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.console import keyfile, log_desk
from sync.protocol import signing
from sync.server import config
from sync.server.audit_log import entry
from sync.server.db.kept import AuditLine
from tests.console.away import Person, second_admin
from tests.server.inside import Inside
from tests.server.running import Org


@pytest.fixture
def org(tmp_path: Path, scripts: Path) -> Org:
    made = Org(tmp_path, scripts)
    made.init()
    return made


class Witness:
    """Somebody who keeps a checkpoint on a machine of their own."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.kept = org.folder / "kept"
        self.since = 0

    def look(self, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Have the server prove what it has, and hold it against what is kept."""
        file = self.org.folder / "proof"
        self.org.admin("audit", "proof", str(file), "--since", str(self.since))
        words = ["audit", "verify", str(file), "--kept", str(self.kept)]
        done = self.org.call("fieldkeep-admin", *words, check=check)
        if done.returncode == 0:
            kept = log_desk.read_kept(self.kept)
            assert kept is not None
            self.since = log_desk.checkpoint_of(kept.root, kept.checkpoint).size
        return done


def act(org: Org, *names: str) -> None:
    for name in names:
        org.admin("person", "add", f"{name}@example.com", "--role", "rep", "--team", "Sales")


def test_what_only_grew_is_proven_and_what_stands_there_is_told(org: Org) -> None:
    act(org, "ana")
    witness = Witness(org)
    assert "first checkpoint" in witness.look().stdout
    for more in (("bo",), ("cy", "di", "ed"), ()):
        act(org, *more)
        assert "still there" in witness.look().stdout
    listed = org.json("audit", "list", "--limit", "3")
    assert len(listed) == 3
    assert listed[0]["n"] > listed[-1]["n"]
    assert org.json("audit", "list", "--find", "no such word") == []
    assert "desk" in org.admin("audit", "list").stdout


def rewrite(org: Org, *statements: str) -> None:
    folders, _settings = config.load(org.data)
    store = config.open_store(folders)
    with store.write() as tx:
        for each in statements:
            tx.post._db.execute(each)  # type: ignore[attr-defined]
    store.close()


@pytest.mark.parametrize(
    "bent",
    [
        "UPDATE audit SET actor = 'nobody' WHERE n = (SELECT MIN(n) FROM audit)",
        "UPDATE audit SET at = at + 1 WHERE n = (SELECT MIN(n) + 1 FROM audit)",
        "UPDATE audit SET object = verb, verb = object WHERE n = (SELECT MIN(n) FROM audit)",
        "DELETE FROM audit WHERE n = (SELECT MIN(n) FROM audit)",
        "UPDATE audit SET n = -n",
    ],
    ids=["another actor", "another time", "parts changed places", "one is gone", "another order"],
)
def test_a_log_that_was_rewritten_is_found(org: Org, bent: str) -> None:
    """Case 91, for whoever keeps a checkpoint: the server has no proof that begins with it."""
    act(org, "ana", "bo", "cy")
    witness = Witness(org)
    witness.look()
    before = witness.kept.read_bytes()
    rewrite(org, bent)
    act(org, "di", "ed")
    done = witness.look(check=False)
    assert (done.returncode, "WAS REWRITTEN" in done.stderr) == (1, True)
    assert witness.kept.read_bytes() == before  # what is kept stays, as evidence


def test_a_log_that_was_cut_or_put_back_is_found(org: Org) -> None:
    act(org, "ana", "bo", "cy")
    witness = Witness(org)
    witness.look()
    rewrite(org, "DELETE FROM audit WHERE n = (SELECT MAX(n) FROM audit)")
    done = org.admin("audit", "proof", str(org.folder / "p"), "--since", str(witness.since), check=False)
    assert (done.returncode, "fewer than were kept" in done.stderr) == (1, True)
    org.admin("audit", "proof", str(org.folder / "p"))  # one from nothing on helps nobody
    done = org.call(
        "fieldkeep-admin", "audit", "verify", str(org.folder / "p"), "--kept", str(witness.kept), check=False
    )
    assert (done.returncode, "does not begin where" in done.stderr) == (1, True)


def test_a_checkpoint_of_another_key_or_root_is_refused(org: Org) -> None:
    act(org, "ana")
    witness = Witness(org)
    witness.look()
    file = org.folder / "p"
    org.admin("audit", "proof", str(file), "--since", str(witness.since))
    proof = log_desk.read_proof(file)
    checkpoint = log_desk.checkpoint_of(proof.root, proof.checkpoint)
    key = Person(org, org.keys)
    forged = signing.sign(
        msgspec.structs.replace(checkpoint, size=checkpoint.size + 1), ("", _order_key(key))
    )
    log_desk.write(file, msgspec.structs.replace(proof, checkpoint=forged.to_bytes()))
    words = ["audit", "verify", str(file), "--kept", str(witness.kept)]
    done = org.call("fieldkeep-admin", *words, check=False)
    assert (done.returncode, "without the server's signature" in done.stderr) == (1, True)


def test_the_next_root_is_followed_and_no_strange_one(org: Org, tmp_path: Path) -> None:
    act(org, "ana")
    witness = Witness(org)
    witness.look()
    second_admin(org)
    assert "still there" in witness.look().stdout
    other = Org(tmp_path / "other", org.scripts)
    other.folder.mkdir()
    other.init()
    other.admin("audit", "proof", str(other.folder / "p"), "--since", "0")
    words = ["audit", "verify", str(other.folder / "p"), "--kept", str(witness.kept)]
    assert org.call("fieldkeep-admin", *words, check=False).returncode == 1


def test_an_order_stands_in_the_tree_as_soon_as_it_is_filed(inside: Inside) -> None:
    device = inside.device(inside.person("ana@example.com"))
    before = inside.office.log_proof(0)
    size = log_desk.checkpoint_of(before.root, before.checkpoint).size
    inside.wipe(device)
    after = inside.office.log_proof(size)
    checkpoint, _kept = log_desk.verified(
        after, log_desk.Kept(root=before.root, checkpoint=before.checkpoint)
    )
    assert checkpoint.size == size + 1
    assert inside.office.audit(1, "")[0].verb == "wipe"


def test_no_two_lines_are_one_entry() -> None:
    lines = [
        AuditLine(at=1, actor="a b", verb="c", object=""),
        AuditLine(at=1, actor="a", verb="b c", object=""),
        AuditLine(at=1, actor="a", verb="b", object="c"),
        AuditLine(at=1, actor="", verb="a b", object="c"),
        AuditLine(at=1, actor="a 1:b", verb="", object="c"),
        AuditLine(at=11, actor="a", verb="b", object="c"),
    ]
    assert len({entry(each) for each in lines}) == len(lines)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[" * 10_000, b"\xff"], ids=["none", "bare", "deep", "no text"]
)
def test_rubbish_is_no_checkpoint(org: Org, data: bytes) -> None:
    (org.folder / "p").write_bytes(data)
    words = ["audit", "verify", str(org.folder / "p"), "--kept", str(org.folder / "kept")]
    done = org.call("fieldkeep-admin", *words, check=False)
    assert (done.returncode, "holds no checkpoint" in done.stderr) == (1, True)


def _order_key(person: Person) -> Ed25519PrivateKey:
    return keyfile.read(person.keys / "order-1.key", lambda: "").signing
