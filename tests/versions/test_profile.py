"""A laptop of an earlier version opens in the program of today with all that it held, and goes on with any server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from app.store import choices, conflicts, schema
from app.store.store import Store
from sync.client.errors import ServerRefused
from sync.protocol.errors import Problem
from sync.protocol.ids import parse_id
from sync.server import auth
from tests import forks
from tests.cluster import Cluster
from tests.versions.conftest import Opened
from tests.versions.here import Here
from tests.versions.kept import Unpacked
from tests.versions.story import KINDS

pytestmark = pytest.mark.slow


@pytest.fixture
def here(kept: Unpacked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    """The recorded laptop."""
    return Here(kept, tmp_path / "laptop", monkeypatch)


def test_it_shows_all_that_it_showed(kept: Unpacked, here: Here) -> None:
    was = kept.json("told.json")
    for kind in KINDS:
        shown = {each["id"]: each for each in here.says("list", kind, "--limit", "500")}
        assert {id_: _known(shown[id_], old) for id_, old in _by_id(was["records"][kind]).items()} == _by_id(
            was["records"][kind]
        )
        assert len(shown) == len(was["records"][kind])
    status = here.says("status")
    for word in (
        "state",
        "device",
        "person",
        "team",
        "unsent",
        "conflicts",
        "refused",
        "last_sync",
        "lease_until",
    ):
        assert status[word] == was["status"][word], word
    met = here.says("conflicts")
    assert [(each["state"], each["record"]) for each in met] == [
        (each["state"], each["record"]) for each in was["conflicts"]
    ]
    for words, found in was["found"].items():
        assert {each["id"] for each in here.says("search", words, "--limit", "50")} >= set(found), words
    assert here.says("doctor")["ok"]


def test_a_copy_of_it_is_kept_until_the_changed_one_has_opened_again(kept: Unpacked, here: Here) -> None:
    before = here.profile.store.read_bytes()
    here.says("status")
    here.says("list", "customer")
    if here.profile.store_before.exists():
        assert here.profile.store_before.read_bytes()[:16] == before[:16]
        here.says("list", "customer")
    assert not here.profile.store_before.exists()
    assert kept.of.store <= schema.VERSION


def test_its_work_goes_up_to_the_server_that_was_recorded_with_it(
    kept: Unpacked, here: Here, opened: Opened, tmp_path: Path
) -> None:
    shutil.copytree(kept.folder / "server", tmp_path / "server")
    _goes_on(kept, here, opened, tmp_path / "server")


def test_its_work_goes_up_to_that_server_where_it_kept_its_records_in_a_database(
    kept: Unpacked, here: Here, opened: Opened, tmp_path: Path, cluster: Cluster, database: str
) -> None:
    """The first versions knew no database: theirs are moved into one by the program of today."""
    folder = tmp_path / "server"
    if (kept.folder / "postgresql.sql").exists():
        shutil.copytree(kept.folder / "server-postgresql", folder)
        _load(kept.folder / "postgresql.sql", cluster.url(database))
        settings = folder / "data" / "server.json"
        said = {**json.loads(settings.read_text(encoding="utf-8")), "store": cluster.url(database)}
        settings.write_text(json.dumps(said), encoding="utf-8")
    else:
        shutil.copytree(kept.folder / "server", folder)
        words = ["--data", str(folder / "data"), "--secrets", str(folder / "secrets")]
        done = forks.run("sync.compose.server:main", ["migrate", *words, "--to", cluster.url(database)])
        assert done.code == 0, done.err
    _goes_on(kept, here, opened, folder)


def test_a_server_that_speaks_its_protocol_no_more_says_so_and_nothing_is_lost(
    kept: Unpacked, here: Here, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(kept.folder / "server", tmp_path / "server")
    town = opened(tmp_path / "server")
    waits = kept.json("told.json")["status"]["unsent"]
    with here.session(town) as (session, exchange):
        with monkeypatch.context() as later:
            later.setattr(auth, "version", SimpleNamespace(OLDEST_PROTOCOL=2, PROTOCOL=2))
            with pytest.raises(ServerRefused) as refusal:
                exchange.round()
        assert refusal.value.problem is Problem.UPGRADE
        assert refusal.value.problem.value in kept.picture["words"]["Problem"]
        assert refusal.value.hint == "Update Fieldkeep. Your changes are safe on this device."
        assert session.call(Store.unsent) == waits
        assert exchange.round().sent == waits


def _load(dump: Path, url: str) -> None:
    """Read statements into a database whose schema is there."""
    lines = dump.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("CREATE SCHEMA"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text.encode())


def _goes_on(kept: Unpacked, here: Here, opened: Opened, folder: Path) -> None:
    """What waits goes up, nobody is refused, and a conflict of then is settled in the way of today."""
    town = opened(folder)
    was = kept.json("told.json")
    with here.session(town) as (session, exchange):
        assert session.call(Store.unsent) == was["status"]["unsent"] > 0
        done = exchange.round()
        assert (done.sent, done.rejected) == (was["status"]["unsent"], 0)
        assert session.call(Store.unsent) == 0
        (open_,) = session.read(conflicts.open_conflicts)
        session.call(lambda store: choices.settle(store, open_.conflict.id, choices.SWAPPED))
        assert exchange.round().rejected == 0
        assert session.read(conflicts.open_conflicts) == []
    with town.store.read() as tx:
        names = {}
        for each in was["records"]["customer"]:
            held = tx.records.held(parse_id(each["id"]))
            assert held is not None
            names[each["name"]] = held.row.deleted
    assert names["Unsent Yard"] is False
    assert names["Lost and found"] is False


def _by_id(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in records}


def _known(shown: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """What is shown now, as far as it was shown then."""
    return {name: value for name, value in shown.items() if name in old}
