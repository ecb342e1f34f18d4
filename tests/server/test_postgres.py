"""The PostgreSQL store: the contract, the order of numbers, and what a database can suffer or be made to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from sync.server.db import postgres, postgres_line
from sync.server.db.base import Store
from sync.server.db.moving import MovableStore
from sync.server.db.postgres import PostgresStore
from sync.server.db.postgres_line import Address, address
from sync.server.db.schema import STEPS, VERSION
from sync.server.db.sqlite import SqliteStore
from sync.server.errors import SetupError, StoreBusy, StoreError
from tests.cluster import PASSWORD, Cluster
from tests.forks import wait_until
from tests.server.store_contract import OPEN, StoreContract, device, held

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock' "
    "AND application_name = 'fieldkeep'"
)


@pytest.fixture
def where(cluster: Cluster, database: str, tmp_path: Path) -> Address:
    """A database for one test, reached by its socket."""
    return address(cluster.url(database), tmp_path / "database.password", tmp_path / "database.crt")


@pytest.fixture
def opened() -> Iterator[Callable[[Store], Store]]:
    """Closes at the end what a test has opened."""
    stores: list[Store] = []

    def keep(store: Store) -> Store:
        stores.append(store)
        return store

    yield keep
    for each in stores:
        each.close()


@pytest.fixture
def store(where: Address) -> Iterator[PostgresStore]:
    """A store with one record in it."""
    made = PostgresStore.create(where)
    with made.write() as tx:
        tx.records.put(held(b"1" * 16, tx.records.next_seq()), None, 1)
    yield made
    made.close()


class TestPostgres(StoreContract):
    """The contract, on a database."""

    @pytest.fixture
    def again(self, where: Address) -> Iterator[OPEN]:
        """Close the store and open it."""
        opened: list[PostgresStore] = []

        def reopen() -> Store:
            if opened:
                opened[-1].close()
                opened.append(PostgresStore.open(where))
            else:
                opened.append(PostgresStore.create(where))
            return opened[-1]

        yield reopen
        for each in opened:
            each.close()


def tables(store: MovableStore) -> dict[str, list[str]]:
    """What a store keeps."""
    with store.telling() as whole:
        return {table: sorted(columns) for table, columns in whole.tables().items()}


def test_both_stores_have_the_same_tables(store: PostgresStore, tmp_path: Path) -> None:
    file = SqliteStore.create(tmp_path / "store.db", bytearray(range(32)))
    assert tables(store) == tables(file)
    file.close()


# -- numbers


def _slow_writer(cluster: Cluster, database: str) -> psycopg.Connection[tuple[object, ...]]:
    """A second connection in the midst of a write, begun as the store's own begins."""
    connection = psycopg.connect(
        host=str(cluster.folder), port=cluster.port, user="fieldkeep", dbname=database,
        options="-c search_path=fieldkeep",
    )  # fmt: skip
    (seq,) = connection.execute(b"SELECT seq FROM meta" + postgres.LOCKING.encode()).fetchone() or (0,)
    connection.execute("UPDATE meta SET seq = %s", (int(str(seq)) + 1,))
    return connection


def test_a_slow_transaction_with_a_lower_number_does_not_come_after_a_faster_one(
    cluster: Cluster, database: str, store: PostgresStore
) -> None:
    slow = _slow_writer(cluster, database)
    given: list[int] = []

    def fast() -> None:
        with store.write() as tx:
            given.append(tx.records.next_seq())

    with ThreadPoolExecutor(1) as pool, cluster.admin() as admin:
        running = pool.submit(fast)
        wait_until(lambda: admin.execute(WAITING, (database,)).fetchone() == (1,), "nobody waits")
        assert given == []  # no number while a lower one is not visible yet
        with store.read() as tx:
            assert tx.records.head() == 1  # who reads waits for nobody
        slow.execute(
            "INSERT INTO record (id, kind, ver, deleted, scope_person, scope_team, owner, creator, device, "
            "incarnation, person, hlc, cells, marks) VALUES (%s, 'customer', 2, 0, '', '', '', '', '', '', '', 1, "
            "'\\x80', '\\x90')",
            (b"2" * 16,),
        )
        slow.commit()
        running.result(30)
    slow.close()
    assert given == [3]
    with store.read() as tx:
        assert [entry.ver for entry in tx.records.after(0)] == [1, 2]


