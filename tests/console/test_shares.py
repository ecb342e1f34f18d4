"""A key file is split among people: some of them bring it back, fewer learn nothing, and a slip is told."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.console import keyfile, shares
from sync.protocol.errors import KnownError
from tests.console.away import Person
from tests.server.inside import nobody_asks
from tests.server.running import Org


@pytest.fixture
def org(tmp_path: Path, scripts: Path) -> Org:
    made = Org(tmp_path, scripts)
    made.init()
    return made


def test_any_two_of_three_bring_the_recovery_key_back(org: Org, tmp_path: Path) -> None:
    me = Person(org, org.keys)
    told = json.loads(
        me.run(
            "keys", "split", str(org.keys / "recovery.key"), "--shares", "3", "--need", "2", "--to",
            str(tmp_path / "shares"), "--json",
        ).stdout
    )  # fmt: skip
    assert [Path(each).name for each in told["files"]] == [f"recovery-{n}-of-3.share" for n in (1, 2, 3)]
    assert all(Path(each).stat().st_mode & 0o777 == 0o600 for each in told["files"])
    whole = keyfile.read(org.keys / "recovery.key", nobody_asks)
    for n, pair in enumerate(itertools.permutations(told["files"], 2)):
        back = tmp_path / f"back-{n}"
        me.run("keys", "join", *pair, "--to", str(back))
        found = keyfile.read(back / "recovery.key", nobody_asks)
        assert found.opening.private_bytes_raw() == whole.opening.private_bytes_raw()
    for one in told["files"]:
        done = me.run("keys", "join", one, one, "--to", str(tmp_path / "no"), check=False)
        assert (done.returncode, "too few shares" in done.stderr) == (1, True)
    assert not list((tmp_path / "no").iterdir())


def test_a_root_key_that_was_joined_signs(org: Org, tmp_path: Path) -> None:
    me = Person(org, org.keys)
    words = ["--shares", "5", "--need", "3", "--to", str(tmp_path / "shares")]
    me.run("keys", "split", str(org.keys / "root.key"), *words)
    (org.keys / "root.key").unlink()
    assert org.admin("root", "rule", "--delay", "5", check=False).returncode == 1
    found = sorted(map(str, (tmp_path / "shares").iterdir()))
    me.run("keys", "join", *found[1:4], "--to", str(org.keys))
    org.admin("root", "rule", "--delay", "5")


@given(st.binary(min_size=1, max_size=400), st.integers(2, 5), st.integers(0, 4), st.randoms())
@settings(max_examples=40, deadline=None)
def test_enough_shares_open_and_one_fewer_does_not(key: bytes, need: int, more: int, random: object) -> None:
    made = shares.split(key, "root", need + more, need)
    random.shuffle(made)  # type: ignore[attr-defined]
    assert shares.join(made[:need]) == key
    with pytest.raises(KnownError, match="too few"):
        shares.join(made[: need - 1])
    # Whoever holds one share too few and lies about how many are needed still has nothing.
    liars = [msgspec.structs.replace(each, need=need - 1) for each in made[: need - 1]]
    if need > 2:
        with pytest.raises(KnownError, match="do not open"):
            shares.join(liars)


def test_a_damaged_share_is_named_and_one_of_another_split_is_not_taken() -> None:
    made, others = shares.split(b"key", "root", 3, 2), shares.split(b"key", "root", 3, 2)
    bent = msgspec.structs.replace(made[1], share=bytes(16))
    with pytest.raises(KnownError, match="Share 2 is damaged"):
        shares.join([made[0], bent])
    with pytest.raises(KnownError, match="different keys"):
        shares.join([made[0], others[1]])


@pytest.mark.parametrize(("count", "need"), [(1, 1), (2, 3), (3, 1), (17, 2), (0, 0), (-1, -1)])
def test_a_split_that_protects_nothing_or_gives_nothing_back_is_refused(count: int, need: int) -> None:
    with pytest.raises(KnownError, match="cannot be split"):
        shares.split(b"key", "root", count, need)
    assert not [path for path in (Path("rubbish"),) if path.exists()]


def test_rubbish_is_no_share(tmp_path: Path) -> None:
    good = json.loads(shares.split(b"key", "root", 3, 2)[0].to_bytes())
    for bent in ({"share": ""}, {"need": 1}, {"n": 9}, {"v": 2}, {"type": "x"}, {"of": 99}):
        (tmp_path / "share").write_text(json.dumps({**good, **bent}))
        with pytest.raises(KnownError, match="no share"):
            shares.read(tmp_path / "share")
