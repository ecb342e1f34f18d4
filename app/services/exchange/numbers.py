"""How the numbers of one column are written: the sign before the fraction, the sign between thousands, the currency."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Final

from sync.protocol import money
from sync.protocol.errors import FieldProblem
from sync.protocol.texts import gettext as _

_NUMBER = re.compile(r"\d(?:[\d.,'’\s\u00a0\u202f]*\d)?")
_SPACES = re.compile(r"[\s'’\u00a0\u202f]")
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_MULTIPLES: Final = {"万": 10_000, "亿": 100_000_000, "千": 1000}
LONGEST: Final = 64  # characters of a cell that holds a number
_CODE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The decision for one column: the sign before the fraction, and the currency where no cell names one."""

    fraction: str = "."
    assumed: bool = False
    mixed: bool = False
    currency: str = money.DEFAULT_CURRENCY
    named: bool = False  # whether values, heading or another column name the currency
    factor: int = 1  # what a number is multiplied by, where its cell has no multiple of its own

    def notes(self, *, amounts: bool) -> list[str]:
        """What the report says about the column."""
        found = []
        if self.mixed:
            found.append(_("Numbers are written in two ways. Each was read by its own signs."))
        elif self.assumed and self.fraction == ".":
            found.append(_("No value tells what the comma means: read as the sign between thousands."))
        elif self.assumed:
            found.append(_("No value tells what the point means: read as the sign between thousands."))
        elif self.fraction == ",":
            found.append(_("Read with a comma before the fraction."))
        if amounts and not self.named:
            found.append(_("No currency is named: read as {currency}.").format(currency=self.currency))
        return found


def decide(texts: Iterable[str], currency: str, *, named: bool) -> Numbers:
    """The decision that a column's values give. Of `1.234,5` the last sign is the fraction's; `1.234` is open."""
    votes: Counter[str] = Counter()
    open_marks: Counter[str] = Counter()
    for text in texts:
        found = _NUMBER.search(text[:LONGEST])
        if found is None:
            continue
        named = named or bool(_outside(text, found))
        number = _SPACES.sub("", found.group())
        marks = [c for c in number if c in ".,"]
        if not marks:
            continue
        last = marks[-1]
        if len(set(marks)) == 2:
            votes[last] += 1
        elif len(marks) > 1:
            votes["," if last == "." else "."] += 1
        elif _THOUSANDS.fullmatch(number) and not number.startswith("0"):
            open_marks[last] += 1
        else:
            votes[last] += 1
    if votes:
        fraction = votes.most_common(1)[0][0]
        return Numbers(fraction, mixed=len(votes) > 1, currency=currency, named=named)
    if open_marks:
        # Every number with a sign has three digits after it: thousands, as fractions have two.
        grouping = open_marks.most_common(1)[0][0]
        return Numbers("," if grouping == "." else ".", assumed=True, currency=currency, named=named)
    return Numbers(currency=currency, named=named)


def read_number(name: str, text: str, numbers: Numbers) -> Decimal:
    """A written number without currency. Raises FieldProblem."""
    found = _NUMBER.search(text[:LONGEST])
    rest = _outside(text, found) if found else text
    if found is None or len(text) > LONGEST or rest.strip(" %+-") not in _MULTIPLES | {"": 1}:
        raise FieldProblem(name, _("Not a number."))
    return _signed(name, text, found, numbers) * _MULTIPLES.get(rest.strip(" %+-"), numbers.factor)


def read_amount(name: str, text: str, numbers: Numbers) -> dict[str, int | str]:
    """A written amount; a currency in the cell wins over the column's. Raises FieldProblem."""
    found = _NUMBER.search(text[:LONGEST])
    if found is None or len(text) > LONGEST:
        raise _no_amount(name)
    rest = _outside(text, found)
    factor = next((factor for sign, factor in _MULTIPLES.items() if sign in rest), numbers.factor)
    for sign in _MULTIPLES:
        rest = rest.replace(sign, "")
    rest = rest.strip("+-() ").removesuffix("元").strip() or ("CNY" if "元" in rest else "")
    currency = numbers.currency
    if rest:
        currency = money.SIGNS.get(rest, rest.upper())
        if not _CODE.fullmatch(currency):
            raise _no_amount(name)
    try:
        return money.amount(_signed(name, text, found, numbers) * factor, currency)
    except ValueError:
        raise _no_amount(name) from None


def _no_amount(name: str) -> FieldProblem:
    return FieldProblem(name, _("Not an amount of money."), _("Write it as 1250.00 EUR."))


def _outside(text: str, found: re.Match[str]) -> str:
    """What stands round a number."""
    return f"{text[: found.start()]} {text[found.end() :]}".strip().rstrip(".,").strip()


def _signed(name: str, text: str, found: re.Match[str], numbers: Numbers) -> Decimal:
    """The number of a text, negative for a minus before it and for brackets round it. Raises FieldProblem."""
    number = _SPACES.sub("", found.group())
    fraction = numbers.fraction
    marks = [c for c in number if c in ".,"]
    if numbers.mixed and len(set(marks)) == 2:
        fraction = marks[-1]
    grouping = "," if fraction == "." else "."
    if marks.count(fraction) > 1:
        grouping, fraction = fraction, grouping
    try:
        value = Decimal(number.replace(grouping, "").replace(fraction, "."))
    except InvalidOperation:
        raise FieldProblem(name, _("Not a number.")) from None
    before, after = text[: found.start()], text[found.end() :]
    negative = before.rstrip(" $€£¥￥").endswith(("-", "−")) or before.strip().startswith(("-", "−"))
    brackets = before.strip().startswith("(") and after.strip().endswith(")")
    return -value if negative or brackets or after.strip() == "-" else value


def most_below(texts: Iterable[str], limit: int, numbers: Numbers) -> bool:
    """Whether most of these amounts are below a limit; those that cannot be read do not count."""
    found = []
    for text in texts:
        with contextlib.suppress(FieldProblem):
            amount = read_amount("", text, numbers)
            found.append(abs(money.decimal(int(amount["minor"]), str(amount["currency"]))) < limit)
    return bool(found) and sum(found) * 2 > len(found)


def in_currency(numbers: Numbers, currency: str) -> Numbers:
    """The column's decision for a row whose own currency column names one."""
    code = money.SIGNS.get(currency.strip(), currency.strip().upper())
    return replace(numbers, currency=code) if _CODE.fullmatch(code) else numbers
