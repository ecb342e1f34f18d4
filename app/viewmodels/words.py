"""Values, days and sums as a person reads them: by the reader's language, short where a list has no room."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from app.store import words as search
from sync.protocol import money, texts
from sync.protocol.fields import (
    Address,
    Choice,
    Content,
    Date,
    Field,
    Flag,
    Instant,
    Money,
    Person,
    Ref,
    Several,
    Tags,
    Value,
)
from sync.protocol.joins import listed, remarked, sized
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_

_EAST_ASIAN: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # kana, Han, Hangul

_BRIEF: Final = 5  # letters of a figure that stands above a column

DOT = " · "
DASH = "–"

LABELS = {
    "work": N_("Work"),
    "mobile": N_("Mobile"),
    "home": N_("Home"),
    "other": N_("Other"),
    "main": N_("Main"),
    "shop": N_("Shop"),
    "fax": N_("Fax"),
}
ADDRESS_LABELS = {
    "street": N_("Street"),
    "postcode": N_("Postcode"),
    "city": N_("City"),
    "region": N_("Region"),
    "country": N_("Country"),
}

# The first sign that money.parse knows for a currency: what is shown may be typed back.
_SIGNS = {code: sign for sign, code in reversed(money.SIGNS.items()) if sign != code}

# How the languages of our own catalogues write days and figures: a list shows both, and babel, which knows all
# languages, takes longer to load than the list to read and paint. A test holds this against babel.
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec")
_EASTERN: Final = {"yMMM": "{y}年{m}月", "MMMd": "{m}月{d}日", "yMMMd": "{y}年{m}月{d}日"}
_DAYS: Final = {
    "en": {"yMMM": "{month} {y}", "MMMd": "{d} {month}", "yMMMd": "{d} {month} {y}"},
    "zh_CN": _EASTERN,
    "zh_TW": _EASTERN,
}

TitleOf = Callable[[bytes], str]


def number(value: int) -> str:
    """A whole number with the reader's grouping."""
    if texts.language() in _DAYS:
        return f"{value:,}"
    return str(_babel().numbers.format_decimal(value, locale=_locale()))


def amount(value: Mapping[str, Any]) -> str:
    """A sum of money, without a fraction when it has none; its sign is one that a form takes back."""
    currency = value["currency"]
    decimal = money.decimal(value["minor"], currency)
    whole = decimal == decimal.to_integral_value()
    digits = 0 if whole else max(0, -int(decimal.as_tuple().exponent))
    if texts.language() in _DAYS:
        figure = f"{abs(decimal):,.{digits}f}"
    else:
        figure = _babel().numbers.format_decimal(
            abs(decimal), format=f"#,##0.{'0' * digits}" if digits else "#,##0", locale=_locale()
        )
    sign = _SIGNS.get(currency)
    minus = "−" if decimal < 0 else ""
    return f"{minus}{sign}{figure}" if sign else f"{minus}{figure} {currency}"


def compact(value: Mapping[str, Any] | int) -> str:
    """A figure where there is hardly room, such as "118K" or "11.8万"; of money without its sign."""
    plain = value if isinstance(value, int) else money.decimal(value["minor"], value["currency"])
    whole, exact = (
        str(_babel().numbers.format_compact_decimal(plain, fraction_digits=digits, locale=_locale()))
        for digits in (0, 1)
    )
    return exact if len(exact) <= _BRIEF else whole


def sums(values: Sequence[Mapping[str, Any]]) -> str:
    """The sums of several amounts, one per currency, the largest count first."""
    totals: dict[str, int] = {}
    for value in values:
        totals[value["currency"]] = totals.get(value["currency"], 0) + value["minor"]
    return DOT.join(amount({"minor": minor, "currency": currency}) for currency, minor in totals.items())


def day(iso: str, today: dt.date | None = None) -> str:
    """A day: "Today", "Tomorrow", "18 Nov", with the year when it is another one."""
    try:
        date = dt.date.fromisoformat(iso)
    except ValueError:
        return iso
    today = today or _today()
    near = {-1: _("Yesterday"), 0: _("Today"), 1: _("Tomorrow")}.get((date - today).days)
    return near if near is not None else _date(date, today)


