"""Admins are added and lost keys removed by the next root, which is signed by root keys away from the server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sync.console import card
from sync.console import paper as papers
from sync.protocol import signing, trust
from sync.protocol.errors import Refused
from tests.console.away import Person, draft, root_in, second_admin
from tests.server.inside import Inside
from tests.server.running import Org


@pytest.fixture
def org(tmp_path: Path, scripts: Path) -> Org:
    made = Org(tmp_path, scripts)
    made.init()
    return made


def test_the_root_is_signed_offline_and_shows_what_it_changes(org: Org) -> None:
    ed = Person(org, org.folder / "ed")
    pub = ed.make(label="Ed, stick")
    file = org.folder / "next.paper"
    told = org.call(
        "fieldkeep-admin", "--data", str(org.data), "root", "admin-add", str(pub), "--draft", str(file)
    )
    assert "NEW ADMIN" in told.stdout
    assert org.json("root", "show")["version"] == 1
    assert org.admin("file", str(file), check=False).returncode == 1  # nobody has signed it
    keeper = Person(org, org.keys)
    shown = keeper.sign(file, "root 2")
    digits = card.read(pub).digits[:16]
    for words in ("NEW ADMIN", "Ed, stick", digits, "number 2"):
        assert words in shown.stderr
    org.admin("file", str(file))
    after = org.json("root", "show")
    assert (after["version"], len(after["admins"])) == (2, 2)


def test_a_lost_key_signs_nothing_any_more(org: Org) -> None:
    (admin,) = org.json("root", "show")["admins"]
    lost, other = (each["sha256"] for each in admin["keys"])
    org.admin("root", "key-drop", lost[:12])
    (admin,) = org.json("root", "show")["admins"]
    assert [each["sha256"] for each in admin["keys"]] == [other]
    last = org.admin("root", "key-drop", other[:12], check=False)
    assert (last.returncode, "Fewer admins" in last.stderr) == (1, True)
    for digits in ("", other[:4], "00" * 8):
        assert org.admin("root", "key-drop", digits, check=False).returncode == 1


def test_an_admin_who_left_is_gone_with_all_keys(org: Org) -> None:
    second_admin(org)
    first = org.json("root", "show")["admins"]
    gone = next(each for each in first if each["keys"][0]["label"] == "Ed")
    said = org.admin("root", "admin-drop", gone["id"]).stdout
    assert "may sign nothing any more" in said
    assert [each["id"] for each in org.json("root", "show")["admins"]] != [gone["id"]]
    assert org.admin("root", "admin-drop", gone["id"], check=False).returncode == 1


def test_what_a_removed_key_has_signed_holds_no_longer(inside: Inside, scripts: Path) -> None:
    """Case 6: a signature by a key that root N+1 removed is refused from then on."""
    laptop = inside.device(inside.person("ana@example.com"), "LAP-1")
    inside.store.close()
    org = Org(inside.folder, scripts)
    file = draft(org, "wipe.paper", "LAP-1")
    Person(org, org.keys).sign(file, "wipe 1")
    second_admin(org)
    before = root_in(file)
    signer = papers.read(file).signatures[0].keyid
    org.admin("root", "key-drop", signer[:16])
    refused = org.admin("file", str(file), check=False)
    assert (refused.returncode, "Nobody has signed it yet" in refused.stderr) == (1, True)
    after = root_in(draft(org, "other.paper", "LAP-1"))
    data = papers.read(file).envelope.to_bytes()
    assert trust.order(before, trust.Floors(), data, enrolment=laptop.enrolment, now=inside.now()).new
    with pytest.raises(Refused, match="without a valid signature"):
        trust.order(after, trust.Floors(), data, enrolment=laptop.enrolment, now=inside.now())


def test_the_root_rolls_to_new_keys_which_both_sign(org: Org) -> None:
    fresh = Person(org, org.folder / "fresh")
    pubs = [str(fresh.make("root", f"root {n}")) for n in (1, 2, 3)]
    before = root_in(draft_root(org, "x.paper", "root", "rule", "--delay", "1"))
    file = draft_root(org, "roll.paper", "root", "roll", "root", *pubs, "--threshold", "2")
    keeper = Person(org, org.keys)
    assert "2 more signatures are needed" in keeper.sign(file, "root 2").stdout
    assert org.admin("file", str(file), check=False).returncode == 1
    (fresh.keys / "root-2.key").unlink()
    assert "It can be filed" in fresh.sign(file, "root 2").stdout
    org.admin("file", str(file))
    data = papers.read(file).envelope.to_bytes()
    after = trust.next_root(before, data, before.issued + 1)
    assert (after.version, after.root.threshold, len(after.root.keys)) == (2, 2, 3)
    # The old key signs no root any more.
    late = draft_root(org, "late.paper", "root", "rule", "--delay", "5")
    done = keeper.sign(late, "root 3", check=False)
    assert (done.returncode, "no root key" in done.stderr) == (1, True)
    fresh.sign(late, "root 3")
    assert org.admin("file", str(late)).returncode == 0


def test_the_policy_key_rolls(org: Org) -> None:
    fresh = Person(org, org.folder / "fresh")
    old = (org.keys / "policy.key").read_bytes()
    org.admin("root", "roll", "policy", str(fresh.make("policy", "policy")))
    (org.folder / "p.toml").write_text("inactivity_min = 5\n")
    done = org.admin("policy", "publish", str(org.folder / "p.toml"), check=False)
    assert (done.returncode, "not the policy key" in done.stderr) == (1, True)
    (org.keys / "policy.key").write_bytes((fresh.keys / "policy.key").read_bytes())
    org.admin("policy", "publish", str(org.folder / "p.toml"))
    assert old != (org.keys / "policy.key").read_bytes()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--many", "1"), "two people at least"),
        (("--one", "0"), "two people at least"),
        (("--most", "26"), "25 devices at most"),
        (("--most", "0"), "at most"),
        (("--delay", "99999999"), "cannot wait"),
        (("--delay", "-1"), "cannot wait"),
        (("--one", "2"), "Fewer admins"),
        ((), "Nothing is to be changed"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_a_rule_under_which_nobody_or_anybody_could_wipe_is_refused(
    org: Org, words: tuple[str, ...], says: str
) -> None:
    done = org.admin("root", "rule", *words, check=False)
    assert (done.returncode, says in done.stderr) == (1, True), done.stderr
    assert org.json("root", "show")["version"] == 1


def test_one_key_is_of_one_person(org: Org) -> None:
    """Case 5: one key entered for two people would be two people in one hand."""
    second_admin(org)
    pub = org.folder / "ed" / "order-1.pub"
    twin = org.folder / "twin.pub"
    twin.write_text(json.dumps({**json.loads(pub.read_text()), "admin_id": "aa" * 8}))
    done = org.admin("root", "admin-add", str(twin), check=False)
    assert (done.returncode, "stand in the root twice" in done.stderr) == (1, True)
    again = org.admin("root", "admin-add", str(pub), check=False)
    assert (again.returncode, "names this admin already" in again.stderr) == (1, True)


def test_a_second_key_of_an_admin_is_made_beside_the_first(org: Org) -> None:
    mine = Person(org, org.keys)
    pub = mine.make(label="spare")
    assert pub.name == "order-3.pub"
    org.admin("root", "key-add", str(pub))
    (admin,) = org.json("root", "show")["admins"]
    assert [each["label"] for each in admin["keys"]] == ["order-1", "order-2", "spare"]


def test_rubbish_and_weak_keys_are_no_public_half(org: Org) -> None:
    """Case 17: a key of small order verifies any message."""
    good = json.loads(second_admin(org).make(label="good").read_text())
    weak = signing._SPKI + (1).to_bytes(32, "little")
    import base64

    for bent in (
        {"spki": base64.b64encode(weak).decode()},
        {"spki": ""},
        {"alg": "none"},
        {"alg": "webauthn"},
        {"label": ""},
        {"label": "x" * 61},
        {"purpose": "lease"},
        {"type": "fieldkeep-key"},
    ):
        (org.folder / "bent.pub").write_text(json.dumps({**good, **bent}))
        assert org.admin("root", "key-add", str(org.folder / "bent.pub"), check=False).returncode == 1


def draft_root(org: Org, name: str, *words: str) -> Path:
    file = org.folder / name
    org.admin(*words, "--draft", str(file))
    return file
