"""An organisation moves from its file to a database and back, and no device notices."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sync.compose import migrating
from sync.protocol.errors import KnownError
from sync.server import config
from sync.server.db import moving
from sync.server.db.moving import MovableStore
from sync.server.db.sql import plain
from sync.server.db.sqlite import SqliteStore
from sync.server.errors import StoreError
from tests.cluster import Cluster
from tests.server.driver import Device
from tests.server.inside import Inside
from tests.server.running import Org


def everything(store: MovableStore) -> dict[str, Counter[tuple[Any, ...]]]:
    """All rows of all tables, columns in the order of their names; the line about the move itself left out."""
    with store.telling() as whole:
        return {
            table: Counter(
                tuple(map(plain, row))
                for row in whole.rows(table, sorted(columns))
                if "move to another store" not in row
            )
            for table, columns in whole.tables().items()
        }


def moved(inside: Inside, to: str) -> dict[str, int]:
    """Stop the server, move, start it again."""
    inside.store.close()
    folders, settings = config.load(inside.folders.data)
    counted = migrating.migrate(folders, settings, to)
    inside.open()
    return counted


@pytest.fixture
def worked(inside: Inside, ana: Device, bo: Device) -> bytes:
    """Both have written, an edit of both has met, one device was locked; the id of the disputed record."""
    id_ = ana.add("deal", name="Northwind", stage="engaging")
    ana.add("customer", name="Größe 王芳 \U0001f600", notes="two\nlines")
    ana.sync()
    bo.sync()
    for device, stage in ((ana, "won"), (bo, "lost")):
        device.edit(id_, stage=stage)
        device.sync()
    ana.sync()
    inside.lock(inside.device(inside.person("cy@example.com", "manager", "Sales/East"), "cy"))
    return id_


def test_no_device_notices_a_move_to_a_database_and_back(
    inside: Inside, ana: Device, bo: Device, worked: bytes, cluster: Cluster, database: str
) -> None:
    cursor = ana.cursor
    for to in (cluster.url(database), migrating.FILE, cluster.url(database)):
        assert moved(inside, to)["record"] == 2
        ana.session = bo.session = None  # those of the old process are gone, as after any start
        assert ana.cursor.epoch == cursor.epoch
        ana.edit(worked, name=f"after a move to {to[:4]}")
        ana.sync()
        bo.sync()
        assert bo.cells(worked) == ana.cells(worked)
        assert len(bo.rows) == 2
        cursor = ana.cursor


def test_everything_is_as_it_was(inside: Inside, worked: bytes, cluster: Cluster, database: str) -> None:
    before = everything(inside.store)
    moved(inside, cluster.url(database))
    assert everything(inside.store) == before
    moved(inside, migrating.FILE)
    assert everything(inside.store) == before
    assert sum(map(sum, (each.values() for each in before.values()))) > 20
    # numbers that the store gives by itself go on behind those that came
    devices = [each.enrolment for each in inside.office.devices()]
    moved(inside, cluster.url(database))
    inside.device(inside.person("dy@example.com"), "dy")
    assert [each.enrolment for each in inside.office.devices()][:-1] == devices
    with inside.store.read() as tx:
        assert tx.post.audit_lines()[-1].verb == "enrol"


def test_the_old_store_opens_no_more(inside: Inside, worked: bytes, cluster: Cluster, database: str) -> None:
    moved(inside, cluster.url(database))
    (aside,) = inside.folders.data.glob("store.db.given-up-*")
    old = SqliteStore.open(aside, config.read_store_key(inside.folders.store_key))
    with pytest.raises(StoreError, match="moved"), old.read():
        pytest.fail("read")
    with pytest.raises(StoreError, match="moved"), old.write():
        pytest.fail("written")
    old.close()
    moved(inside, migrating.FILE)
    kind, where = config.database(inside.folders, cluster.url(database))
    there = kind.open(where)
    with pytest.raises(StoreError, match="moved"), there.read():
        pytest.fail("read")
    there.close()


def test_a_move_that_fails_leaves_the_old_store_in_force(
    inside: Inside,
    ana: Device,
    worked: bytes,
    cluster: Cluster,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, before = cluster.url(database), everything(inside.store)

    def torn(self: moving.Tally, rows: Any) -> Any:
        for row in rows:
            self.rows += 1
            yield row
            if self.rows > 2:
                raise StoreError("the line broke")

    with monkeypatch.context() as patched:
        patched.setattr(moving.Tally, "counting", torn)
        with pytest.raises(StoreError, match="broke"):
            moved(inside, url)
    inside.open()
    assert inside.folders.store.exists()
    assert everything(inside.store) == before
    moved(inside, url)
    assert everything(inside.store) == before
    ana.session = None
    ana.sync()


def test_a_copy_that_differs_is_not_kept(
    inside: Inside, worked: bytes, cluster: Cluster, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = moving.Tally.counting

    def forgetful(self: moving.Tally, rows: Any) -> Any:
        exact = list(whole(self, rows))
        return iter(exact[:-1] if len(exact) == 2 else exact)

    with monkeypatch.context() as patched:
        patched.setattr(moving.Tally, "counting", forgetful)
        with pytest.raises(StoreError, match="not what was sent"):
            moved(inside, cluster.url(database))
    inside.open()
    kind, where = config.database(inside.folders, cluster.url(database))
    there = kind.open(where)
    with there.telling() as tables:
        assert list(tables.rows("person", ("id",))) == []
    there.close()


def test_another_organisations_store_is_not_taken(
    inside: Inside, worked: bytes, cluster: Cluster, database: str, tmp_path: Path
) -> None:
    other = Inside(tmp_path / "other", cluster.url(database))
    there = everything(other.store)
    other.store.close()
    with pytest.raises(KnownError, match="already"):
        moved(inside, cluster.url(database))
    other.open()
    assert everything(other.store) == there
    other.store.close()
    inside.open()


def test_the_command_moves_a_stopped_server_and_only_that(org: Org, cluster: Cluster, database: str) -> None:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    words = ("migrate", "--data", str(org.data), "--secrets", str(org.secrets), "--to")
    running = org.serve()
    refused = org.call("fieldkeep-server", *words, cluster.url(database), check=False)
    assert (refused.returncode, running.stop()) == (1, 0)
    done = org.call("fieldkeep-server", "--json", *words, cluster.url(database))
    assert json.loads(done.stdout)["rows"]["person"] == 2
    assert json.loads((org.data / "server.json").read_text())["store"] == cluster.url(database)
    assert [each["email"] for each in org.json("person", "list")] == ["ana@example.com", "it@example.com"]
    running = org.serve()
    assert org.code("ana@example.com")
    assert running.stop() == 0
    assert org.call("fieldkeep-server", *words, cluster.url(database), check=False).returncode == 1
    assert "moved" in org.call("fieldkeep-server", *words, "file").stdout
    assert [each["email"] for each in org.json("person", "list")] == ["ana@example.com", "it@example.com"]


def test_an_organisation_begins_in_a_database(
    org: Org, cluster: Cluster, database: str, tmp_path: Path
) -> None:
    other = Org(tmp_path / "other", org.scripts)
    other.folder.mkdir()
    assert other.init("--store", "postgresql://fieldkeep@/none?host=/nowhere", check=False).returncode == 1
    assert not other.data.exists()
    other.init("--store", cluster.url(database))
    assert not (other.data / "store.db").exists()
    assert [each["email"] for each in other.json("person", "list")] == ["it@example.com"]
    again = Org(tmp_path / "again", org.scripts)
    again.folder.mkdir()
    assert again.init("--store", cluster.url(database), check=False).returncode == 1
    assert not again.data.exists()


def test_a_database_that_is_gone_is_said_to_be(org: Org, cluster: Cluster, database: str) -> None:
    words = ("migrate", "--data", str(org.data), "--secrets", str(org.secrets), "--to", cluster.url(database))
    org.call("fieldkeep-server", *words)
    settings = json.loads((org.data / "server.json").read_text())
    settings["store"] = settings["store"].replace(database, "gone")
    (org.data / "server.json").write_text(json.dumps(settings))
    done = org.admin("person", "list", check=False)
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