def test_a_writer_that_waits_too_long_is_told_so(
    cluster: Cluster, database: str, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "WAIT_S", 0.05)
    hold = threading.Event()
    with store.write(), pytest.raises(StoreBusy), store.write():
        hold.set()
    assert not hold.is_set()
    store.close()
    monkeypatch.setattr(postgres_line, "WAIT_S", 1)
    again = PostgresStore.open(address(cluster.url(database), Path("none"), Path("none")))
    slow = _slow_writer(cluster, database)
    with pytest.raises(StoreBusy), again.write():
        hold.set()
    assert not hold.is_set()
    slow.close()
    with again.write() as tx:
        assert tx.records.next_seq() == 2
    again.close()


def test_one_store_has_one_server(
    where: Address, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_line, "WAIT_S", 1)
    with pytest.raises(SetupError, match="Another process"):
        PostgresStore.open(where)
    store.close()
    PostgresStore.open(where).close()


# -- what a database can suffer


def test_a_line_that_broke_is_made_anew(cluster: Cluster, database: str, store: PostgresStore) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with store.read() as tx:
        assert tx.records.head() == 1
    with cluster.admin() as admin:
        admin.execute(cut, (database,))
    with store.read() as tx:
        assert tx.records.head() == 1
    with store.write() as tx:
        tx.records.next_seq()
    with pytest.raises(StoreError), store.write() as tx, cluster.admin() as admin:
        tx.records.next_seq()
        admin.execute(cut, (database,))
        tx.people.persons()
    with store.write() as tx:
        assert tx.records.next_seq() == 3


def test_foreign_errors_do_not_come_out_with_their_text(store: PostgresStore) -> None:
    with pytest.raises(StoreError) as error, store.write() as tx:
        tx.records.put(held(b"2" * 16, 1), None, 1)  # one number twice
    assert "record" not in str(error.value) + error.value.hint
    assert error.value.__cause__ is None
    with store.read() as tx:
        assert tx.records.held(b"2" * 16) is None


def test_what_failed_is_not_committed_by_somebody_who_looks_away(store: PostgresStore) -> None:
    with pytest.raises(StoreError), store.write() as tx:
        tx.records.next_seq()
        with pytest.raises(psycopg.Error):
            tx.records.put(held(b"2" * 16, 1), None, 1)
            tx.records.of_person(b"")  # who reads has what was put written
    with store.read() as tx:
        assert tx.records.head() == 1


def test_text_that_postgresql_cannot_keep_is_kept_without_what_it_cannot(store: PostgresStore) -> None:
    with store.write() as tx:
        tx.people.put_device(device(app_version="1\x00\ud800", platform="\n"))
        tx.people.put_device(device(app_version="2\x00", platform="\n"))
    with store.read() as tx:
        assert [each.app_version for each in tx.people.devices()] == ["2\ufffd"]


def test_an_absent_store_is_never_made_anew_and_one_that_is_there_never_made_over(where: Address) -> None:
    with pytest.raises(StoreError):
        PostgresStore.open(where)
    PostgresStore.create(where).close()
    with pytest.raises(StoreError):
        PostgresStore.create(where)


def test_a_store_of_yesterday_is_brought_on_and_one_of_tomorrow_refused(
    where: Address, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, opened: Callable[[Store], Store]
) -> None:
    monkeypatch.setattr(postgres, "STEPS", STEPS[:2])
    monkeypatch.setattr(postgres, "VERSION", 2)
    old = PostgresStore.create(where)
    with old.filling() as whole:
        row = ("e1", "r1", b"signed", 7, 9, 5, b"an outbox", 1)
        names = (
            "enrolment",
            "receipt_id",
            "envelope",
            "received",
            "outbox_bytes",
            "outbox_records",
            "outbox",
            "rowid",
        )
        whole.fill("receipt", names, [row])
    old.close()
    monkeypatch.undo()
    store = PostgresStore.open(where)
    opened(store)
    file = SqliteStore.create(tmp_path / "store.db", bytearray(range(32)))
    opened(file)
    assert tables(store) == tables(file)
    with store.read() as tx:
        (sealed,) = tx.post.sealed("e1")
        assert (sealed.length, sealed.whole) == (9, True)
        assert tx.post.sealed_bytes("e1", sealed.sha256, 0) == b"an outbox"
    store.close()
    monkeypatch.setattr(postgres, "VERSION", VERSION - 1)
    with pytest.raises(StoreError, match="newer"):
        PostgresStore.open(where)