def near_day(iso: str, today: dt.date) -> str:
    """A day beside others that are near: with its weekday, "Thu, 3 Dec", unless it is today or next to it."""
    try:
        date = dt.date.fromisoformat(iso)
    except ValueError:
        return iso
    if not 1 < abs((date - today).days) < 7:
        return day(iso, today)
    return str(_babel().dates.format_skeleton("MMMEd", date, locale=_locale()))


def month(iso: str, *, short: bool = False) -> str:
    """A month such as "2026-11": "Nov 2026"; in short "Nov"."""
    try:
        first = dt.date.fromisoformat(f"{iso}-01")
    except ValueError:
        return iso
    skeleton = "MMM" if short else "yMMM"
    return str(_babel().dates.format_skeleton(skeleton, first, locale=_locale()))


def whole_day(date: dt.date) -> str:
    """A day in full: "Sunday, 29 November 2026"."""
    return str(_babel().dates.format_date(date, format="full", locale=_locale()))


def day_of(at_ms: int) -> str:
    """The day of UTC milliseconds, as `day`."""
    return day(_local(at_ms).date().isoformat())


def ago(at_ms: int, now_ms: int) -> str:
    """How long ago, in days: "Today", "Yesterday", "8 d", and the month and year from a year on."""
    if not at_ms:
        return ""
    then, now = _local(at_ms).date(), _local(now_ms).date()
    days = (now - then).days
    if days <= 0:
        return _("Today")
    if days == 1:
        return _("Yesterday")
    if days < 365:
        return _("{n} d").format(n=days)
    return _written("yMMM", then)


def moment(at_ms: int, now_ms: int, zone: str = "") -> str:
    """A moment: the day and, when it is near, the time."""
    then, now = _local(at_ms, zone), _local(now_ms, zone)
    shown = day(then.date().isoformat(), now.date())
    near = abs((now.date() - then.date()).days) < 7
    return f"{shown} {clock(at_ms, zone)}" if near else shown


def clock(at_ms: int, zone: str = "") -> str:
    """The time of day of UTC milliseconds."""
    return str(_babel().dates.format_time(_local(at_ms, zone), format="HH:mm", locale=_locale()))


def percent(share: int) -> str:
    """So many in a hundred."""
    return str(_babel().numbers.format_percent(share / 100, locale=_locale()))


def zone() -> str:
    """The IANA name of this machine's zone, or UTC when it has none."""
    return getattr(_babel().localtime.get_localzone(), "key", None) or "UTC"


def label_of(label: str) -> str:
    """The label of one of several values in the reader's language; a person's own label as it is."""
    return _(LABELS[label]) if label in LABELS else label


def value(field: Field, held: Value, title_of: TitleOf) -> str:
    """A value in words, several of them on lines of their own; "" for none."""
    if held is None:
        return ""
    type_ = field.type
    if isinstance(type_, Choice):
        return type_.label(held)
    if isinstance(type_, Flag):
        return _("Yes") if held else _("No")
    if isinstance(type_, Money):
        return amount(held)
    if isinstance(type_, Ref):
        return title_of(held)
    if isinstance(type_, Date):
        return long_day(held)
    if isinstance(type_, Instant):
        return f"{long_day(_local(held['at'], held['zone']).date().isoformat())} {clock(held['at'], held['zone'])}"
    if isinstance(type_, Several):
        if len(held) == 1:
            return _bare(held[0]["value"])
        return "\n".join(_labelled(element) for element in held)
    if isinstance(type_, Address):
        return address(held)
    if isinstance(type_, Tags):
        return listed(held)
    if isinstance(type_, Content):
        return sized(held["size"])
    return str(held)


