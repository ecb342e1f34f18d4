"""Lists fetch what is looked at, and hold still while the store changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from app.changes import Changes
from app.services.session import Session
from app.store import records
from app.store.store import Store
from app.viewmodels import found as found_list
from app.viewmodels.base import Errands
from app.viewmodels.found import FoundList
from app.viewmodels.reading import FOUND_FIRST
from app.viewmodels.records import PAGE, RecordList
from sync.protocol.kinds import KINDS
from tests.ui import sample
from tests.viewmodels.conftest import Held

CUSTOMER = KINDS["customer"]
NEWS = Changes((("customer", b"x" * 16),), "sync")


@pytest.fixture
def long_list(session: Session, held: Held) -> RecordList:
    """A list longer than a page, loaded."""
    with_many = [{"name": f"Customer {at:04}"} for at in range(5 * PAGE)]

    def many(store: Store) -> None:
        with records.batch(store) as batch:
            for values in with_many:
                batch.add(CUSTOMER, values)

    session.call(many)
    made = RecordList(session, Errands(held), CUSTOMER)
    made.load()
    held.turn()
    return made


def test_rows_come_in_pages_around_what_is_looked_at(long_list: RecordList, held: Held) -> None:
    assert long_list.count() == 5 * PAGE + len(sample.CUSTOMERS)
    assert long_list.row(0) is not None
    assert long_list.row(3 * PAGE) is None
    heard: list[tuple[int, int]] = []
    long_list.on_rows = lambda first, last: heard.append((first, last))
    assert long_list.row(3 * PAGE + 1) is None
    assert held.turn() == 1  # both rows in one question
    assert heard == [(3 * PAGE, 4 * PAGE - 1)]
    row = long_list.row(3 * PAGE)
    assert row is not None
    assert row.title.startswith("Customer ")


def test_a_row_stays_itself_while_others_come_before_it(
    long_list: RecordList, session: Session, held: Held
) -> None:
    chosen = long_list.rowid(PAGE)
    row = long_list.row(10)
    session.call(records.add, CUSTOMER, {"name": "AAA"})
    long_list.heard(NEWS)
    assert long_list.row(10) == row  # nothing moves before the answer is there
    held.turn()
    assert long_list.at(chosen) == PAGE + 1
    assert long_list.at(None) == -1


def test_news_that_come_close_together_are_read_twice_at_most(long_list: RecordList, held: Held) -> None:
    for _time in range(50):
        long_list.heard(NEWS)
    assert held.turn() == 2


def test_pages_of_a_server_that_come_close_together_are_read_after_a_rest(
    long_list: RecordList, held: Held
) -> None:
    for _time in range(50):
        long_list.heard(Changes((), "sync"))
    assert held.turn() == 1
    until = time.monotonic() + 30
    while not held.turn():
        assert time.monotonic() < until
        threading.Event().wait(0.01)
    assert held.turn() == 0
    long_list.heard(Changes((), "here"))  # a person's own act waits for no rest
    assert held.turn() == 1


def test_news_of_kinds_that_no_row_shows_are_left_alone(
    long_list: RecordList, session: Session, held: Held
) -> None:
    long_list.heard(Changes((("product", b"x" * 16),), "here"))
    assert held.turn() == 0
    deals = RecordList(session, Errands(held), KINDS["deal"])
    deals.heard(NEWS)  # deals show their customer's name
    assert held.turn() == 1


def test_a_deleted_record_leaves_the_list_and_its_place(
    long_list: RecordList, session: Session, held: Held
) -> None:
    shown, rowid = long_list.shown(0), long_list.rowid(0)
    assert shown is not None
    session.call(records.delete, shown.id)
    long_list.load()
    held.turn()
    assert long_list.at(rowid) == -1
    assert long_list.count() == 5 * PAGE + len(sample.CUSTOMERS) - 1


def test_after_closing_no_answer_brings_a_record_back(long_list: RecordList, held: Held) -> None:
    long_list.load()
    long_list.close()
    held.turn()
    assert long_list.count() == 0


def test_orders_of_a_list(session: Session, held: Held) -> None:
    deals = RecordList(session, Errands(held), KINDS["deal"], order="-amount")
    deals.load()
    held.turn()
    rows = [deals.row(at) for at in range(3)]
    assert [row.figure for row in rows if row] == ["¥680,000", "¥540,000", "¥128,000"]


def rested(held: Held, condition: Callable[[], bool]) -> None:
    """Let the moment pass in which nobody types."""
    until = time.monotonic() + 10
    while not condition():
        held.turn()
        assert time.monotonic() < until, "the rest was never looked for"


def test_the_last_letters_typed_win(session: Session, held: Held) -> None:
    found = FoundList(session, Errands(held))
    for text in ("A", "Ac", "Acm", "Bet"):
        found.find(text)
    assert held.turn() == 2  # the first, broken off; the last: its first rows
    titles = [row.title for at in range(found.count()) if (row := found.row(at))]
    assert "Betatech" in titles
    assert "Acme Corporation" not in titles
    found.find("")
    assert found.count() == 0


def test_the_first_rows_come_before_all_that_is_shown_and_news_keep_them(
    session: Session, held: Held
) -> None:
    made = [session.call(records.add, KINDS["customer"], {"name": f"Quaggaton {n:03d}"}) for n in range(120)]
    found, seen = FoundList(session, Errands(held)), []
    more: list[bool] = []
    found.watch(lambda: seen.append(found.count()))
    found.watch(lambda: more.append(found.more))
    found.find("quaggat")
    held.turn()
    assert seen == [FOUND_FIRST]
    rested(held, lambda: len(seen) == 2)
    found.heard(Changes((("customer", made[0].id),)))
    held.turn()
    assert seen == [FOUND_FIRST, 120, 120]
    found.find("quaggaton 1")
    held.turn()
    rested(held, lambda: len(seen) == 5)
    found.find("nobody is called so")
    held.turn()
    assert seen == [FOUND_FIRST, 120, 120, 20, 20, 0]
    assert more == [True, False, False, False, False, False]


def test_the_rest_waits_for_the_last_letter_and_not_for_who_scrolls_to_it(
    session: Session, held: Held
) -> None:
    for n in range(60):
        session.call(records.add, KINDS["customer"], {"name": f"Quaggaton {n:03d}"})
    found = FoundList(session, Errands(held))
    for text in ("quagga", "quaggat", "quaggato"):
        found.find(text)
        assert held.turn() == 1  # its first rows, and nothing of what the letter before still would look for
    assert found.count() == FOUND_FIRST
    found.look(range(14))
    assert held.turn() == 0
    found.look(range(FOUND_FIRST - 14, FOUND_FIRST))
    assert held.turn() == 1
    assert found.count() == 60


def test_what_was_found_is_shown_however_fast_news_come(session: Session, held: Held) -> None:
    for n in range(3):
        session.call(records.add, KINDS["customer"], {"name": f"Quaggaton {n:03d}"})
    found, seen = FoundList(session, Errands(held)), []
    found.watch(lambda: seen.append(found.count()))
    found.find("quagga")
    found.heard(NEWS)  # while the question is under way
    assert held.turn() == 1
    assert seen == [3]
    found.heard(NEWS)
    assert held.turn() == 0  # a server sends several a second: it is looked for again in a while
    rested(held, lambda: len(seen) == 2)
    assert seen == [3, 3]


def test_more_than_is_shown_is_said(session: Session, held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found_list, "FOUND_MAX", 60)
    for number in range(61):
        session.call(records.add, KINDS["customer"], {"name": f"Quaggaton {number:03d}"})
    found = FoundList(session, Errands(held))
    found.find("quaggat")
    held.turn()
    rested(held, lambda: found.count() == 60)
    assert found.more


def test_a_row_says_where_something_was_found(session: Session, held: Held) -> None:
    found = FoundList(session, Errands(held))
    found.find("chen@hengyuan")
    held.turn()
    row = next(row for at in range(found.count()) if (row := found.row(at)) and row.title == sample.FIRST)
    assert row.second == "Customer · E-mails: chen@hengyuan.example"
