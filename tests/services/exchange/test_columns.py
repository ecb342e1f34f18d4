"""Days, numbers and currencies are decided per column by the values that can be read in one way only."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from app.services.exchange import dates, numbers
from app.services.exchange.dates import Order
from sync.protocol.errors import FieldProblem
from sync.protocol.kinds import KINDS
from tests.services.exchange.conftest import Made, bring
from tests.services.exchange.twin import TwinBook

TODAY = dt.date(2026, 11, 22)


def days(*texts: str) -> list[str]:
    decided = dates.decide(texts)
    return [dates.read_day("d", text, decided, TODAY) for text in texts]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("10/20/2016", "3/4/2016"), ["2016-10-20", "2016-03-04"]),
        (("20/10/2016", "3/4/2016"), ["2016-10-20", "2016-04-03"]),
        (("20.10.2016", "03.04.2016"), ["2016-10-20", "2016-04-03"]),
        (("2016/3/4", "2016-03-05"), ["2016-03-04", "2016-03-05"]),
        (("2026年11月2日",), ["2026-11-02"]),
        (("20161102",), ["2016-11-02"]),
        (("2 Nov 2026", "Nov 3, 2026", "24 October 2011"), ["2026-11-02", "2026-11-03", "2011-10-24"]),
        (("3. März 2026", "4 mai 2026"), ["2026-03-03", "2026-05-04"]),
        (("12/31/99", "1/2/26", "1/2/47"), ["1999-12-31", "2026-01-02", "1947-01-02"]),
        (("2019-07-05 20:35:26", "2020-12-30 3:15:52"), ["2019-07-05", "2020-12-30"]),
        (("10/20/2016 3:15 PM",), ["2016-10-20"]),
        (("42663",), ["2016-10-20"]),
        (("1741255009000",), ["2025-03-06"]),
    ],
)
def test_days_read_by_what_decides_them(texts: tuple[str, ...], expected: list[str]) -> None:
    assert days(*texts) == expected


@pytest.mark.parametrize(
    ("texts", "order", "first"),
    [
        (("3/4/2016", "5/6/2016"), Order.MONTH, "2016-03-04"),
        (("3.4.2016", "5.6.2016"), Order.DAY, "2016-04-03"),
    ],
)
def test_what_nothing_decides_is_assumed_and_said(texts: tuple[str, ...], order: Order, first: str) -> None:
    decided = dates.decide(texts)
    assert (decided.order, decided.assumed) == (order, True)
    assert any("No value tells" in note for note in decided.notes())
    assert dates.read_day("d", texts[0], decided, TODAY) == first


def test_an_open_column_follows_the_others_of_its_file() -> None:
    decided = dates.decide(["20/10/2016"])
    open_column = dates.settle(dates.decide(["3/4/2016"]), [decided])
    assert (open_column.order, open_column.assumed) == (Order.DAY, False)
    torn = dates.settle(dates.decide(["3/4/2016"]), [decided, dates.decide(["10/20/2016"])])
    assert torn.assumed


def test_a_column_in_both_orders_reads_only_what_is_plain() -> None:
    decided = dates.decide(["10/20/2016", "20/10/2016", "3/4/2016"])
    assert decided.order is Order.MIXED
    assert dates.read_day("d", "10/20/2016", decided, TODAY) == "2016-10-20"
    assert dates.read_day("d", "20/10/2016", decided, TODAY) == "2016-10-20"
    with pytest.raises(FieldProblem, match="two ways"):
        dates.read_day("d", "3/4/2016", decided, TODAY)


def test_the_same_day_and_month_leave_nothing_open() -> None:
    decided = dates.decide(["5/5/2020", "7/7/2021"])
    assert not decided.assumed
    assert dates.read_day("d", "5/5/2020", decided, TODAY) == "2020-05-05"


@pytest.mark.parametrize("text", ["soon", "31/31/2020", "2020-02-30", "99", "30 Foo 2020", "0/1/2020"])
def test_what_is_no_day_is_said(text: str) -> None:
    with pytest.raises(FieldProblem):
        dates.read_day("d", text, dates.decide([text]), TODAY)


def test_moments_keep_hour_and_offset() -> None:
    decided = dates.decide(["10/20/2016 3:15 PM"])
    read = dates.read_moment("at", "10/20/2016 3:15 PM", decided, TODAY)
    assert read == "2016-10-20T15:15:00.000"
    assert (
        dates.read_moment("at", "2026-11-22T14:30:05.5-05:30", decided, TODAY)
        == "2026-11-22T14:30:05.500-05:30"
    )
    assert dates.read_moment("at", "1741255009000", decided, TODAY) == "2025-03-06T09:56:49.000+00:00"


def amounts(*texts: str, currency: str = "USD") -> list[tuple[int, str]]:
    decided = numbers.decide(texts, currency, named=False)
    found = [numbers.read_amount("a", text, decided) for text in texts]
    return [(int(each["minor"]), str(each["currency"])) for each in found]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("1,234.50", "9.9"), [(123450, "USD"), (990, "USD")]),
        (("1.234,50", "9,9", "2.000"), [(123450, "USD"), (990, "USD"), (200000, "USD")]),
        (("1.234", "2.500"), [(123400, "USD"), (250000, "USD")]),
        (("1,234", "2,500"), [(123400, "USD"), (250000, "USD")]),
        (("1100.04", "4618"), [(110004, "USD"), (461800, "USD")]),
        (("1 234,50 €", "1'000"), [(123450, "EUR"), (100000, "USD")]),
        (("$1,234", "-$5.00", "($7.50)"), [(123400, "USD"), (-500, "USD"), (-750, "USD")]),
        (("¥1200", "3万元", "1.5亿"), [(120000, "CNY"), (3000000, "CNY"), (15000000000, "USD")]),
        (("EUR 12", "12 GBP"), [(1200, "EUR"), (1200, "GBP")]),
        (("0.005",), [(0, "USD")]),
    ],
)
def test_amounts_read_by_their_column(texts: tuple[str, ...], expected: list[tuple[int, str]]) -> None:
    assert amounts(*texts) == expected


def test_a_sign_that_could_be_either_is_said() -> None:
    decided = numbers.decide(["1.234", "2.500"], "EUR", named=True)
    assert decided.assumed
    assert any("point" in note for note in decided.notes(amounts=True))
    undecided = numbers.decide(["12", "7"], "USD", named=False)
    assert undecided.notes(amounts=True) == ["No currency is named: read as USD."]


def test_numbers_written_in_two_ways_are_said() -> None:
    decided = numbers.decide(["1,234.50", "1.234,50"], "USD", named=True)
    assert decided.mixed
    assert numbers.read_amount("a", "1.234,50", decided) == numbers.read_amount("a", "1,234.50", decided)


@pytest.mark.parametrize("text", ["lots", "12 apples", "1-2", ""])
def test_what_is_no_amount_is_said(text: str) -> None:
    with pytest.raises(FieldProblem):
        numbers.read_amount("a", text, numbers.Numbers())


def test_whole_numbers() -> None:
    decided = numbers.decide(["2,822"], "USD", named=False)
    assert numbers.read_number("n", "2,822", decided) == 2822
    assert numbers.read_number("n", "60%", decided) == 60
    with pytest.raises(FieldProblem):
        numbers.read_number("n", "11-50", decided)


@pytest.mark.parametrize("filling", [" ", "1", "1 ", "(", "; ", ": ", "'", "a:", "1.", "::: ", "\t", "Jan "])
def test_a_hostile_cell_costs_no_time(filling: str, made: Made, book: TwinBook) -> None:
    """A cell as long as we let in, of what patterns like least, in every column of every kind."""
    cell = "x" + (filling * 130_000)[:130_000] + "y"
    began = time.monotonic()
    for kind in KINDS.values():
        headings = ",".join(field.name for field in kind.fields)
        row = ",".join(["name", *(f'"{cell}"' for _field in kind.fields[1:])])
        bring(book, made("t.csv", f"{headings}\n{row}\n{row}\n"), kind=kind)
    assert time.monotonic() - began < 20