def brief(field: Field, held: Value, title_of: TitleOf, now_ms: int) -> str:
    """A value for one place in a list row: a day by its nearness, an address by its city, one of several."""
    if held is None:
        return ""
    if isinstance(field.type, Address):
        return str(held.get("city") or held.get("region") or held.get("country") or held.get("street") or "")
    if isinstance(field.type, Date):
        return day(held, _local(now_ms).date())
    if isinstance(field.type, Instant):
        return moment(held["at"], now_ms, held["zone"])
    if isinstance(field.type, Several):
        return str(held[0]["value"]) if held else ""
    if isinstance(field.type, Person):
        return person(held)
    return value(field, held, title_of)


def met(field: str, who: str) -> str:
    """What happened where edits met: in a field of this label, or to the whole record; `who`: one person."""
    if field:
        return _("{field} changed twice, both values kept").format(field=field)
    if who:
        return _("Changed on one device, deleted on another")
    return _("Changed by one, deleted by another")


def one_person(who: str) -> str:
    """What a conflict says whose two values are one person's; "" for two people's."""
    told = _("Both are by {who}, from two devices that did not know of each other yet.")
    return told.format(who=person(who)) if who else ""


def chosen_differently(first: str, then: str) -> str:
    """What a conflict says whose two sides are what two people chose about an earlier one."""
    told = _("{first} and {second} settled this differently. {first} was first, so that stands for now.")
    return told.format(first=person(first), second=person(then))


def person(text: str) -> str:
    """Who somebody is where there is no room for a whole e-mail address."""
    return text.partition("@")[0]


def long_day(iso: str) -> str:
    """A day with its year, in the reader's way."""
    try:
        return str(_babel().dates.format_date(dt.date.fromisoformat(iso), format="medium", locale=_locale()))
    except ValueError:
        return iso


def address(parts: Mapping[str, str]) -> str:
    """An address on one line, as it stands on an envelope there: East Asian scripts go from the country to the door."""
    order, between = ("street", "postcode", "city", "region", "country"), ", "
    if _EAST_ASIAN.search("".join(parts.get(part, "") for part in ("street", "city", "region"))):
        order, between = ("country", "region", "city", "street", "postcode"), " "
    return between.join(parts[part] for part in order if parts.get(part))


def _labelled(element: Mapping[str, str]) -> str:
    label = label_of(element.get("label", ""))
    text = _bare(element["value"])
    return remarked(text, label) if label else text


def _bare(text: str) -> str:
    """A web address without what every address has."""
    return text.removeprefix("https://").removeprefix("http://").removesuffix("/")


def _date(date: dt.date, today: dt.date) -> str:
    skeleton = "MMMd" if date.year == today.year else "yMMMd"
    return _written(skeleton, date)


def _written(skeleton: str, date: dt.date) -> str:
    """A day by one of the skeletons of `_DAYS`."""
    ours = _DAYS.get(texts.language())
    if ours is not None:
        return ours[skeleton].format(y=date.year, m=date.month, d=date.day, month=_MONTHS[date.month - 1])
    return str(_babel().dates.format_skeleton(skeleton, date, locale=_locale()))


def _today() -> dt.date:
    return dt.datetime.now().astimezone().date()


def _local(at_ms: int, zone: str = "") -> dt.datetime:
    moment_utc = dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
    if zone and zone != "UTC":
        import zoneinfo  # a list that shows no moments needs none of it

        try:
            return moment_utc.astimezone(zoneinfo.ZoneInfo(zone))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return moment_utc.astimezone()
    return moment_utc.astimezone()


@cache
def _babel() -> Any:
    """The library that knows how languages write days and figures. It loads with the first of them that is shown, or
    in the background when the first list stands."""
    import babel.dates
    import babel.localtime
    import babel.numbers

    return babel


def warm() -> None:
    """Have ready what the first day, figure and search would wait for; for a background thread."""
    clock(0)
    search.query("é 王芳")


def _locale() -> Any:
    return _locale_of(texts.language())


@cache
def _locale_of(language: str) -> Any:
    # Plain English means dates in the order of day and month, which most readers of it in the field expect.
    wanted = "en_GB" if language == "en" else language
    try:
        return _babel().Locale.parse(wanted, sep="_")
    except (_babel().UnknownLocaleError, ValueError):
        return _babel().Locale("en")
