"""The store of a session: looks go beside writes, a lock breaks them off, and upkeep goes on while nobody acts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from app.errors import AppError, Locked
from app.keys import vault
from app.keys.secret import SecretBytes
from app.services import records as book
from app.services import spare, upkeep
from app.services.opening import open_session
from app.services.session import LOCK_UI, Session
from app.store import lists, records
from app.store.reader import Reader
from app.store.store import Store
from sync.protocol.kinds import KINDS
from tests.road import ANNA, Town

CUSTOMER = KINDS["customer"]
LONG = (
    "SELECT count(*) FROM record_customer a, record_customer b, record_customer c, record_customer d,"
    " record_customer e, record_customer f WHERE a._rowid + b._rowid + c._rowid + d._rowid + e._rowid < f._rowid"
)


@pytest.fixture
def session(town: Town) -> Iterator[Session]:
    """An open session with some customers."""
    with open_session(town.laptop(ANNA).profile) as opened:
        book.add_all(opened, CUSTOMER, [{"name": f"Customer {n}"} for n in range(200)])
        yield opened


def _until(true: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        threading.Event().wait(0.02)


def _in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    said = list[object]()

    def do() -> None:
        try:
            said.append(work())
        except AppError as problem:
            said.append(problem)

    thread = threading.Thread(target=do)
    thread.start()
    return thread, said


def test_looks_come_back_while_a_long_write_is_under_way(session: Session) -> None:
    begun, over = threading.Event(), threading.Event()

    def write(store: Store) -> None:
        with records.batch(store) as batch:
            batch.add(CUSTOMER, {"name": "In the midst of it"})
            begun.set()
            assert over.wait(30)

    thread, _said = _in_thread(lambda: session.call(write))
    assert begun.wait(10)
    try:
        for _look in range(20):
            assert session.read(lists.count, CUSTOMER) == 200
    finally:
        over.set()
        thread.join()
    assert session.read(lists.count, CUSTOMER) == 201


def test_a_look_after_a_save_sees_it(session: Session) -> None:
    for n in range(100):
        made = book.add(session, CUSTOMER, {"name": f"Saved {n}"})
        assert session.read(records.get, made.id).values["name"] == f"Saved {n}"
        book.delete(session, made.id)
        assert session.read(records.get, made.id).deleted


def test_a_lock_breaks_a_long_look_off_and_none_comes_after_it(session: Session) -> None:
    asking = threading.Event()

    def look(reader: Reader) -> object:
        asking.set()
        return reader.db.all(LONG)

    thread, said = _in_thread(lambda: session.read(look))
    others = [_in_thread(lambda: session.read(lists.count, CUSTOMER)) for _other in range(5)]
    assert asking.wait(10)
    session.lock()
    for waiting, _told in ((thread, said), *others):
        waiting.join(20)
        assert not waiting.is_alive()
    assert [type(each) for each in said] == [Locked]
    assert all(type(told[0]) in (Locked, int) for _thread, told in others)
    assert session.stage == LOCK_UI
    with pytest.raises(Locked):
        session.read(lists.count, CUSTOMER)
    names = {each.name for each in threading.enumerate()}
    assert "fieldkeep-upkeep" not in names  # its connection held a key
    session.unlock()
    assert session.read(lists.count, CUSTOMER) == 200


def test_lock_and_unlock_under_looks_and_saves_never_hangs(session: Session) -> None:
    over = threading.Event()

    def ask(work: Callable[[], object]) -> Callable[[], object]:
        def go() -> int:
            done = 0
            while not over.is_set():
                try:
                    work()
                    done += 1
                except Locked:
                    pass
            return done

        return go

    threads = [
        _in_thread(ask(lambda: session.read(lists.count, CUSTOMER))),
        _in_thread(ask(lambda: session.read(lambda reader: lists.page(reader, CUSTOMER)))),
        _in_thread(ask(lambda: book.add(session, CUSTOMER, {"name": "Meanwhile"}))),
    ]
    try:
        for _again in range(15):
            session.lock()
            session.unlock()
    finally:
        over.set()
        for thread, _said in threads:
            thread.join(30)
    assert not any(thread.is_alive() for thread, _said in threads)
    assert all(isinstance(said[0], int) for _thread, said in threads)


def test_the_key_is_asked_for_once_and_no_copy_of_it_stays(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.lock()
    session.unlock()
    given, made = list[SecretBytes](), list[SecretBytes]()
    open_key, init = vault.open_key, SecretBytes.__init__

    def noted(*arguments: object, **named: object) -> SecretBytes:
        given.append(open_key(*arguments, **named))  # type: ignore[arg-type]
        return given[-1]

    def noting(self: SecretBytes, data: bytearray | bytes | memoryview) -> None:
        init(self, data)
        made.append(self)

    monkeypatch.setattr(vault, "open_key", noted)
    monkeypatch.setattr(SecretBytes, "__init__", noting)
    assert session.read(lists.count, CUSTOMER) == 200
    assert len(given) == 1
    _until(lambda: all(each.wiped for each in made))


def test_upkeep_brings_the_log_in_and_merges_once_nobody_acts(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "QUIET_S", 0.05)

    def pieces(reader: Reader) -> int:
        return int(reader.db.one("SELECT count(DISTINCT segid) FROM words_customer_idx")[0])

    for n in range(40):
        book.add(session, CUSTOMER, {"name": f"One by one {n}"})
    _until(lambda: session.call(lambda store: store.db.logged()) == 0)
    _until(lambda: session.read(pieces) < 8)
    _until(lambda: session.call(lambda store: store.db.logged()) == 0)


def test_the_log_is_brought_in_while_somebody_goes_on_writing(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "QUIET_S", 3_600.0)
    monkeypatch.setattr(upkeep, "LOOK_S", 0.01)
    monkeypatch.setattr(upkeep, "PAGES", 20)
    monkeypatch.setattr(upkeep, "LONG", 200)
    log = session.profile.store.with_name("store.db-wal")
    sizes = []
    for turn in range(40):
        many = [{"name": f"Turn {turn} {n}", "notes": "n" * 1_000} for n in range(40)]
        book.add_all(session, CUSTOMER, many)
        sizes.append(log.stat().st_size)
        threading.Event().wait(0.03)
    assert sizes[-1] < 3_000_000 < 40 * 200_000  # what the turns have written, were it kept


def test_what_many_writes_leave_in_memory_is_given_back_once_nobody_acts(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "QUIET_S", 3_600.0)

    def held() -> float:
        return float(psutil.Process().memory_info().rss / 2**20)

    for _some in range(4):
        book.add_all(session, CUSTOMER, [{"name": f"Many {n}", "notes": "n" * 20_000} for n in range(500)])
    spare.give_back()  # what Python has let go of: the rest is pages of the store
    full = held()
    monkeypatch.setattr(upkeep, "QUIET_S", 0.05)
    _until(lambda: held() < full - 20)
    book.add(session, CUSTOMER, {"name": "And it goes on"})
    assert session.read(lists.count, CUSTOMER) == 2_201


def test_a_store_that_closes_leaves_no_log(session: Session) -> None:
    book.add(session, CUSTOMER, {"name": "The last one"})
    session.lock()
    names = {path.name for path in session.profile.folder.iterdir()}
    assert not {"store.db-wal", "store.db-shm"} & names
