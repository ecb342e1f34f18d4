"""Values as people read them, in the languages that we offer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from app.viewmodels import words
from sync.protocol import money, texts
from sync.protocol.kinds import KINDS

NOON = int(dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC).timestamp() * 1000)
DAY = 86_400_000


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    texts.use("en")


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (4_230_000, "USD", "$42,300"),
        (4_230_050, "USD", "$42,300.50"),
        (68_000_000, "CNY", "¥680,000"),
        (500, "JPY", "JP¥500"),
        (-12_345, "EUR", "−€123.45"),
        (5_400_000, "CHF", "54,000 CHF"),
        (0, "USD", "$0"),
    ],
)
def test_amounts_are_short_and_exact(minor: int, currency: str, shown: str) -> None:
    assert words.amount({"minor": minor, "currency": currency}) == shown


@pytest.mark.parametrize("currency", sorted({*money.SIGNS.values(), "SEK", "AUD"}))
def test_an_amount_that_is_shown_may_be_typed_back(currency: str) -> None:
    value = money.parse("1234567.00", currency)
    assert value is not None
    assert money.parse(words.amount(value), "XXX") == value


def test_sums_stay_apart_by_currency() -> None:
    amounts = [
        {"minor": 100, "currency": "USD"},
        {"minor": 250, "currency": "CNY"},
        {"minor": 300, "currency": "USD"},
    ]
    assert words.sums(amounts) == "$4 · ¥2.50"


def test_days_are_told_by_nearness() -> None:
    today = dt.date(2026, 11, 22)
    told = {
        iso: words.day(iso, today)
        for iso in ("2026-11-21", "2026-11-22", "2026-11-23", "2026-12-20", "2027-01-06")
    }
    assert list(told.values()) == ["Yesterday", "Today", "Tomorrow", "20 Dec", "6 Jan 2027"]
    assert words.day("not a day") == "not a day"


def test_how_long_ago_is_told_in_days_up_to_a_year() -> None:
    assert [words.ago(NOON - days * DAY, NOON) for days in (0, 1, 8, 364)] == [
        "Today",
        "Yesterday",
        "8 d",
        "364 d",
    ]
    assert words.ago(NOON - 400 * DAY, NOON) == "Oct 2025"
    assert words.ago(0, NOON) == ""


def test_a_moment_has_its_time_only_while_it_is_near() -> None:
    assert words.moment(NOON - DAY, NOON, "Asia/Shanghai") == "Yesterday 20:00"
    assert words.moment(NOON - 30 * DAY, NOON, "Asia/Shanghai") == "23 Oct"


def test_an_unknown_zone_is_shown_in_ours() -> None:
    assert words.clock(NOON, "Nowhere/Atall") == words.clock(NOON)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_addresses_are_in_the_order_of_their_place_whoever_reads_them(language: str) -> None:
    texts.use(language)
    parts = {"street": "张江路 100 号", "postcode": "201203", "city": "上海", "country": "中国"}
    assert words.address(parts) == "中国 上海 张江路 100 号 201203"
    parts = {"street": "1 Main St", "postcode": "02110", "city": "Boston", "country": "美国"}
    assert words.address(parts) == "1 Main St, 02110, Boston, 美国"


def test_days_figures_and_amounts_follow_traditional_chinese() -> None:
    texts.use("zh_TW")
    today = dt.date(2026, 11, 22)
    assert [words.day(iso, today) for iso in ("2026-11-21", "2026-12-20", "2027-01-06")] == [
        "昨天",
        "12月20日",
        "2027年1月6日",
    ]
    assert (words.ago(NOON - 8 * DAY, NOON), words.ago(NOON - 400 * DAY, NOON)) == ("8 天前", "2025年10月")
    assert (words.long_day("2026-11-22"), words.number(12_481)) == ("2026年11月22日", "12,481")
    assert words.amount({"minor": 125_050, "currency": "TWD"}) == "NT$1,250.50"


def test_several_values_name_their_labels_only_when_there_are_several() -> None:
    field = KINDS["customer"].by_name["phones"]
    one = [{"id": "0" * 16, "label": "work", "value": "+49 30 1"}]
    both = [*one, {"id": "1" * 16, "label": "Yard", "value": "+49 30 2"}]
    assert words.value(field, one, lambda _id: "") == "+49 30 1"
    assert words.value(field, both, lambda _id: "") == "+49 30 1 (Work)\n+49 30 2 (Yard)"


@pytest.mark.parametrize("language", ["en", "zh_CN", "zh_TW"])
def test_what_is_written_without_babel_is_what_babel_writes(language: str) -> None:
    texts.use(language)
    locale = words._locale()
    assert texts.language() == language
    assert words._babel().dates.__name__ == "babel.dates"
    for month in range(1, 13):
        date = dt.date(2024 + month % 3, month, 2 * month)
        for skeleton in words._DAYS[language]:
            told = words._babel().dates.format_skeleton(skeleton, date, locale=locale)
            assert words._written(skeleton, date) == told
    for value in (0, 7, 999, 1_000, -1_234, 1_234_567, 10**12):
        assert words.number(value) == words._babel().numbers.format_decimal(value, locale=locale)
    for minor in (0, 5, 120, 123_456, 98_765_432_100):
        shown = words.amount({"minor": minor, "currency": "USD"})
        told = words._babel().numbers.format_decimal(minor / 100, format="#,##0.00", locale=locale)
        assert shown == "$" + told.removesuffix(".00")