def test_its_room_is_what_the_operator_grants(where: Address, store: PostgresStore) -> None:
    assert store.room() == postgres.PLENTY
    store.close()
    for most, left in ((2**40, True), (2**20, False)):
        bounded = PostgresStore.open(where, most)
        assert (bounded.room() > 0) is left
        assert bounded.room() < most
        bounded.close()


# -- how it is reached


@pytest.mark.parametrize(
    "url",
    [
        "mysql://fieldkeep@/fk",
        "postgresql://fieldkeep@db.example.com",
        "postgresql://db.example.com/fk",
        "postgresql://fieldkeep:hunter2@db.example.com/fk",
        "postgresql://fieldkeep@db.example.com/fk?password=hunter2",
        "postgresql://fieldkeep@db.example.com/fk?sslmode=require",
        "postgresql://fieldkeep@db.example.com/fk?sslmode=disable",
        "postgresql://fieldkeep@db.example.com/fk?options=-csearch_path%3Dother",
        "postgresql://fieldkeep@db.example.com/fk?hunter2",
        "postgresql://fieldkeep@/fk?host=/run/postgresql,db.example.com&sslmode=prefer",
    ],
)
def test_an_address_that_gives_something_away_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError) as refused:
        address(url, tmp_path / "database.password", tmp_path / "database.crt")
    assert "hunter2" not in str(refused.value) + refused.value.hint


def test_the_network_is_verified_tls_with_a_password_from_its_file(
    cluster: Cluster, database: str, tmp_path: Path
) -> None:
    password, authority = tmp_path / "database.password", tmp_path / "database.crt"

    def there() -> Address:
        return address(cluster.tcp_url(database), password, authority)

    with pytest.raises(StoreError):  # an authority that nobody has named
        PostgresStore.create(there())
    authority.write_bytes(cluster.authority.read_bytes())
    with pytest.raises(StoreError) as refused:
        PostgresStore.create(there())
    password.write_text("wrong\n")
    with pytest.raises(StoreError) as refused:
        PostgresStore.create(there())
    assert "wrong" not in str(refused.value) + refused.value.hint
    password.write_text(f"{PASSWORD}\n")
    store = PostgresStore.create(there())
    with store.write() as tx:
        assert tx.records.next_seq() == 1
    with cluster.admin() as admin:
        asked = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = %s AND NOT ssl"
        assert admin.execute(asked, (database,)).fetchone() == (0,)
    store.close()


def test_a_name_that_the_certificate_does_not_say_is_refused(
    cluster: Cluster, database: str, tmp_path: Path
) -> None:
    authority = tmp_path / "database.crt"
    authority.write_bytes(cluster.authority.read_bytes())
    (tmp_path / "database.password").write_text(PASSWORD)
    url = cluster.tcp_url(database).replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(StoreError):
        PostgresStore.create(address(url, tmp_path / "database.password", authority))


def test_a_user_that_may_do_too_much_is_refused(cluster: Cluster, database: str) -> None:
    url = cluster.url(database).replace("fieldkeep@", "postgres@")
    with pytest.raises(SetupError, match="too much"):
        PostgresStore.create(address(url, Path("none"), Path("none")))


def test_a_database_without_the_schema_is_refused(cluster: Cluster, database: str, where: Address) -> None:
    with cluster.admin(database) as admin:
        admin.execute("DROP SCHEMA fieldkeep CASCADE")
    with pytest.raises(SetupError, match="schema"):
        PostgresStore.create(where)


def test_a_database_that_loses_what_it_took_is_refused(cluster: Cluster, where: Address) -> None:
    def fsync(value: str) -> None:
        with cluster.admin() as admin:
            admin.execute(f"ALTER SYSTEM SET fsync = {value}".encode())
            admin.execute("SELECT pg_reload_conf()")

        def taken() -> bool:
            with cluster.admin() as admin:
                return admin.execute("SHOW fsync").fetchone() == (value,)

        wait_until(taken, "the setting is not taken")

    fsync("off")
    try:
        with pytest.raises(SetupError, match="power cut"):
            PostgresStore.create(where)
    finally:
        fsync("on")


def test_the_servers_user_owns_its_schema_and_nothing_else(
    cluster: Cluster, database: str, where: Address
) -> None:
    PostgresStore.create(where).close()
    line = psycopg.connect(host=str(cluster.folder), port=cluster.port, user="fieldkeep", dbname=database)
    for statement in (
        "CREATE TABLE public.t (x int)",
        "CREATE SCHEMA s",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            line.execute(statement.encode())
        line.rollback()
    line.close()
