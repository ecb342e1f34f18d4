"""The store's thread and the news of changes."""

from __future__ import annotations

import threading

import pytest

from app.changes import Bus, Changes
from app.store import records
from app.store.store import Store
from app.worker import Worker
from tests.store.device import CUSTOMER, Device


def test_work_is_done_in_order_in_one_thread_and_errors_come_back() -> None:
    worker, seen = Worker("test"), list[int]()
    futures = [worker.run(seen.append, n) for n in range(100)]
    bad = worker.run(lambda: 1 // 0)
    where = worker.run(threading.current_thread)
    assert [future.result(5) for future in futures] == [None] * 100
    assert seen == list(range(100))
    with pytest.raises(ZeroDivisionError):
        bad.result(5)
    assert where.result(5) is not threading.current_thread()
    assert worker.run(lambda: worker.here).result(5)
    assert not worker.here
    worker.close()


def test_closing_finishes_what_was_given_and_refuses_more() -> None:
    worker, seen, gate = Worker("test"), list[int](), threading.Event()
    worker.run(gate.wait, 5)
    for n in range(10):
        worker.run(seen.append, n)
    cancelled = worker.run(seen.append, 99)
    assert cancelled.cancel()
    gate.set()
    worker.close()
    worker.close()
    assert seen == list(range(10))
    with pytest.raises(RuntimeError):
        worker.run(seen.append, 1)


def test_a_worker_may_close_itself() -> None:
    worker = Worker("test")
    worker.run(worker.close).result(5)
    worker.close()


def test_a_store_belongs_to_the_thread_that_opened_it(device: Device) -> None:
    worker = Worker("store")

    def open_and_add() -> Store:
        store = device.create()
        records.add(store, CUSTOMER, {"name": "Anna"})
        return store

    store = worker.run(open_and_add).result(10)
    with pytest.raises(Exception, match=r"."):
        store.unsent()
    assert worker.run(store.unsent).result(10) == 1
    worker.run(device.close).result(10)
    worker.close()


def test_news_reach_everyone_who_asked_until_they_leave() -> None:
    bus, first, second = Bus(), list[Changes](), list[Changes]()
    leave = bus.subscribe(first.append)
    bus.subscribe(second.append)
    twice = bus.subscribe(second.append)
    news = Changes((("customer", b"i" * 16),), "sync")
    bus.publish(news)
    leave()
    leave()
    twice()
    bus.publish(Changes())
    assert first == [news]
    assert second == [news, news, Changes()]


def test_a_subscriber_may_leave_while_it_is_told() -> None:
    bus, told = Bus(), list[str]()

    def once(_changes: Changes) -> None:
        told.append("once")
        leave()

    leave = bus.subscribe(once)
    bus.subscribe(lambda _changes: told.append("always"))
    bus.publish(Changes())
    bus.publish(Changes())
    assert told == ["once", "always", "always"]
