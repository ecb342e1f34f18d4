"""Who draws up a paper has nothing signed that is not shown: no second entry, no made-up past, no unknown part."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.console import paper as papers
from sync.console import paper_words
from sync.console.paper import Paper
from sync.protocol import signing
from sync.protocol.documents import Admin, Credential, Key, Order, Role, Root
from sync.protocol.errors import KnownError, Refused
from tests.console.away import Person
from tests.protocol.authority import NOW, Authority
from tests.server.running import Org

AUTHORITY = Authority()
THIEF = Ed25519PrivateKey.generate()
OF_THIEF = signing.keyid(signing.spki_of(THIEF))[:16]


@pytest.fixture
def org(tmp_path: Path, scripts: Path) -> Org:
    made = Org(tmp_path, scripts)
    made.init()
    return made


def _paper(before: Root, after: Root, *keys: Ed25519PrivateKey) -> Paper:
    return papers.drafted(signing.sign(before, *(("", key) for key in keys)).to_bytes(), after)


def _next(before: Root, **changed: object) -> Root:
    return msgspec.structs.replace(before, version=before.version + 1, **changed)


def _admin(key: Ed25519PrivateKey, name: str) -> Admin:
    credential = Credential(alg=signing.ED25519, spki=signing.spki_of(key), label="Ann, stick")
    return Admin(admin_id=name, credentials=[credential])


def test_a_key_hidden_behind_a_second_entry_of_an_admin_is_not_signed() -> None:
    before = AUTHORITY.root()
    after = _next(before, admins=[_admin(THIEF, before.admins[0].admin_id), *before.admins])
    with pytest.raises(KnownError, match="twice"):
        paper_words.shown(_paper(before, after, AUTHORITY.root_key), before, NOW)


def test_a_root_that_was_made_up_as_the_one_in_force_hides_nothing(org: Org) -> None:
    """The server has a root of its own in the file, under which the thief's keys are nothing new."""
    keeper = Person(org, org.keys)
    file = org.folder / "next.paper"
    org.admin("root", "rule", "--delay", "5", "--draft", str(file))
    honest = papers.read(file)
    true = papers.root_of(honest)
    spki = signing.spki_of(THIEF)
    role = Role(keys=[*true.root.keys, Key(alg=signing.ED25519, spki=spki)], threshold=1)
    made_up = msgspec.structs.replace(
        true, root=role, policy=Role(keys=[Key(alg=signing.ED25519, spki=spki)], threshold=1)
    )
    bent = _paper(made_up, _next(made_up, org_name="Example"), THIEF)
    papers.write(file, bent, new=False)
    shown = keeper.sign(file, "no", check=False).stderr
    assert "New key" not in shown
    assert shown.count(OF_THIEF) == 2
    assert "All that it says:" in shown


def test_all_parts_of_a_root_are_shown() -> None:
    before = AUTHORITY.root()
    text = "\n".join(paper_words.shown(_paper(before, _next(before), AUTHORITY.root_key), before, NOW).lines)
    for role in (before.root, before.policy, before.lease):
        assert all(signing.keyid(key.spki)[:16] in text for key in role.keys)
    for each in [*before.server_urls, *(before.console.origins if before.console else [])]:
        assert each in text


@pytest.mark.parametrize("kind", ["order", "root"])
def test_a_part_that_this_version_does_not_know_is_not_signed(kind: str) -> None:
    root = AUTHORITY.root()
    document: Order | Root = AUTHORITY.order("wipe") if kind == "order" else _next(root)
    paper = papers.drafted(signing.sign(root, ("", AUTHORITY.root_key)).to_bytes(), document)
    assert paper_words.shown(paper, root, NOW).lines
    more = msgspec.json.encode({**msgspec.json.decode(paper.payload), "zones": ["all"]}, order="sorted")
    with pytest.raises(Refused, match="not signed unseen"):
        paper_words.shown(msgspec.structs.replace(paper, payload=more), root, NOW)
