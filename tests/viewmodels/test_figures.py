"""The figures of the page “Totals”: each currency apart, in the order of the field, each with the list behind it."""

from __future__ import annotations

import datetime as dt

import pytest

from app.services.session import Session
from app.store import lists, records
from app.store.filters import Asks, Condition, Filter
from app.store.store import Store
from app.viewmodels import figures
from app.viewmodels.desk import Desk
from app.viewmodels.figures import ALL, NUMBER, OPEN, Asked, Shown, When
from app.viewmodels.totals import Totals
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Value
from sync.protocol.kinds import KINDS
from tests.viewmodels.conftest import Held

DEAL = KINDS["deal"]
TODAY = dt.date(2026, 11, 29)


def deal(
    store: Store,
    stage: str | None,
    minor: int | None,
    close: str | None,
    owner: str | None = "",
    **more: Value,
) -> None:
    amount = {"minor": minor, "currency": more.pop("currency", "USD")} if minor is not None else None
    made = records.add(
        store, DEAL, {"name": f"{stage} {minor}", "stage": stage, "amount": amount, "close_on": close}
    )
    changed: dict[str, Value] = {"stage": stage}
    if owner != "":
        changed["owner"] = owner
    records.edit(store, made.id, changed)


def empty_and_fill(store: Store) -> None:
    for record in lists.page(store, DEAL, limit=100).records:
        records.delete(store, record.id)
    deal(store, "won", 100_00, "2025-12-31")
    deal(store, "won", 250_50, "2026-02-01", "ben@demo.example")
    deal(store, "lost", 70_00, "2026-04-10")
    deal(store, "proposal", 40_00, "2026-04-20", "Ben@Demo.example")
    deal(store, "proposal", 9_000_00, "2026-04-20", currency="CNY")
    deal(store, None, 5_00, None, None)
    deal(store, "engaging", None, "2026-04-01")


@pytest.fixture
def filled_anew(session: Session) -> Session:
    session.call(empty_and_fill)
    return session


def read(session: Session, by: str, own: str = "USD", **asked: Value) -> Shown:
    return session.read(figures.read, DEAL, Asked(by, **asked), TODAY, own)


def told(shown: Shown) -> list[tuple[str, str, str]]:
    return [(bar.name, bar.count, bar.sum) for bar in shown.bars]


def test_by_stage_in_the_order_of_stages_and_one_currency_at_a_time(filled_anew: Session) -> None:
    shown = read(filled_anew, "stage")
    assert shown.currency == "USD"
    assert told(shown) == [
        ("Proposal", "1", "$40"), ("Won", "2", "$350.50"), ("Lost", "1", "$70"), ("Without one", "1", "$5"),
    ]  # fmt: skip
    assert (shown.count, shown.sum) == ("5", "$465.50")
    assert shown.besides == "Not counted here: 1 in CNY · 1 without an amount"
    assert [round(bar.part, 3) for bar in shown.bars] == [0.114, 1.0, 0.2, 0.014]
    assert shown.currencies == ("USD", "CNY")
    assert told(read(filled_anew, "stage", own="CNY")) == [("Proposal", "1", "¥9,000")]
    assert read(filled_anew, "stage", own="GBP").currency == "USD", (
        "of those there are, the one most deals are in"
    )


def test_the_number_of_deals_adds_up_over_currencies(filled_anew: Session) -> None:
    shown = read(filled_anew, "stage", currency=NUMBER)
    assert told(shown) == [
        ("Engaging", "1", ""), ("Proposal", "2", ""), ("Won", "2", ""), ("Lost", "1", ""), ("Without one", "1", ""),
    ]  # fmt: skip
    assert (shown.count, shown.sum, shown.besides) == ("7", "", "")


def test_by_month_with_the_months_between_and_none_at_the_end(filled_anew: Session) -> None:
    shown = read(filled_anew, "close_on")
    assert told(shown) == [
        ("Dec 2025", "1", "$100"), ("Jan 2026", "0", "$0"), ("Feb 2026", "1", "$250.50"), ("Mar 2026", "0", "$0"),
        ("Apr 2026", "2", "$110"), ("Without a day", "1", "$5"),
    ]  # fmt: skip
    assert [bar.short for bar in shown.bars][:3] == ["Dec\n2025", "Jan\n2026", "Feb"]
    assert told(read(filled_anew, "close_on", when=When.LAST)) == [("Dec 2025", "1", "$100")]
    this = read(filled_anew, "close_on", when=When.THIS, state="won")
    assert told(this) == [("Feb 2026", "1", "$250.50")]


def test_by_owner_the_largest_first_and_one_person_however_written(filled_anew: Session) -> None:
    shown = read(filled_anew, "owner")
    assert [(name.replace("Ben", "ben"), *more) for name, *more in told(shown)] == [
        ("ben", "2", "$290.50"),
        ("anna", "2", "$170"),
        ("Nobody's", "1", "$5"),
    ]
    assert told(read(filled_anew, "owner", state=OPEN)) == [("Ben", "1", "$40"), ("Nobody's", "1", "$5")]
    assert told(read(filled_anew, "owner", mine=True)) == [("anna", "2", "$170")]


@pytest.mark.parametrize("by", ["stage", "owner", "close_on"])
@pytest.mark.parametrize("currency", [NUMBER, "USD"])
@pytest.mark.parametrize("state", [ALL, OPEN, "won"])
@pytest.mark.parametrize("more", [{}, {"when": When.THIS}, {"mine": True}])
def test_the_list_behind_a_bar_holds_what_the_bar_counts(
    filled_anew: Session, by: str, currency: str, state: str, more: dict[str, Value]
) -> None:
    shown = read(filled_anew, by, currency=currency, state=state, **more)
    for bar in shown.bars:
        assert len(filled_anew.read(lists.ids, DEAL, bar.filter, "")) == bar.kept, (bar.name, bar.filter)


def test_a_currency_can_be_asked_for_and_must_be_one(filled_anew: Session) -> None:
    def found(code: str) -> int:
        where = Filter((Condition("amount", Asks.CURRENCY, (code,)),))
        return len(filled_anew.read(lists.ids, DEAL, where, ""))

    assert (found("USD"), found("cny"), found("CHF")) == (5, 1, 0)
    with pytest.raises(FieldProblem):
        found("dollars")


def test_what_is_asked_stays_and_news_are_followed(filled_anew: Session, held: Held) -> None:
    session = filled_anew
    desk = Desk(session, held)
    session.bus.subscribe(lambda changes: held.post(lambda: desk.heard(changes)))
    page = desk.beside["totals"] = Totals(desk)
    page.look(True)
    held.turn()
    assert page.shown is not None
    assert page.shown.asked == Asked("stage")
    page.ask(by="owner")
    assert page.asked.state == OPEN, "a sum of won and lost says nothing"
    page.ask(by="stage")
    assert page.asked.state == ALL
    page.ask(state="won")
    page.ask(by="close_on")
    held.turn()
    assert page.asked.state == "won", "whoever has said which is not corrected"
    assert [bar.count for bar in page.shown.bars] == ["1", "0", "1"]
    session.call(deal, "won", 1_00, "2026-02-02")
    desk.on_news.tell()
    held.turn()
    assert [bar.count for bar in page.shown.bars] == ["1", "0", "2"]
    desk.close()
    assert page.shown is None
